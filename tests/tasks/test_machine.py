"""Every move in any order, against a model: states, order of claims, fencing, and indexes after each step.

``MACHINE_EXAMPLES`` and ``MACHINE_STEPS`` in the environment make it look longer (``make machine``).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

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
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.ids import new_id
from taskengine.jobs import FINAL_STATES, MOVES, JobState, Options, TaskInfo
from taskengine.keys import Keys
from taskengine.reads import Reads, total_of
from taskengine.records import row_of
from taskengine.store import Answer, Claim, Ending, Outcome, Store

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "100"))
STEPS = int(os.environ.get("MACHINE_STEPS", "50"))
HOUR_MS = 3_600_000
MAX_LOSSES = 2
ERROR = '{"exception":"ValueError","message":"as told","retryable":true}'
KNOWS = {"knows-a": ("a",), "knows-both": ("a", "b")}

queues = st.sampled_from(["q1", "q2"])
tasks = st.sampled_from(["a", "b"])
workers = st.sampled_from(sorted(KNOWS))
queue_lists = st.sampled_from(["*", "q1", "q2,q1"])


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
        self.arrivals = 0
        self.seen_events = 0

    jobs = Bundle("jobs")
    attempts = Bundle("attempts")  # (job id, lease), of any age

    @initialize()
    def register(self) -> None:
        for worker, known in KNOWS.items():
            descriptions = {task: describe(TaskInfo(name=task, args_schema={"type": "object"})) for task in known}
            self.store.register_worker(worker, "{}", descriptions).run(self.redis)

    @rule(
        target=jobs,
        task=tasks,
        queue=queues,
        priority=st.integers(1, 10),
        max_attempts=st.integers(1, 3),
        later=st.booleans(),
        count=st.integers(1, 3),
    )
    def enqueue(self, task: str, queue: str, priority: int, max_attempts: int, later: bool, count: int):
        ids = [new_id("job") for _ in range(count)]
        options = Options(max_attempts=max_attempts, delay=HOUR_MS / 1000 if later else None)
        rows = [row_of(job_id, task, "{}", queue=queue, priority=priority, options=options) for job_id in ids]
        assert self.store.enqueue_jobs(rows).run(self.redis) == [True] * count
        for job_id in ids:
            state = JobState.SCHEDULED if later else JobState.QUEUED
            self.models[job_id] = Model(task, queue, priority, max_attempts, max_attempts, state)
            if not later:
                self._arrive(self.models[job_id])
        return multiple(*ids)

    @rule(job_id=jobs)
    def enqueue_again_under_the_same_id(self, job_id: str) -> None:
        if job_id in self.models:
            model = self.models[job_id]
            row = row_of(job_id, model.task, "{}", queue=model.queue, priority=model.priority, options=Options())
            assert self.store.enqueue_jobs([row]).run(self.redis) == [False]

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

    @rule(attempt=attempts, ending=st.sampled_from(list(Ending)))
    def finish_with_a_wrong_lease(self, attempt: tuple[str, str], ending: Ending) -> None:
        outcome = Outcome(job_id=attempt[0], lease="17", ending=ending, value=ERROR)
        (answer,) = self.store.finish_jobs([outcome], "w", "*", 0, lease_ms=1).run(self.redis).answers
        assert answer is (Answer.LEASE_LOST if attempt[0] in self.models else Answer.JOB_NOT_FOUND)

    @rule(attempt=attempts)
    def renew(self, attempt: tuple[str, str]) -> None:
        _, (answer,) = self.store.renew_leases("knows-a", [attempt], "{}", lease_ms=HOUR_MS).run(self.redis)
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
        else:
            self._back_to_queue(model)

    @rule(limit=st.integers(1, 3))
    def promote(self, limit: int) -> None:
        done = self.store.promote_jobs(limit=limit).run(self.redis)
        self._promoted(limit)
        assert done <= limit

    @rule(job_id=jobs)
    def its_time_comes(self, job_id: str) -> None:
        model = self.models.get(job_id)
        if model is not None and model.state in (JobState.SCHEDULED, JobState.RETRYING):
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
            model.due_now = False
            model.move(JobState.CANCELLED)
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
            del self.models[job_id]

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

    def _back_to_queue(self, model: Model) -> None:
        model.attempt -= 1
        model.move(JobState.CANCELLED if model.cancel_asked else JobState.QUEUED)

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
            if ending not in (Ending.RELEASED, Ending.UNSTARTED):
                self.told[job_id] = lease
        elif job_id not in self.models:
            assert claim.answers == [Answer.JOB_NOT_FOUND]
        else:
            assert claim.answers == [Answer.OK if self.told.get(job_id) == lease else Answer.LEASE_LOST]
        return claim

    def _ended(self, job_id: str, ending: Ending, retry_ms: int | None) -> None:
        model = self.models[job_id]
        if ending is Ending.COMPLETED:
            model.move(JobState.COMPLETED)
        elif ending in (Ending.RELEASED, Ending.UNSTARTED):
            model.run -= ending is Ending.UNSTARTED
            self._back_to_queue(model)
        elif ending is Ending.CANCELLED or model.cancel_asked:
            model.move(JobState.CANCELLED)
        elif retry_ms is not None and model.attempt < model.max_attempts:
            model.move(JobState.RETRYING)
            model.due_now = retry_ms == 0
        else:
            model.move(JobState.FAILED)

    def _make_due(self, job_id: str) -> None:
        """As if its time had come: Redis's clock cannot be set, its due time can."""
        self.redis.zadd(self.keys.waiting, {job_id: 1})
        self.redis.hset(self.keys.job(job_id), "run_at", 1)
        self.models[job_id].due_now = True

    def _promoted(self, limit: int) -> None:
        """Learn from the records which were promoted; they must have been due, and no more than the limit."""
        due = [job_id for job_id, model in self.models.items() if model.due_now]
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
        served = {"q1", "q2"} if queues == "*" else set(queues.split(","))
        ready = [
            (-model.priority, model.arrival, job_id)
            for job_id, model in self.models.items()
            if model.state is JobState.QUEUED and model.queue in served and model.task in KNOWS[worker]
        ]
        return [job_id for _, _, job_id in sorted(ready)[:count]]

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
