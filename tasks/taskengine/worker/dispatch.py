"""Jobs in, outcomes out: what the threads of one process share on their way to Redis.

One thread at a time goes to Redis, taking along every outcome that waits and
bringing jobs for all that are idle. Short jobs are fetched some milliseconds
ahead; what turns out to take longer is given back.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from taskengine.errors import JobCancelled, LeaseLost, RedisUnavailable
from taskengine.records import ClaimedJob
from taskengine.storage import JobStorage
from taskengine.store import Answer, Claim, Ending, Outcome, Said
from taskengine.worker.board import Board
from taskengine.worker.context import JobContext
from taskengine.worker.logs import LINES_PER_CALL
from taskengine.worker.queue_choice import QueueChoice, Turns
from taskengine.worker.timeouts import Deadline

logger = logging.getLogger("taskengine.worker")

AHEAD_SECONDS = 0.005
"""Jobs are fetched for so long ahead."""
MAX_CLAIM = 32
FLUSH_SECONDS = 0.002
"""An outcome waits at most so long for company."""
STALE_SECONDS = 0.05
"""What was fetched ahead and has not begun by then is given back."""
IDLE_SECONDS = 1.0
"""An idle worker looks at least so often, also when a wake-up was lost."""

Held = tuple[str, str]
"""A job's id and the lease it is held under."""


