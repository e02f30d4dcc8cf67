"""Every move in any order, against a model: states, order of claims, fencing, and indexes after each step.

``MACHINE_EXAMPLES`` and ``MACHINE_STEPS`` in the environment make it look longer (``make machine``).
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, rule, run_state_machine_as_test
from redis import Redis

from support.jobs import expire_leases
from support.machine import (
    ALIKE,
    ERROR,
    HOUR_MS,
    KNOWS,
    MAX_LOSSES,
    PER_KEY,
    WAITING,
    Model,
    attempts,
    call_of,
    jobs,
    queue_lists,
    queues,
    tasks,
    workers,
)
from support.machine_checks import CheckedMachine
from support.schedules import a_definition
from taskengine.bulk import BulkKind, Bulks, look_for
from taskengine.catalogue import describe
from taskengine.errors import IllegalMove, JobNotFound, QueueFull, UnknownDependency
from taskengine.failures import group_id
from taskengine.filters import JobFilter
from taskengine.ids import new_id
from taskengine.jobs import FINAL_STATES, MOVES, JobState, Options, TaskInfo
from taskengine.listing import SEARCHED_BYTES
from taskengine.records import dumps, row_of, with_fields
from taskengine.rules import KEEP, Kind
from taskengine.scripts import call
from taskengine.store import Answer, Ending, Outcome, Said

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "100"))
STEPS = int(os.environ.get("MACHINE_STEPS", "50"))


class Machine(CheckedMachine):
    @initialize()
    def register(self) -> None:
        for worker, known in KNOWS.items():
            descriptions = {task: describe(TaskInfo(name=task, args_schema={"type": "object"})) for task in known}
            self.store.register_worker(worker, "{}", descriptions).run(self.redis)
        self.store.declare_key_limits(PER_KEY).run(self.redis)
        never = self.schedules.save_schedule("s", a_definition(task="a"), revision=None, enabled=False, next_ms=None)
        never.run(self.redis)

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
            self._add(job_id, Model(task, queue, priority, max_attempts, max_attempts, state, concurrency_key=key))
        return multiple(*ids)

    @rule(target=jobs, task=tasks, key=st.sampled_from(["k1", "k2"]))
    def enqueue_with_a_key(self, task: str, key: str):
        job_id = new_id("job")
        row = row_of(job_id, task, "{}", queue="q1", priority=5, options=Options(idempotency_key=key))
        ((found, new),) = self.store.enqueue_jobs([row]).run(self.redis)
        first = next((one for one, model in self.models.items() if (model.task, model.key) == (task, key)), None)
        assert (found, new) == ((first, False) if first else (job_id, True))
        if new:
            self._add(job_id, Model(task, "q1", 5, 1, 1, JobState.QUEUED, key=key))
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
        self._add(job_id, model)
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
        then=st.booleans(),
    )
    def finish_and_claim(
        self,
        attempt: tuple[str, str],
        ending: Ending,
        retry_ms: int | None,
        worker: str,
        queues: str,
        count: int,
        then: bool,
    ):
        claim = self._finish(attempt, ending, retry_ms, worker, queues, count, then)
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
            model.failure = "WorkerLost"
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
            self._retried(job_id, attempts)
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
            if not model.state.is_final:
                self._follow(job_id)
                self._cancel_dependents(job_id)
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

    # Failure groups, schedules, what follows, and the budget

    @rule(alike=st.sampled_from(ALIKE), limit=st.integers(1, 3))
    def retry_failure_group(self, alike: tuple[str, str], limit: int) -> None:
        job_ids = self.failed_alike(*alike)[:limit]
        assert self._change_group(BulkKind.RETRY, alike, limit) == len(job_ids)
        for job_id in job_ids:
            self._retried(job_id, None)

    @rule(alike=st.sampled_from(ALIKE), limit=st.integers(1, 3))
    def delete_failure_group(self, alike: tuple[str, str], limit: int) -> None:
        job_ids = self.failed_alike(*alike)[:limit]
        assert self._change_group(BulkKind.DELETE, alike, limit) == len(job_ids)
        for job_id in job_ids:
            del self.models[job_id]

    def _change_group(self, kind: BulkKind, alike: tuple[str, str], limit: int) -> int:
        """Take one small step of a change to a group; tell how many jobs it changed."""
        bulks, bulk_id = Bulks(self.keys), new_id("bulk")
        look = look_for(JobFilter(failure_group=group_id(*alike, None)))
        bulks.start(bulk_id, kind, look, matched=0).run(self.redis)
        step = call("step_bulk", self.keys.prefix, bool, id=bulk_id, records=limit, bytes=SEARCHED_BYTES)
        step.run(self.redis)
        bulks.stop(bulk_id).run(self.redis)
        return bulks.list(bulk_id=bulk_id).run(self.redis)[0].changed

    @rule(target=jobs)
    def run_a_schedule_now(self):
        job_id = new_id("job")
        row = with_fields(row_of(job_id, "a", "{}", queue="q2", priority=5, options=Options()), {"schedule": "s"})
        self.schedules.run_schedule("s", row).run(self.redis)
        self._add(job_id, Model("a", "q2", 5, 1, 1, JobState.QUEUED))
        return job_id

    @rule(target=jobs, task=tasks, max_attempts=st.integers(1, 2))
    def enqueue_with_what_follows_a_failure(self, task: str, max_attempts: int):
        job_id, follower = new_id("job"), new_id("job")
        row = row_of(job_id, task, "{}", queue="q1", priority=5, options=Options(max_attempts=max_attempts))
        self.store.enqueue_jobs([with_fields(row, {"follows": dumps({"error": call_of(follower)})})]).run(self.redis)
        self._add(job_id, Model(task, "q1", 5, max_attempts, max_attempts, JobState.QUEUED, on_error=follower))
        return job_id

    @rule(target=jobs, task=tasks, size=st.integers(1, 3))
    def enqueue_a_chord(self, task: str, size: int):
        chord, callback, ids = new_id("job"), new_id("job"), [new_id("job") for _ in range(size)]
        self.store.open_chord(chord, size, dumps(call_of(callback)), ttl_ms=HOUR_MS).run(self.redis)
        self.chords[chord] = ({str(number) for number in range(size)}, callback)
        for number, job_id in enumerate(ids):
            row = row_of(job_id, task, "{}", queue="q1", priority=5, options=Options())
            follows = {"follows": dumps({"chord": chord, "number": str(number)})}
            self.store.enqueue_jobs([with_fields(row, follows)]).run(self.redis)
            self._add(job_id, Model(task, "q1", 5, 1, 1, JobState.QUEUED, chord=(chord, str(number))))
        return multiple(*ids)

    @rule(task=tasks)
    def redis_is_full(self, task: str) -> None:
        row = row_of(new_id("job"), task, "{}", queue="q1", priority=5, options=Options())
        self.store.set_budget(1).run(self.redis)
        with pytest.raises(QueueFull):
            self.store.enqueue_jobs([row]).run(self.redis)
        with pytest.raises(QueueFull):
            self.schedules.run_schedule("s", row).run(self.redis)
        self.store.set_budget(None).run(self.redis)


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
