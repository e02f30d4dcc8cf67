"""Huey's consumer on leases: heartbeats, dead children's jobs, and a stop that loses nothing.

Its main thread beats the heart; in process mode it has no other thread, so
that forking a child is safe at any time.
"""

import logging
import math
import os
import signal
import time
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from huey.consumer import Consumer, ConsumerStopped, Environment, Worker, WorkerRecycle

from taskengine.catalogue import describe
from taskengine.errors import RedisUnavailable
from taskengine.store import Answer, Ending, Outcome
from taskengine.worker import context as contexts
from taskengine.worker.context import Released
from taskengine.worker.declaring import register_schedules
from taskengine.worker.dispatch import Dispatcher, Held
from taskengine.worker.execution import overrun
from taskengine.worker.facts import WorkerFacts, worker_name
from taskengine.worker.logs import Add, keeping_logs
from taskengine.worker.processes import KILL_SECONDS, JobProcessEnvironment, Slot, on_stop_signal, tend_forever
from taskengine.worker.queue_choice import QueueChoice
from taskengine.worker.timeouts import Deadline
from taskengine.worker.usage import UsageMeter

if TYPE_CHECKING:
    from huey.consumer import Runner  # of our stubs: what threads and processes have in common

    from taskengine.engine import TaskEngine

logger = logging.getLogger("taskengine.worker")

BEAT_SECONDS = 1.0
"""The longest time between heartbeats; a short lease has shorter ones. Also how soon a cancel is heard."""
_PAUSE_SECONDS = 0.5
_TICK_SECONDS = 0.05


class JobWorker(Worker):
    """A thread or child process that runs jobs."""

    huey: "TaskEngine"
    consumer: "JobConsumer"
    slot: Slot | None = None
    _away = False

    def initialize(self) -> None:
        """Called first in the thread or child."""
        if self.slot is not None:
            slot, parent = self.slot, self.consumer.pid
            dispatcher = self.consumer.new_dispatcher(threads=1, slot=slot)
            self.huey.dispatcher = dispatcher
            on_stop_signal(lambda: slot.obey(dispatcher))
            tend_forever(dispatcher, parent)
        super().initialize()

    def loop(self, now: Any = None) -> None:
        """Run one job, or wait for one. When Redis is away, say so once and try again every half second."""
        try:
            task = self.huey.dequeue()
        except RedisUnavailable as problem:
            if not self._away:
                logger.warning("waiting for Redis: %s", problem)
            self._away = True
            self.stop_flag.wait(_PAUSE_SECONDS)
            return
        if self._away:
            logger.warning("Redis is back")
        self._away = False
        if task is not None:
            self.huey.execute(task, now)
            self.task_count += 1
            if self.max_tasks and self.task_count >= self.max_tasks:
                raise WorkerRecycle  # the health check starts another in its place

    def shutdown(self) -> None:
        """Called last in the thread or child."""
        dispatcher = self.huey.dispatcher
        if dispatcher is not None:
            # A child is alone with its dispatcher; threads share theirs, and the last flush counts.
            (dispatcher.flush if self.slot is None else dispatcher.close)()
        super().shutdown()


