"""Every move in any order, against a model: states, order of claims, fencing, and indexes after each step.

``MACHINE_EXAMPLES`` and ``MACHINE_STEPS`` in the environment make it look longer (``make machine``).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from support.jobs import expire_leases
from taskengine.catalogue import describe
from taskengine.check import check
from taskengine.errors import IllegalMove, JobNotFound, UnknownDependency
from taskengine.ids import new_id
from taskengine.jobs import FINAL_STATES, MOVES, JobState, Options, TaskInfo
from taskengine.keys import Keys
from taskengine.reads import Reads, total_of
from taskengine.records import row_of, with_fields
from taskengine.rules import KEEP, Kind
from taskengine.store import Answer, Claim, Ending, Outcome, Said, Store

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "100"))
STEPS = int(os.environ.get("MACHINE_STEPS", "50"))
HOUR_MS = 3_600_000
MAX_LOSSES = 2
ERROR = '{"exception":"ValueError","message":"as told","retryable":true}'
WAITING = (JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING)
GIVING_BACK = (Ending.RELEASED, Ending.SNOOZED, Ending.UNSTARTED)
PER_KEY = {"a": 1, "b": 2}
KNOWS = {"knows-a": ("a",), "knows-both": ("a", "b")}

queues = st.sampled_from(["q1", "q2"])
tasks = st.sampled_from(["a", "b"])
workers = st.sampled_from(sorted(KNOWS))
queue_lists = st.sampled_from(["*", "q1", "q2,q1", "q2>q1", "q1>q2|q2>q1"])


@dataclass
class Model:
    """What a job should be."""

    task: str
    queue: str
    priority: int
    max_attempts: int
    granted: int
    state: JobState
    arrival: int | None = None
    due_now: bool = False
    attempt: int = 0
    run: int = 0
    losses: int = 0
    cancel_asked: bool = False
    saved: bool = False
    key: str | None = None
    concurrency_key: str | None = None
    waits_for: set[str] = field(default_factory=set)

    def move(self, state: JobState) -> None:
        assert state in MOVES[self.state], f"{self.state} -> {state} is no move"
        self.state = state


class Machine(RuleBasedStateMachine):
    redis: Redis

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        self.keys = Keys("machine")
        self.store, self.reads = Store(self.keys), Reads(self.keys, lease_ms=HOUR_MS)
        self.models: dict[str, Model] = {}
        self.leases: dict[str, str] = {}  # of the attempts that run
        self.told: dict[str, str] = {}  # of attempts that told their end, which may be told again
        self.given_back: dict[str, str] = {}  # of those that gave their job back, likewise
        self.paused: set[tuple[Kind, str]] = set()
        self.limits: dict[tuple[Kind, str], int] = {}
        self.aging_seconds: float | None = None
        self.arrivals = 0
        self.seen_events = 0

    jobs = Bundle("jobs")
    attempts = Bundle("attempts")  # (job id, lease), of any age

    @initialize()
    def register(self) -> None:
        for worker, known in KNOWS.items():
            descriptions = {task: describe(TaskInfo(name=task, args_schema={"type": "object"})) for task in known}
            self.store.register_worker(worker, "{}", descriptions).run(self.redis)
        self.store.declare_key_limits(PER_KEY).run(self.redis)

    @rule(
        target=jobs,
        task=tasks,
        queue=queues,
        priority=st.integers(1, 10),
        max_attempts=st.integers(1, 3),
        later=st.booleans(),
        count=st.integers(1, 3),
        key=st.sampled_from([None, "x", "y"]),
    )
    def enqueue(
        self, task: str, queue: str, priority: int, max_attempts: int, later: bool, count: int, key: str | None
    ):
        ids = [new_id("job") for _ in range(count)]
        options = Options(max_attempts=max_attempts, delay=HOUR_MS / 1000 if later else None)
        rows = [row_of(job_id, task, "{}", queue=queue, priority=priority, options=options) for job_id in ids]
        rows = rows if key is None else [with_fields(row, {"key": key}) for row in rows]
        assert [new for _, new in self.store.enqueue_jobs(rows).run(self.redis)] == [True] * count
        for job_id in ids:
            state = JobState.SCHEDULED if later else JobState.QUEUED
            self.models[job_id] = Model(task, queue, priority, max_attempts, max_attempts, state, concurrency_key=key)
            if not later:
                self._arrive(self.models[job_id])
        return multiple(*ids)

    @rule(target=jobs, task=tasks, key=st.sampled_from(["k1", "k2"]))
    def enqueue_with_a_key(self, task: str, key: str):
        job_id = new_id("job")
        row = row_of(job_id, task, "{}", queue="q1", priority=5, options=Options(idempotency_key=key))
        ((found, new),) = self.store.enqueue_jobs([row]).run(self.redis)
        first = next((one for one, model in self.models.items() if (model.task, model.key) == (task, key)), None)
        assert (found, new) == ((first, False) if first else (job_id, True))
        if new:
            self.models[job_id] = Model(task, "q1", 5, 1, 1, JobState.QUEUED, key=key)
            self._arrive(self.models[job_id])
        return found

    @rule(target=jobs, task=tasks, others=st.lists(jobs, min_size=1, max_size=3), later=st.booleans())
    def enqueue_behind(self, task: str, others: list[str], later: bool):
        job_id = new_id("job")
        depends_on = tuple(dict.fromkeys(others))
        options = Options(depends_on=depends_on, delay=HOUR_MS / 1000 if later else None)
        move = self.store.enqueue_jobs([row_of(job_id, task, "{}", queue="q2", priority=5, options=options)])
        if any(other not in self.models for other in depends_on):
            with pytest.raises(UnknownDependency):
                move.run(self.redis)
            return multiple()
        move.run(self.redis)
        model = Model(task, "q2", 5, 1, 1, JobState.SCHEDULED)
        states = [self.models[other].state for other in depends_on]
        self.models[job_id] = model
        if any(state in (JobState.FAILED, JobState.CANCELLED) for state in states):
            model.move(JobState.CANCELLED)
        else:
            model.waits_for = {other for other in depends_on if self.models[other].state is not JobState.COMPLETED}
            if not model.waits_for and not later:
                model.move(JobState.QUEUED)
                self._arrive(model)
            model.due_now = not later
        return job_id

    @rule(seconds=st.sampled_from([None, 0.001, 0.02]))
    def change_aging(self, seconds: float | None) -> None:
        assert self.store.set_aging(seconds).run(self.redis) == (seconds != self.aging_seconds)
        self.aging_seconds = seconds
        while self.store.rescore_jobs(limit=2).run(self.redis):
            pass

    @rule(kind=st.sampled_from(list(Kind)), data=st.data(), pause=st.booleans())
    def pause_or_resume(self, kind: Kind, data: st.DataObject, pause: bool) -> None:
        name = data.draw(queues if kind is Kind.QUEUE else tasks)
        if pause:
            assert self.store.pause(kind, name, by="", reason="").run(self.redis) == ((kind, name) not in self.paused)
            self.paused.add((kind, name))
        else:
            assert self.store.resume(kind, name).run(self.redis) == ((kind, name) in self.paused)
            self.paused.discard((kind, name))

    @rule(kind=st.sampled_from(list(Kind)), data=st.data(), limit=st.none() | st.integers(1, 3))
    def limit(self, kind: Kind, data: st.DataObject, limit: int | None) -> None:
        name = data.draw(queues if kind is Kind.QUEUE else tasks)
        self.store.set_limits(kind, name, concurrency=limit, rate=KEEP).run(self.redis)
        self.limits.pop((kind, name), None)
        if limit is not None:
            self.limits[kind, name] = limit

    @rule(job_id=jobs, priority=st.integers(1, 10))
    def change_priority(self, job_id: str, priority: int) -> None:
        move = self.store.change_priority(job_id, priority)
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(JobNotFound):
                move.run(self.redis)
        elif model.state in WAITING:
            move.run(self.redis)
            model.priority = priority
        else:
            with pytest.raises(IllegalMove):
                move.run(self.redis)

    @rule(job_id=jobs, later=st.booleans())
    def reschedule(self, job_id: str, later: bool) -> None:
        seconds, _ = self.redis.time()
        move = self.store.reschedule_job(job_id, run_at_ms=(seconds * 1000 + HOUR_MS) if later else None)
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(JobNotFound):
                move.run(self.redis)
        elif model.state in WAITING:
            move.run(self.redis)
            self._rescheduled(model, later)
        else:
            with pytest.raises(IllegalMove):
                move.run(self.redis)

    @rule(job_id=jobs)
    def it_is_too_late_to_start(self, job_id: str) -> None:
        """As if its ``start_before`` had passed, and the sweep came by."""
        model = self.models.get(job_id)
        if model is not None and model.state in (JobState.SCHEDULED, JobState.QUEUED) and model.run == 0:
            self.redis.hset(self.keys.job(job_id), "start_before", 1)
            self.redis.zadd(self.keys.expiring, {job_id: 1})
            self.store.promote_jobs(limit=100).run(self.redis)
            self._cancelled(job_id)
            self._promoted(100)

    @rule(job_id=jobs)
    def enqueue_again_under_the_same_id(self, job_id: str) -> None:
        if job_id in self.models:
            model = self.models[job_id]
            row = row_of(job_id, model.task, "{}", queue=model.queue, priority=model.priority, options=Options())
            assert self.store.enqueue_jobs([row]).run(self.redis) == [(job_id, False)]

    @rule(target=attempts, worker=workers, queues=queue_lists, count=st.integers(1, 4))
    def claim(self, worker: str, queues: str, count: int):
        claim = self.store.claim_jobs(worker, queues, count, lease_ms=HOUR_MS).run(self.redis)
        return self._note_claim(claim, worker, queues, count)

    @rule(
        target=attempts,
        attempt=attempts,
        ending=st.sampled_from([Ending.COMPLETED, Ending.FAILED, Ending.TIMED_OUT, Ending.CANCELLED]),
        retry_ms=st.sampled_from([None, 0, HOUR_MS]),
        worker=workers,
        queues=queue_lists,
        count=st.integers(0, 2),
    )
    def finish_and_claim(
        self, attempt: tuple[str, str], ending: Ending, retry_ms: int | None, worker: str, queues: str, count: int
    ):
        claim = self._finish(attempt, ending, retry_ms, worker, queues, count)
        return self._note_claim(claim, worker, queues, count)

    @rule(attempt=attempts, ending=st.sampled_from([Ending.RELEASED, Ending.UNSTARTED]))
    def give_back(self, attempt: tuple[str, str], ending: Ending) -> None:
        self._finish(attempt, ending, None, "knows-a", "*", 0)

    @rule(attempt=attempts, retry_ms=st.sampled_from([0, HOUR_MS]))
    def snooze(self, attempt: tuple[str, str], retry_ms: int) -> None:
        self._finish(attempt, Ending.SNOOZED, retry_ms, "knows-a", "*", 0)

    @rule(attempt=attempts)
    def save_checkpoint(self, attempt: tuple[str, str]) -> None:
        answer = self.store.save_checkpoint(*attempt, "1").run(self.redis)
        assert answer is self._standing(attempt)
        if answer is not Answer.LEASE_LOST:
            self.models[attempt[0]].saved = True

    @rule(attempt=attempts)
    def say(self, attempt: tuple[str, str]) -> None:
        said = [(*attempt, [Said(1, 0.0, "INFO", '{"message":"as told"}')])]
        (answer,) = self.store.append_logs(said, now=0.0).run(self.redis)
        assert answer is self._standing(attempt)

    @rule(attempt=attempts, ending=st.sampled_from(list(Ending)))
    def finish_with_a_wrong_lease(self, attempt: tuple[str, str], ending: Ending) -> None:
        outcome = Outcome(job_id=attempt[0], lease="17", ending=ending, value=ERROR)
        (answer,) = self.store.finish_jobs([outcome], "w", "*", 0, lease_ms=1).run(self.redis).answers
        assert answer is (Answer.LEASE_LOST if attempt[0] in self.models else Answer.JOB_NOT_FOUND)

    @rule(attempt=attempts)
    def renew(self, attempt: tuple[str, str]) -> None:
        (answer,) = self.store.renew_leases("knows-a", [attempt], "{}", lease_ms=HOUR_MS).run(self.redis).answers
        assert answer is self._standing(attempt)

    @rule(attempt=attempts)
    def report_progress(self, attempt: tuple[str, str]) -> None:
        (answer,) = self.store.report_progress([(*attempt, '{"current":1}')]).run(self.redis)
        self.seen_events += answer is not Answer.LEASE_LOST
        assert answer is self._standing(attempt)

    @rule(attempt=attempts)
    def worker_dies(self, attempt: tuple[str, str]) -> None:
        job_id, lease = attempt
        held = self.leases.get(job_id) == lease
        if held:
            expire_leases(self.redis, self.keys, attempt)
        assert self.store.rescue_jobs(max_losses=MAX_LOSSES, limit=10).run(self.redis) == held
        if not held:
            return
        del self.leases[job_id]
        model = self.models[job_id]
        model.losses += 1
        if model.losses >= MAX_LOSSES and not model.cancel_asked:
            model.move(JobState.FAILED)
            self._tell_dependents(job_id)
        else:
            self._back_to_queue(job_id)

    @rule(limit=st.integers(1, 3))
    def promote(self, limit: int) -> None:
        done = self.store.promote_jobs(limit=limit).run(self.redis)
        self._promoted(limit)
        assert done <= limit

    @rule(job_id=jobs)
    def its_time_comes(self, job_id: str) -> None:
        model = self.models.get(job_id)
        if model is not None and model.state in (JobState.SCHEDULED, JobState.RETRYING) and not model.waits_for:
            self._make_due(job_id)

    @rule(job_id=jobs, terminate=st.booleans())
    def cancel(self, job_id: str, terminate: bool) -> None:
        move = self.store.cancel_job(job_id, terminate=terminate, reason="as told")
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(JobNotFound):
                move.run(self.redis)
        elif model.state is JobState.RUNNING and terminate:
            move.run(self.redis)
            model.cancel_asked = True
        elif JobState.CANCELLED in MOVES[model.state] and model.state is not JobState.RUNNING:
            move.run(self.redis)
            self._cancelled(job_id)
        elif model.state is JobState.CANCELLED:
            move.run(self.redis)
        else:
            with pytest.raises(IllegalMove):
                move.run(self.redis)

    @rule(job_id=jobs, attempts=st.none() | st.integers(1, 3))
    def retry(self, job_id: str, attempts: int | None) -> None:
        move = self.store.retry_job(job_id, attempts=attempts)
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(JobNotFound):
                move.run(self.redis)
        elif model.state in (JobState.FAILED, JobState.CANCELLED, JobState.RETRYING):
            move.run(self.redis)
            model.max_attempts = max(model.max_attempts, model.attempt + (attempts or model.granted))
            model.losses, model.cancel_asked, model.due_now = 0, False, False
            self.told.pop(job_id, None)
            model.move(JobState.QUEUED)
            self._arrive(model)
        else:
            with pytest.raises(IllegalMove):
                move.run(self.redis)

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        move = self.store.delete_job(job_id)
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(JobNotFound):
                move.run(self.redis)
        elif model.state is JobState.RUNNING:
            with pytest.raises(IllegalMove):
                move.run(self.redis)
        else:
            move.run(self.redis)
            final = model.state.is_final
            del self.models[job_id]
            if not final:
                self._cancel_dependents(job_id)

    @rule(states=st.sets(st.sampled_from(sorted(FINAL_STATES))), limit=st.integers(1, 3))
    def clear(self, states: set[JobState], limit: int) -> None:
        matching = {job_id for job_id, model in self.models.items() if model.state in states}
        removed = self.store.clear_jobs(sorted(states), before_ms=None, limit=limit).run(self.redis)
        assert removed == min(limit, len(matching))
        self._forget_removed(matching)

    @rule(keep=st.integers(0, 2))
    def trim(self, keep: int) -> None:
        matching = {job_id for job_id, model in self.models.items() if model.state in FINAL_STATES}
        self.store.trim_jobs(keep_ms=HOUR_MS, keep_jobs=keep, limit=100).run(self.redis)
        self._forget_removed(matching)
        for state in FINAL_STATES:
            assert sum(model.state is state for model in self.models.values()) <= keep

    @invariant()
    def indexes_say_what_records_say(self) -> None:
        assert check(self.redis, self.keys) == []

    @invariant()
    def records_say_what_the_model_says(self) -> None:
        found = self.reads.get_jobs(list(self.models)).run(self.redis)
        for job, model in zip(found, self.models.values(), strict=True):
            assert job is not None
            assert (job.state, job.attempt_count, job.run_count) == (model.state, model.attempt, model.run)
            assert (job.max_attempts, job.worker_losses) == (model.max_attempts, model.losses)
            assert (job.priority, job.blockers) == (model.priority, len(model.waits_for))

    @invariant()
    def nothing_is_left_to_resolve(self) -> None:
        assert self.redis.exists(self.keys.resolving) == 0, "few jobs are resolved in the same script"

    @invariant()
    def checkpoints_are_of_those_that_saved_one_and_did_not_complete(self) -> None:
        kept = {key.removeprefix(self.keys.checkpoint("")) for key in self.redis.keys(self.keys.checkpoint("*"))}
        assert kept == {job_id for job_id, model in self.models.items() if model.saved}

    @invariant()
    def counts_say_what_the_model_says(self) -> None:
        counts = total_of(self.reads.count_jobs().run(self.redis))
        assert counts.total == len(self.models)
        for state in JobState:
            assert getattr(counts, state.lower()) == sum(model.state is state for model in self.models.values())

    @invariant()
    def every_change_is_an_event_and_a_legal_move(self) -> None:
        entries = self.redis.xrange(self.keys.events)
        for _, event in entries[self.seen_events :]:
            if event["kind"] == "STATE" and event["from"]:
                assert JobState(event["to"]) in MOVES[JobState(event["from"])]
        self.seen_events = len(entries)

    # What the moves should do

    def _arrive(self, model: Model) -> None:
        if model.arrival is None:
            self.arrivals += 1
            model.arrival = self.arrivals

    def _back_to_queue(self, job_id: str) -> None:
        model = self.models[job_id]
        model.attempt -= 1
        model.move(JobState.CANCELLED if model.cancel_asked else JobState.QUEUED)
        self._tell_dependents(job_id)

    def _cancelled(self, job_id: str) -> None:
        model = self.models[job_id]
        model.due_now, model.waits_for = False, set()
        model.move(JobState.CANCELLED)
        self._tell_dependents(job_id)

    def _tell_dependents(self, job_id: str) -> None:
        """A job has ended, perhaps: those that wait for it hear how."""
        state = self.models[job_id].state
        if state is JobState.COMPLETED:
            for model in [one for one in self.models.values() if job_id in one.waits_for]:
                model.waits_for.discard(job_id)
                if not model.waits_for and model.due_now:
                    model.due_now = False
                    model.move(JobState.QUEUED)
                    self._arrive(model)
        elif state.is_final:
            self._cancel_dependents(job_id)

    def _cancel_dependents(self, job_id: str) -> None:
        for dependent, model in self.models.items():
            if job_id in model.waits_for:  # not before: one may have heard of another's end meanwhile
                self._cancelled(dependent)

    def _rescheduled(self, model: Model, later: bool) -> None:
        if model.waits_for:
            model.due_now = not later
        elif not later:
            model.due_now = False
            if model.state is not JobState.QUEUED:
                model.move(JobState.QUEUED)
                self._arrive(model)
        else:
            model.due_now = False
            if model.state is JobState.QUEUED:
                model.move(JobState.SCHEDULED)
                model.arrival = None

    def _standing(self, attempt: tuple[str, str]) -> Answer:
        if self.leases.get(attempt[0]) != attempt[1]:
            return Answer.LEASE_LOST
        return Answer.CANCEL if self.models[attempt[0]].cancel_asked else Answer.OK

    def _finish(
        self, attempt: tuple[str, str], ending: Ending, retry_ms: int | None, worker: str, queues: str, count: int
    ) -> Claim:
        job_id, lease = attempt
        value = "1" if ending is Ending.COMPLETED else ERROR
        outcome = Outcome(job_id=job_id, lease=lease, ending=ending, value=value, traceback='"tb"', retry_ms=retry_ms)
        claim = self.store.finish_jobs([outcome], worker, queues, count, lease_ms=HOUR_MS).run(self.redis)
        if self.leases.get(job_id) == lease:
            assert claim.answers == [Answer.OK]
            del self.leases[job_id]
            self._ended(job_id, ending, retry_ms)
            (self.given_back if ending in GIVING_BACK else self.told)[job_id] = lease
        elif job_id not in self.models:
            assert claim.answers == [Answer.JOB_NOT_FOUND]
        else:
            again = self.told.get(job_id) == lease or (ending in GIVING_BACK and self.given_back.get(job_id) == lease)
            assert claim.answers == [Answer.OK if again else Answer.LEASE_LOST]
        return claim

    def _ended(self, job_id: str, ending: Ending, retry_ms: int | None) -> None:
        model = self.models[job_id]
        if ending is Ending.COMPLETED:
            model.move(JobState.COMPLETED)
            model.saved = False
        elif ending is Ending.SNOOZED and not model.cancel_asked:
            model.attempt -= 1
            model.move(JobState.SCHEDULED)
            model.due_now = retry_ms == 0
        elif ending in (Ending.RELEASED, Ending.SNOOZED, Ending.UNSTARTED):
            model.run -= ending is Ending.UNSTARTED
            self._back_to_queue(job_id)
        elif ending is Ending.CANCELLED or model.cancel_asked:
            model.move(JobState.CANCELLED)
        elif retry_ms is not None and model.attempt < model.max_attempts:
            model.move(JobState.RETRYING)
            model.due_now = retry_ms == 0
        else:
            model.move(JobState.FAILED)
        self._tell_dependents(job_id)

    def _make_due(self, job_id: str) -> None:
        """As if its time had come: Redis's clock cannot be set, its due time can."""
        self.redis.zadd(self.keys.waiting, {job_id: 1})
        self.redis.hset(self.keys.job(job_id), "run_at", 1)
        self.models[job_id].due_now = True

    def _promoted(self, limit: int) -> None:
        """Learn from the records which were promoted; they must have been due, and no more than the limit."""
        due = [job_id for job_id, model in self.models.items() if model.due_now and not model.waits_for]
        moved = [
            job_id for job_id in due if self.redis.hget(self.keys.job(job_id), "state") != self.models[job_id].state
        ]
        assert len(moved) == min(limit, len(due))
        arrivals = {
            job_id: int(
                self.redis.hget(self.keys.job(job_id), "arrival") or self.redis.hget(self.keys.job(job_id), "created")
            )
            for job_id in moved
        }
        for job_id in sorted(moved, key=arrivals.__getitem__):
            self.models[job_id].move(JobState.QUEUED)
            self.models[job_id].due_now = False
            self._arrive(self.models[job_id])

    def _note_claim(self, claim: Claim, worker: str, queues: str, count: int):
        if count:
            self._promoted(100)
        assert [job.id for job in claim.jobs] == self._next_in_line(worker, queues, count)
        for job in claim.jobs:
            model = self.models[job.id]
            model.move(JobState.RUNNING)
            model.attempt, model.run = model.attempt + 1, model.run + 1
            self.leases[job.id] = job.lease
            self.told.pop(job.id, None)
        return multiple(*((job.id, job.lease) for job in claim.jobs))

    def _next_in_line(self, worker: str, queues: str, count: int) -> Sequence[str]:
        ready = [
            job_id
            for job_id, model in self.models.items()
            if model.state is JobState.QUEUED and model.task in KNOWS[worker]
        ]
        running = [model for model in self.models.values() if model.state is JobState.RUNNING]
        turns = [turn.split(">") for turn in queues.replace("*", "q1,q2").split("|")]
        line: list[str] = []
        while len(line) < count:
            turn = turns[len(line) % len(turns)]
            can = [job_id for job_id in ready if self._may_start(self.models[job_id], running)]
            places = [
                (*self._place(job_id, turn), job_id) for job_id in can if self.models[job_id].queue in ">".join(turn)
            ]
            if not places:
                break
            best = min(places)[-1]
            ready.remove(best)
            line.append(best)
            running.append(self.models[best])
        return line

    def _place(self, job_id: str, turn: Sequence[str]) -> tuple[int, float, int]:
        """The group of queues that a job comes from, and where it stands there; the least is claimed first."""
        model = self.models[job_id]
        group = next(at for at, queues in enumerate(turn) if model.queue in queues)
        assert model.arrival is not None
        if self.aging_seconds is None:
            return group, -model.priority, model.arrival
        record = self.redis.hgetall(self.keys.job(job_id))
        arrival_us = int(record.get("arrival", record["created"]))
        return group, arrival_us - model.priority * self.aging_seconds * 1e6, model.arrival

    def _may_start(self, model: Model, running: Sequence[Model]) -> bool:
        held = {Kind.QUEUE: model.queue, Kind.TASK: model.task}
        for kind, name in held.items():
            if (kind, name) in self.paused:
                return False
            of_it = sum((one.queue if kind is Kind.QUEUE else one.task) == name for one in running)
            if of_it >= self.limits.get((kind, name), 1_000):
                return False
        same = [one for one in running if (one.task, one.concurrency_key) == (model.task, model.concurrency_key)]
        return model.concurrency_key is None or len(same) < PER_KEY[model.task]

    def _forget_removed(self, candidates: set[str]) -> None:
        for job_id in candidates:
            if not self.redis.exists(self.keys.job(job_id)):
                del self.models[job_id]


def test_any_order_of_moves_keeps_every_promise(redis: Redis) -> None:
    run_state_machine_as_test(
        type("BoundMachine", (Machine,), {"redis": redis}),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
