"""The model that ``test_machine.py`` holds the scripts to: what each move should do to each job.

A rule makes a move, and then has the model change as it should have.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple
from redis import Redis

from taskengine.failures import Failures
from taskengine.ids import new_id
from taskengine.jobs import MOVES, JobState
from taskengine.keys import Keys
from taskengine.reads import Reads
from taskengine.records import dumps
from taskengine.rules import Kind
from taskengine.schedule_store import ScheduleStore
from taskengine.store import Answer, Claim, Ending, Outcome, Store

HOUR_MS = 3_600_000
MAX_LOSSES = 2
ERROR = '{"exception":"ValueError","message":"as told","retryable":true}'
WAITING = (JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING)
GIVING_BACK = (Ending.RELEASED, Ending.SNOOZED, Ending.UNSTARTED)
PER_KEY = {"a": 1, "b": 2}
KNOWS = {"knows-a": ("a",), "knows-both": ("a", "b")}
ALIKE = [(task, exception) for task in ("a", "b") for exception in ("ValueError", "WorkerLost")]
"""Jobs that fail alike: a task and an exception."""
FOLLOWER = ("a", "q1", 5)
"""Task, queue and priority of every call that follows."""

queues = st.sampled_from(["q1", "q2"])
tasks = st.sampled_from(["a", "b"])
workers = st.sampled_from(sorted(KNOWS))
queue_lists = st.sampled_from(["*", "q1", "q2,q1", "q2>q1", "q1>q2|q2>q1"])

jobs = Bundle("jobs")
attempts = Bundle("attempts")
"""A job's id and a lease, of any age."""


def call_of(job_id: str) -> list[object]:
    """A call that follows, as ``follow_ups.lua`` reads it."""
    return [job_id, *FOLLOWER, "", "", '{"given":[', "]}"]


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
    waits_for: set[str] = field(default_factory=set[str])
    failure: str | None = None
    """The exception of its last failed attempt."""
    on_error: str | None = None
    """The job that follows when it FAILED."""
    chord: tuple[str, str] | None = None
    """The chord that it reports to, and as which member."""
    counted: Counter[JobState] = field(default_factory=Counter[JobState])
    """Of all jobs together: how often one got to a state."""

    def move(self, state: JobState) -> None:
        assert state in MOVES[self.state], f"{self.state} -> {state} is no move"
        self.state = state
        self.counted[state] += 1


class ModelledMachine(RuleBasedStateMachine):
    """What should be, and how it should change. The rules are in ``test_machine.py``."""

    redis: Redis

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        self.keys = Keys("machine")
        self.store, self.reads = Store(self.keys), Reads(self.keys, lease_ms=HOUR_MS)
        self.failures, self.schedules = Failures(self.keys), ScheduleStore(self.keys)
        self.models: dict[str, Model] = {}
        self.leases: dict[str, str] = {}  # of the attempts that run
        self.told: dict[str, str] = {}  # of attempts that told their end, which may be told again
        self.given_back: dict[str, str] = {}  # of those that gave their job back, likewise
        self.paused: set[tuple[Kind, str]] = set()
        self.limits: dict[tuple[Kind, str], int] = {}
        self.aging_seconds: float | None = None
        self.arrivals = 0
        self.enqueued = 0
        self.counted: Counter[JobState] = Counter()
        self.chords: dict[str, tuple[set[str], str]] = {}  # members that have not reported, and the job that follows
        self.seen_events = 0

    def _add(self, job_id: str, model: Model) -> None:
        """A job was enqueued."""
        model.counted = self.counted
        self.models[job_id] = model
        self.enqueued += 1
        if model.state is JobState.QUEUED:
            self._arrive(model)

    def _follow_with(self, job_id: str) -> None:
        """A call follows, unless it has followed already."""
        if job_id not in self.models:
            self._add(job_id, Model(*FOLLOWER, 1, 1, JobState.QUEUED))

    def _follow(self, job_id: str) -> None:
        """A job has ended, or is gone: enqueue what follows from that."""
        model = self.models[job_id]
        if model.state is JobState.FAILED and model.on_error:
            self._follow_with(model.on_error)
        if model.chord and model.chord[0] in self.chords:
            left, callback = self.chords[model.chord[0]]
            left.discard(model.chord[1])
            if not left:
                del self.chords[model.chord[0]]
                self._follow_with(callback)

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

    def _tell_dependents(self, job_id: str, then: str | None = None) -> None:
        """A job has ended, perhaps: what follows is enqueued, and those that wait for it hear how."""
        state = self.models[job_id].state
        if state.is_final:
            self._follow(job_id)
        if state is JobState.COMPLETED and then:
            self._follow_with(then)
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

    def _retried(self, job_id: str, attempts: int | None) -> None:
        model = self.models[job_id]
        model.max_attempts = max(model.max_attempts, model.attempt + (attempts or model.granted))
        model.losses, model.cancel_asked, model.due_now = 0, False, False
        self.told.pop(job_id, None)
        model.move(JobState.QUEUED)
        self._arrive(model)

    def _standing(self, attempt: tuple[str, str]) -> Answer:
        if self.leases.get(attempt[0]) != attempt[1]:
            return Answer.LEASE_LOST
        return Answer.CANCEL if self.models[attempt[0]].cancel_asked else Answer.OK

    def _finish(
        self,
        attempt: tuple[str, str],
        ending: Ending,
        retry_ms: int | None,
        worker: str,
        queues: str,
        count: int,
        then: bool = False,
    ) -> Claim:
        job_id, lease = attempt
        follower = new_id("job") if then and ending is Ending.COMPLETED else None
        calls = dumps([call_of(follower)]) if follower else ""
        value = "1" if ending is Ending.COMPLETED else ERROR
        outcome = Outcome(
            job_id=job_id, lease=lease, ending=ending, value=value, traceback='"tb"', retry_ms=retry_ms, calls=calls
        )
        claim = self.store.finish_jobs([outcome], worker, queues, count, lease_ms=HOUR_MS).run(self.redis)
        if self.leases.get(job_id) == lease:
            assert claim.answers == [Answer.OK]
            del self.leases[job_id]
            self._ended(job_id, ending, retry_ms, follower)
            (self.given_back if ending in GIVING_BACK else self.told)[job_id] = lease
        elif job_id not in self.models:
            assert claim.answers == [Answer.JOB_NOT_FOUND]
        else:
            again = self.told.get(job_id) == lease or (ending in GIVING_BACK and self.given_back.get(job_id) == lease)
            assert claim.answers == [Answer.OK if again else Answer.LEASE_LOST]
        return claim

    def _ended(self, job_id: str, ending: Ending, retry_ms: int | None, then: str | None) -> None:
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
            model.failure = "ValueError"
            model.move(JobState.FAILED)
        self._tell_dependents(job_id, then)

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

    def failed_alike(self, task: str, exception: str) -> list[str]:
        """Those that FAILED, by one task's exception, the oldest first."""
        return [
            job_id
            for job_id, model in self.models.items()
            if (model.state, model.task, model.failure) == (JobState.FAILED, task, exception)
        ]