class JobConsumer(Consumer):
    """A worker: some threads or child processes under one name."""

    worker_class = JobWorker
    huey: "TaskEngine"

    def __init__(self, huey: "TaskEngine", *, queues: QueueChoice | None = None, **options: Any) -> None:
        """``queues``: those it serves, all by default. Further options are Huey's."""
        self._queues = queues or QueueChoice()
        self._lease_ms = round(huey.settings.lease_seconds * 1000)
        self._beat_seconds = min(BEAT_SECONDS, huey.settings.lease_seconds / 3)
        self._next_beat = 0.0
        self._deaf = False
        self._stopping = False
        self._hurried = False
        self._drained = False
        self._stop_by = math.inf
        """By when what runs is to have ended once we stop, by ``time.monotonic()``; drained from afar, it has time."""
        self._published: tuple[str, ...] = ()
        """Tasks and schedules that Redis was told of. Code may declare more while it runs, as with Huey."""
        self._usage = UsageMeter()
        self._slot_numbers = count(1)
        self.pid = os.getpid()
        """For children: they ask after the fork whether this process still lives, when it may be dead already."""
        options.setdefault("worker_type", "thread")
        self.facts = WorkerFacts(
            name=worker_name(),
            queues=self._queues.names,
            concurrency=options.get("workers", 1),
            mode=options["worker_type"],
        )
        super().__init__(
            huey,
            periodic=False,
            health_check_interval=1,
            shutdown_timeout=huey.settings.grace_seconds,
            graceful_signal="TERM",
            **options,
        )
        self._stop_flag_timeout = _TICK_SECONDS
        self._signal_actions = dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), (False, True))
        if not self.environment.forks:
            huey.dispatcher = self.new_dispatcher(threads=self.workers)

    def new_dispatcher(self, *, threads: int, slot: Slot | None = None) -> Dispatcher:
        """Return a dispatcher for this process."""
        return Dispatcher(
            self.huey.job_storage,
            worker=self.facts.name,
            queues=self._queues,
            threads=threads,
            lease_ms=self._lease_ms,
            slot=slot.name if slot else "",
            board=slot.held_board if slot else None,
            stopping=self.stop_flag.is_set,
        )

    def get_environment(self, worker_type: str) -> Environment:
        """Huey's way to choose threads or processes."""
        if worker_type == "process":
            return JobProcessEnvironment(signal.SIGTERM, signal.SIGINT, parent=self.pid)
        return super().get_environment(worker_type)

    def _create_worker(self) -> JobWorker:
        worker = cast("JobWorker", super()._create_worker())
        worker.consumer = self
        worker.slot = Slot(next(self._slot_numbers)) if self.environment.forks else None
        return worker

    # Life

    def start(self) -> None:
        """Register, then start the threads or children. A signal is heard from the beginning."""
        self._set_signal_handlers()
        self._register()
        super().start()

    def run(self) -> None:
        """Run until told to stop, then take this worker off the list."""
        try:
            with keeping_logs(keeper):
                super().run()
        except KeyboardInterrupt:
            self._interrupt_workers()
        try:
            self.huey.job_storage.run_once(self.huey.job_storage.store.forget_workers(self.facts.name))
        except RedisUnavailable as problem:
            logger.warning("this worker stays on the list until its heartbeat is old: %s", problem)

    def loop(self, health_check_ts: float | None = None) -> float | None:
        """One turn of the main thread."""
        self._tend()
        if self._drained:
            self.stop(graceful=True)
            raise ConsumerStopped
        return super().loop(health_check_ts)

    def check_worker_health(self) -> bool:
        """Let Huey replace dead children, then give back the jobs of those that it replaced."""
        before = self.worker_threads
        healthy = super().check_worker_health()
        for worker, process in before:  # those that Huey replaced: one may have died since any look of ours
            if worker.slot is not None and (worker, process) not in self.worker_threads:
                self._surrender(worker.slot, process)
        return healthy

    def stop(self, graceful: bool = False) -> None:
        """Stop claiming; let what runs finish within the grace time; give back the rest.

        When someone asked to drain, there is no such time until a signal comes.
        """
        self._stopping = True
        self._stop_by = math.inf if self._drained else self._grace_ends()
        if self._hurried:  # by a signal that came just before, or between these lines
            self._stop_by = self._grace_ends()
        self.facts.draining = True
        self._next_beat = 0.0  # others are to see it at once
        if self.huey.dispatcher is not None:
            self.stop_flag.set()
            self.huey.dispatcher.close()
        super().stop(graceful)

    def _handle_signal(self, signum: int, frame: FrameType | None) -> None:
        self._hurried = True
        if self._stopping and self._stop_by == math.inf:
            self._stop_by = self._grace_ends()  # it drains, and is now in a hurry
            return
        if self._stopping:
            raise KeyboardInterrupt  # a second signal: do not wait for what runs
        super()._handle_signal(signum, frame)
        signal.signal(signum, self._handle_signal)

    def _grace_ends(self) -> float:
        return time.monotonic() + self.huey.settings.grace_seconds

    def _join_workers(self) -> bool:
        processes = [process for _, process in self.worker_threads] + [self.scheduler]
        while time.monotonic() < self._stop_by:
            self._tend()
            alive = [process for process in processes if self.environment.is_alive(process)]
            if not alive:
                return True
            alive[0].join(_TICK_SECONDS)
        return not any(self.environment.is_alive(process) for process in processes)

    def _interrupt_workers(self) -> None:
        """The grace time is over: what runs goes back to its queue."""
        if self.huey.dispatcher is not None and not self.environment.forks:
            self._interrupt_threads(self.huey.dispatcher)
            return
        children = self._children()
        for slot, process in children:
            slot.order(process.pid, [], release=True)
        deadline = time.monotonic() + KILL_SECONDS
        for slot, process in children:
            process.join(max(deadline - time.monotonic(), 0.0))
            if process.is_alive():
                process.kill()
                process.join()
                self._release(slot.held())

    def _interrupt_threads(self, dispatcher: Dispatcher) -> None:
        """Let tasks that can be interrupted clean up behind themselves; then give back what runs all the same."""
        for context in dispatcher.running():
            context.stop_with(Released())
            context.interrupt()
        deadline = time.monotonic() + KILL_SECONDS
        while dispatcher.running() and time.monotonic() < deadline:
            time.sleep(_TICK_SECONDS)
            dispatcher.tend()
        dispatcher.flush()
        dispatcher.release_running()

    # Heart

    def _tend(self) -> None:
        if self.huey.dispatcher is not None and not self.environment.forks:
            self.huey.dispatcher.tend()
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + self._beat_seconds
            try:
                self._end_the_deaf()
                self._beat()
                self._deaf = False
            except RedisUnavailable as problem:
                if not self._deaf:
                    logger.warning("no heartbeat reaches Redis: %s", problem)
                self._deaf = True

    def _beat(self) -> None:
        storage = self.huey.job_storage
        held = self._held()
        pairs = list(held)
        usage = self._usage.measure(process.pid for _, process in self._children())
        facts = self.facts.as_json([job_id for job_id, _ in pairs], usage)
        heard = storage.run_once(storage.store.renew_leases(self.facts.name, pairs, facts, lease_ms=self._lease_ms))
        if not heard.registered or self._published != self._declared():
            self._register()
        for pair, answer in zip(pairs, heard.answers, strict=True):
            if answer is not Answer.OK:
                self._obey(pair, answer, held[pair])
        if heard.drained_by is not None and not self._stopping:
            by = f" by {heard.drained_by}" if heard.drained_by else ""
            logger.info("asked to drain%s: nothing new is taken, and this worker ends with its last job", by)
            self._drained = True

    def _end_the_deaf(self) -> None:
        """Kill children that did not stop a job when its time was over or they were told to; tell what became of it."""
        for slot, process in self._children():
            late = slot.overdue(time.monotonic())
            if not late:
                continue
            pairs = [pair for pair, _ in late]
            outcomes = [self._outcome_of_the_deaf(pair, deadline) for pair, deadline in late]
            others = [pair for pair in slot.held() if pair not in pairs]
            self._tell([*outcomes, *(_released(pair, "its process was killed") for pair in others)])
            if set(pairs) & set(slot.held()):
                logger.warning(
                    "child %s did not stop %s and is killed", process.pid, ", ".join(one for one, _ in pairs)
                )
                process.kill()

    def _outcome_of_the_deaf(self, pair: Held, deadline: Deadline | None) -> Outcome:
        if deadline is not None:
            return overrun(deadline)
        return Outcome(job_id=pair[0], lease=pair[1], ending=Ending.CANCELLED)

    def _held(self) -> "dict[Held, tuple[Slot, Runner] | None]":
        """What this worker holds, and which child holds it."""
        if not self.environment.forks:
            return dict.fromkeys(self.huey.dispatcher.held() if self.huey.dispatcher else [])
        return {pair: (slot, process) for slot, process in self._children() for pair in slot.held()}

    def _children(self, *, alive: bool = True) -> "list[tuple[Slot, Runner]]":
        """The child processes that live, or those that died; none in thread mode."""
        return [
            (worker.slot, process)
            for worker, process in self.worker_threads
            if worker.slot is not None and process.is_alive() == alive
        ]

    def _obey(self, pair: Held, answer: Answer, child: "tuple[Slot, Runner] | None") -> None:
        if child is None:
            if self.huey.dispatcher is not None:
                self.huey.dispatcher.obey(pair, answer)
        else:
            slot, process = child
            slot.order(process.pid, [(pair, answer)])

    def _declared(self) -> tuple[str, ...]:
        return (*self.huey.tasks, "", *self.huey.schedules)

    def _register(self) -> None:
        declared = self._declared()
        tasks = {name: describe(task.info_once) for name, task in list(self.huey.tasks.items())}
        storage = self.huey.job_storage
        storage.run_once(storage.store.register_worker(self.facts.name, self.facts.as_json([]), tasks))
        keyed = {
            name: task.task_class.concurrency_per_key
            for name, task in list(self.huey.tasks.items())
            if task.task_class.concurrency_key is not None
        }
        if keyed:
            storage.run_once(storage.store.declare_key_limits(keyed))
        register_schedules(self.huey, self.facts.name)
        self._published = declared

    def _surrender(self, slot: Slot, process: "Runner") -> None:
        storage = self.huey.job_storage
        try:
            held = storage.run_once(storage.store.surrender_jobs(self.facts.name, slot.name))
            level = logging.WARNING if process.exitcode or held else logging.INFO  # else it ended in order
            logger.log(level, "child %s ended (exit code %s) holding %d jobs", process.pid, process.exitcode, held)
            losses = self.huey.settings.max_worker_losses
            storage.run_once(storage.store.rescue_jobs(max_losses=losses, limit=max(held, 1)))
        except RedisUnavailable as problem:
            logger.warning("child %s died; its jobs are given back when their leases run out: %s", process.pid, problem)

    def _release(self, held: list[Held]) -> None:
        if not held:
            return
        try:
            self._tell([_released(pair) for pair in held])
        except RedisUnavailable as problem:
            logger.warning("what still ran is given back when its lease runs out: %s", problem)

    def _tell(self, outcomes: list[Outcome]) -> None:
        storage = self.huey.job_storage
        move = storage.store.finish_jobs(outcomes, self.facts.name, "*", 0, lease_ms=self._lease_ms)
        storage.run_once(move)


def _released(pair: Held, reason: str = "") -> Outcome:
    return Outcome(job_id=pair[0], lease=pair[1], ending=Ending.RELEASED, value=reason and f"released: {reason}")


def keeper() -> Add | None:
    """Where the job that runs here keeps its log."""
    context = contexts.current()
    return None if context is None else context.log
