"""Workers: which there are, what each runs and for how long, what it uses; and drain."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import workers as changes
from taskengine_dashboard.model.frame import Role
from taskengine_dashboard.model.workers import WORKER_STATES
from taskengine_dashboard.views.workers import questions, tables
from taskengine_dashboard.views.workers.questions import Workers
from taskengine_dashboard.views.workers.worker import Worker

_DRAIN, _LINK = "worker-drain", "worker-job-link"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    reading = parts.header("Workers", questions.workers)
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    if not found.workers:
        parts.nothing_here(
            "No worker has registered",
            "Jobs wait until one runs. Start one with `taskengine worker MODULE:ENGINE`.",
            key="workers-nothing",
        )
        return
    st.caption(_summary(found))
    _workers(found, may_drain=found.frame.may(Role.OPERATOR) and reading.problem is None)
    st.space("xsmall")
    _slots(found)


def _summary(found: Workers) -> str:
    online = [worker for worker in found.workers if worker.online]
    slots = sum(worker.concurrency for worker in online)
    busy = sum(worker.running for worker in online)
    gone = len(found.workers) - len(online)
    told = f"{wording.plural(len(online), 'worker')} online · {busy} of {wording.plural(slots, 'slot')} busy"
    return f"{told} · {gone} offline: forgotten a while after the last heartbeat" if gone else told


def _workers(found: Workers, *, may_drain: bool) -> None:
    workers = found.workers

    def drain() -> None:
        worker = tables.drained(st.session_state[_DRAIN].label, workers)
        if worker is not None:
            _ask_to_drain(worker)

    column = st.column_config
    names = ("worker", "drain", "state", "busy", "cpu", "memory", "queues", "host", "up", "seen", "version")
    parts.table(
        found.table,
        key="workers",
        alt="Workers with their load, what they use and their last heartbeat",
        columns={
            "worker": column.TextColumn("Worker", width=116),
            "state": parts.chips("State", WORKER_STATES, {name: name for name in WORKER_STATES}, 84),
            "busy": column.TextColumn("Busy", width=54, help="Slots that run a job, of those that there are"),
            "cpu": column.TextColumn("CPU", width=52, help="Of one core, with its processes, since the last heartbeat"),
            "memory": column.TextColumn("Memory", width=76, help="Resident, with its processes"),
            "queues": column.TextColumn("Queues", width=126),
            "host": column.TextColumn("Host · process", width=100),
            "version": column.TextColumn("Version", width=60),
            "up": column.TextColumn("Up", width=78),
            "seen": column.TextColumn("Seen", width=80, help="Its last heartbeat"),
            "drain": column.ButtonColumn(
                "Actions",
                type="tertiary",
                key=_DRAIN,
                on_click=drain,
                alignment="left",  # it names the worker, as rows move
                width=146,
                help="Drain: let it finish, then stop",
            ),
        },
        order=[name for name in names if may_drain or name != "drain"],
    )


def _ask_to_drain(worker: Worker) -> None:
    running = wording.plural(worker.running, "job")
    parts.ask(
        parts.Question(
            title=f"Drain {worker.name}?",
            text=f"It takes nothing more, finishes the {running} that it runs, and stops. "
            "It has to be started anew to work again.",
            yes="Drain this worker",
            carry_out=lambda: parts.tell(
                changes.drain(worker.id), f"Worker {wording.plain(worker.name)} drains, and stops when it is done."
            ),
        )
    )


def _slots(found: Workers) -> None:
    running = found.running
    st.header("What runs now", anchor=False)
    if not running:
        st.caption("No job runs.")
        return

    def open_job() -> None:
        navigation.open_shown_job(st.session_state[_LINK].label, running)

    column = st.column_config
    parts.table(
        found.slot_table,
        key="slots",
        alt="Jobs that run now, with their worker and how long they have run",
        columns={
            "job": column.ButtonColumn(
                "Job", type="tertiary", alignment="left", key=_LINK, on_click=open_job, width=105, help="Open the job"
            ),
            "task": column.TextColumn("Task", width=180),
            "queue": column.TextColumn("Queue", width=110),
            "worker": column.TextColumn("Worker", width=150),
            "ran": column.TextColumn("Runs for", width=90),
            "progress": column.ProgressColumn("Progress", format="percent", min_value=0, max_value=1, width=140),
            "attempt": column.TextColumn("Attempt", width=80),
        },
    )