class Dispatcher:
    """Claims for ``threads`` threads of this process, under one worker's name."""

    def __init__(
        self,
        storage: JobStorage,
        *,
        worker: str,
        queues: QueueChoice,
        threads: int,
        lease_ms: int,
        slot: str = "",
        board: Board | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """``queues``: where it looks for jobs. ``slot``: which child of the worker this process is.

        ``board``: where the parent reads what is held.

        ``stopping`` is asked before each claim: a worker that stops takes nothing more.
        """
        self._storage = storage
        self._worker = worker
        self._queues = queues.names
        self._turns = Turns(queues)
        self._threads = threads
        self._lease_ms = lease_ms
        self._slot = slot
        self._board = board
        self._stopping = stopping
        self._changed = threading.Condition()
        self._ready: deque[tuple[ClaimedJob, float]] = deque()
        self._running: dict[Held, JobContext] = {}
        self._held: set[Held] = set()
        self._deadlines: dict[Held, Deadline] = {}
        self._outcomes: list[Outcome] = []
        self._idle = 0
        self._fetching = False
        self._sleeping = False
        self._closed = False
        self._average_seconds: float | None = None

    # What a worker thread does

    def next(self) -> ClaimedJob | None:
        """Return a job to run, ``None`` when there was none for a second or no more are taken.

        Raises ``RedisUnavailable``.
        """
        until = time.monotonic() + IDLE_SECONDS
        with self._changed:
            self._idle += 1
            try:
                while not self._wait_for_turn(until):
                    if self._ready:
                        return self._ready.popleft()[0]
                    if self._ended() or time.monotonic() >= until:
                        return None
                    if self._outcomes and self._sleeping:
                        self._flush_unlocked()
            finally:
                self._idle -= 1
        return self._fetch()

    def next_now(self) -> ClaimedJob | None:
        """Return a job to run if there is one at this moment. Raises ``RedisUnavailable``."""
        with self._changed:
            waiting = bool(self._ready)
        if not waiting:
            self._exchange(1)
        with self._changed:
            return self._ready.popleft()[0] if self._ready else None

    def begin(self, job: ClaimedJob) -> JobContext:
        """Note that a job runs; return what its task may talk to."""
        context = JobContext(job, self)
        with self._changed:
            self._running[job.id, job.lease] = context
        return context

    def note_deadline(self, context: JobContext, seconds: float, retry_ms: int | None) -> None:
        """Tell the parent, if there is one, by when an attempt that begins now has had its time."""
        if self._board is None:
            return
        held = (context.job.id, context.job.lease)
        with self._changed:
            self._deadlines[held] = Deadline(*held, seconds, time.monotonic() + seconds, retry_ms)
            self._write_board()

    def finish(self, context: JobContext, outcome: Outcome | None, *, now: bool = False) -> None:
        """Hand in how an attempt ended; ``None`` when it is no longer ours to say.

        It reaches Redis with the next fetch, or at once with ``now``.
        """
        seconds = time.perf_counter() - context.started
        held = (context.job.id, context.job.lease)
        with self._changed:
            self._running.pop(held, None)
            self._deadlines.pop(held, None)
            self._learn(seconds)
            if outcome is None:
                self._drop([held])
            elif held in self._held:
                self._outcomes.append(outcome)
        if now:
            self.flush()

    def flush(self) -> None:
        """Send the outcomes that wait. When Redis is away they are kept for the next time."""
        try:
            self._exchange(0)
        except RedisUnavailable as problem:
            logger.warning("outcomes of jobs wait for Redis: %s", problem)

    # What the process does beside its threads

    def tend(self) -> None:
        """Look after what waits: tasks to be stopped, outcomes, words, and jobs that were fetched too far ahead."""
        with self._changed:
            contexts = list(self._running.values())
            now = time.monotonic()
            stale = [job for job, at in self._ready if now - at > STALE_SECONDS]
            for _ in stale:
                self._ready.popleft()
            self._outcomes += [_unstarted(job) for job in stale]
            waiting = bool(self._outcomes)
        for context in contexts:
            context.tend()
        if waiting:
            self.flush()

    def held(self) -> list[Held]:
        """Return what this process holds: running, fetched ahead, or ended and not yet told."""
        with self._changed:
            return sorted(self._held)

    def obey(self, held: Held, answer: Answer) -> JobContext | None:
        """Stop a job: someone cancelled it, or the lease is lost. Returns its context when it runs."""
        with self._changed:
            context = self._running.get(held)
            if context is not None:
                context.stop_with(JobCancelled(held[0]) if answer is Answer.CANCEL else LeaseLost(held[0]))
            elif answer is not Answer.CANCEL:
                self._ready = deque(entry for entry in self._ready if (entry[0].id, entry[0].lease) != held)
                self._drop([held])
            return context

    def running(self) -> list[JobContext]:
        """Return the contexts of what runs."""
        with self._changed:
            return list(self._running.values())

    def close(self) -> None:
        """Take no more jobs, give back those that have not begun, and send what waits."""
        with self._changed:
            self._closed = True
            self._outcomes += [_unstarted(job) for job, _ in self._ready]
            self._ready.clear()
            self._changed.notify_all()
        self.flush()

    def release_running(self) -> int:
        """Give back what still runs: the process is about to end. Returns how many jobs."""
        with self._changed:
            contexts, self._running = list(self._running.values()), {}
            self._outcomes += [_released(context) for context in contexts]
        self.flush()
        return len(contexts)

    # On the way to Redis

    def _wait_for_turn(self, until: float) -> bool:
        """Whether this thread is to fetch; else wait until something changed."""
        if self._ended() or self._ready:
            return False
        if not self._fetching:
            self._fetching = True
            return True
        pause = FLUSH_SECONDS if self._outcomes else until - time.monotonic()
        if not (self._outcomes and self._sleeping):
            self._changed.wait(max(pause, 0.0))
        return False

    def _fetch(self) -> ClaimedJob | None:
        """Go to Redis for every idle thread; sleep there when it has nothing."""
        try:
            claim = self._exchange(self._wanted())
            if not claim.jobs and not self._ended():
                due = IDLE_SECONDS if claim.next_due_ms is None else claim.next_due_ms / 1000
                self._sleep(min(IDLE_SECONDS, due))
                self._exchange(self._wanted())
        finally:
            with self._changed:
                self._fetching = False
                job = self._ready.popleft()[0] if self._ready else None
                self._changed.notify_all()
        return job

    def _sleep(self, seconds: float) -> None:
        queues = ["*", *self._storage.known_queues()] if self._queues == ("*",) else list(self._queues)
        with self._changed:
            self._sleeping = True
            self._changed.notify_all()
        try:
            self._storage.wait_for_work(queues, seconds)
        finally:
            with self._changed:
                self._sleeping = False

    def _wanted(self) -> int:
        """One job for each idle thread, this one included, and what can begin within a few milliseconds."""
        with self._changed:
            if self._ended():
                return 0
            average = self._average_seconds
            ahead = 0 if average is None else int(self._threads * AHEAD_SECONDS / max(average, 1e-6))
            return min(max(self._idle + 1, 1) + ahead, max(MAX_CLAIM, self._threads))

    def _exchange(self, count: int) -> Claim:
        """Hand in the outcomes that wait and claim ``count`` jobs, in one round trip."""
        with self._changed:
            outcomes, self._outcomes = self._outcomes, []
            turns = self._turns.next(count)
        if not outcomes and not count:
            return Claim(jobs=[], next_due_ms=None, answers=[])
        move = self._storage.store.finish_jobs(
            outcomes, self._worker, turns, count, lease_ms=self._lease_ms, slot=self._slot
        )
        try:
            self._keep_logs(outcomes)
            claim = self._storage.run_once(move)
        except BaseException:
            with self._changed:
                self._outcomes = outcomes + self._outcomes
            raise
        self._note(outcomes, claim)
        return claim

    def _keep_logs(self, outcomes: Sequence[Outcome]) -> None:
        """Send the last words of attempts, which only count as long as their job is RUNNING."""
        for outcome in outcomes:
            for start in range(0, len(outcome.logs), LINES_PER_CALL):
                lines = outcome.logs[start : start + LINES_PER_CALL]
                said = [(outcome.job_id, outcome.lease, lines)]
                self._storage.run_once(self._storage.store.append_logs(said, now=time.monotonic()))

    def _note(self, outcomes: Sequence[Outcome], claim: Claim) -> None:
        for outcome, answer in zip(outcomes, claim.answers, strict=True):
            if answer is not Answer.OK:
                logger.warning("job %s: its %s was refused, %s", outcome.job_id, outcome.ending, answer)
        now = time.monotonic()
        with self._changed:
            self._ready.extend((job, now) for job in claim.jobs)
            self._turns.took(len(claim.jobs))
            self._held.update((job.id, job.lease) for job in claim.jobs)
            self._drop([(outcome.job_id, outcome.lease) for outcome in outcomes])
            if claim.jobs and self._ended():
                self._outcomes += [_unstarted(job) for job in claim.jobs]
                self._ready.clear()

    def _ended(self) -> bool:
        return self._closed or self._stopping()

    def _drop(self, held: Sequence[Held]) -> None:
        self._held.difference_update(held)
        if self._board is not None:
            self._write_board()

    def _write_board(self) -> None:
        assert self._board is not None
        deadlines = [deadline.as_list() for deadline in self._deadlines.values()]
        self._board.write({"held": sorted(self._held), "deadlines": deadlines})

    def _flush_unlocked(self) -> None:
        self._changed.release()
        try:
            self.flush()
        finally:
            self._changed.acquire()

    # What an attempt says: see ``context.Wire``

    def report_progress(self, job: ClaimedJob, progress: str) -> Answer:
        """Send how far an attempt is."""
        (answer,) = self._storage.run_once(self._storage.store.report_progress([(job.id, job.lease, progress)]))
        return self._heed(job, answer)

    def append_logs(self, job: ClaimedJob, lines: Sequence[Said]) -> Answer:
        """Send what an attempt said."""
        move = self._storage.store.append_logs([(job.id, job.lease, lines)], now=time.monotonic())
        (answer,) = self._storage.run_once(move)
        return self._heed(job, answer)

    def save_checkpoint(self, job: ClaimedJob, data: str) -> Answer:
        """Save where an attempt is; try for some seconds."""
        return self._heed(job, self._storage.run(self._storage.store.save_checkpoint(job.id, job.lease, data)))

    def load_checkpoint(self, job: ClaimedJob) -> str | None:
        """Return what was saved of the job; try for some seconds."""
        return self._storage.load_checkpoint(job.id)

    def _heed(self, job: ClaimedJob, answer: Answer) -> Answer:
        if answer is not Answer.OK:
            self.obey((job.id, job.lease), answer)
        return answer

    def _learn(self, seconds: float) -> None:
        """A longer job counts at once, a shorter one bit by bit: fetching too far ahead costs more."""
        average = self._average_seconds
        if average is None:
            self._average_seconds = seconds
        else:
            self._average_seconds = average + (seconds - average) * (0.3 if seconds > average else 0.05)


def _unstarted(job: ClaimedJob) -> Outcome:
    return Outcome(job_id=job.id, lease=job.lease, ending=Ending.UNSTARTED)


def _released(context: JobContext) -> Outcome:
    """Return the outcome of an attempt that its worker could not let finish."""
    return Outcome(
        job_id=context.job.id,
        lease=context.job.lease,
        ending=Ending.RELEASED,
        progress=context.take_unsent_progress(),
        logs=context.logs.take(),
    )
