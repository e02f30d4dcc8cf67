"""One attempt at a job, as a pipeline that can be read aloud.

    begin -> load its arguments -> ask the hooks -> run it -> judge -> tell the hooks -> report -> signal

Knows what ends an attempt how; not how outcomes reach Redis.
"""

import logging
import random
import threading
import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import huey
from huey import signals
from huey.exceptions import CancelExecution, TaskTimeout

from taskengine.errors import (
    Fail,
    InvalidInput,
    JobCancelled,
    LeaseLost,
    Retry,
    Snooze,
    UnreadableSecret,
    UnusableResult,
)
from taskengine.failures import place_of
from taskengine.jobs import JobError
from taskengine.masks import NO_MASK, Mask
from taskengine.pipelines import next_calls
from taskengine.records import ClaimedJob, dumps, error_json, ms_of, printable
from taskengine.redaction import joined, opened
from taskengine.store import Ending, Outcome
from taskengine.worker import context as contexts
from taskengine.worker import loop as loops
from taskengine.worker.context import JobContext, Released
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.guard import Guard, masking_ends
from taskengine.worker.huey_errors import least_seconds, signal_of, signals_of_snooze, snooze_of
from taskengine.worker.interrupts import LoopGate, SignalGate, ThreadGate
from taskengine.worker.timeouts import Deadline, alarm, timed_out

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.in_place import InPlace
    from taskengine.task import JobTask

logger = logging.getLogger("taskengine.worker")

MAX_ERROR_MESSAGE = 2_000
MAX_TRACEBACK = 20_000
"""Characters kept of a traceback: the beginning and, which says more, the end."""
_NOT_THE_TASKS_CODE = (str(Path(__file__).parent), str(Path(huey.__file__).parent))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an attempt came to. Without ``ending`` it is no longer ours to say."""

    ending: Ending | None
    result: Any = None
    result_json: str = ""
    calls: str = ""
    """What follows, as ``Outcome`` has it."""
    exception: BaseException | None = None
    error: JobError | None = None
    retry_ms: int | None = None
    snooze: Snooze | None = None


def execute(engine: "TaskEngine", dispatcher: "Dispatcher | InPlace", task: "JobTask") -> Any:
    """Run one claimed job to the end of this attempt; return its result. Raises nothing that the task raised."""
    with masking_ends():
        return _execute(engine, dispatcher, task)


def _execute(engine: "TaskEngine", dispatcher: "Dispatcher | InPlace", task: "JobTask") -> Any:
    context = dispatcher.begin(task.job)
    verdict = _attempt(engine, dispatcher, context, task)
    if verdict.ending in (Ending.COMPLETED, Ending.FAILED, Ending.TIMED_OUT):
        engine._run_post_execute(task, verdict.result, verdict.exception)
    dispatcher.finish(context, _outcome(context, verdict), now=engine.has_receivers)
    _tell(engine, task, verdict)
    return verdict.result


def _attempt(engine: "TaskEngine", dispatcher: "Dispatcher | InPlace", context: JobContext, task: "JobTask") -> Verdict:
    token = contexts.enter(context)
    engine._tasks_in_flight.add(task)
    try:
        task.kwargs = _arguments(engine, context, task)
        if not _has_place(engine, context, task):
            return Verdict(ending=None)
        engine._emit(signals.SIGNAL_EXECUTING, task)
        engine._run_pre_execute(task)
        context.check()
        result = _run(dispatcher, context, task)
        kept = _result_json(engine, task, result)
        calls = next_calls(engine, task, context.job.then, result) if context.job.then else ""
        return Verdict(ending=Ending.COMPLETED, result=result, result_json=kept, calls=calls)
    except BaseException as error:  # noqa: BLE001 - every way out of a task ends its attempt, SystemExit too
        return _judge(context, task, error)
    finally:
        engine._tasks_in_flight.discard(task)
        contexts.leave(token)


def _arguments(engine: "TaskEngine", context: JobContext, task: "JobTask") -> dict[str, Any]:
    """Return what the task gets, and let nothing of its secrets out from now on."""
    job, signature = context.job, task.signature
    if not (job.secrets or signature.redaction.parameters):
        return signature.load(job.args)
    values = [value for _, value in opened(job.secrets, engine.keyring)]
    context.keep(Guard(Mask(values), engine.keyring))
    arguments = signature.load(joined(job.args, job.secrets, engine.keyring))
    context.keep(Guard(signature.mask(values, arguments), engine.keyring))
    return arguments


def _has_place(engine: "TaskEngine", context: JobContext, task: "JobTask") -> bool:
    """Whether the job's concurrency key has a place, when whoever enqueued it could not know the key."""
    if task.concurrency_key is None or context.job.key or engine.immediate:
        return True
    key = engine.tasks[context.job.task].key_of(task.kwargs, context.guard.mask)
    storage = engine.job_storage
    return storage.run(storage.store.assign_key(context.job.id, context.job.lease, key))


def _run(dispatcher: "Dispatcher | InPlace", context: JobContext, task: "JobTask") -> Any:
    """Call the task's own code, in a way that it can be interrupted."""
    seconds = task.timeout or None
    task._deadline = None if seconds is None else time.monotonic() + seconds  # for task.check_timeout()
    if seconds is not None:
        dispatcher.note_deadline(context, seconds, _retry_ms(task, context.job, timed_out(seconds)))
    try:
        if task.is_async:
            context.gate = gate = LoopGate(loops.loop())
            return loops.run(gate, task.execute, seconds, lambda: context.expire(seconds or 0.0))
        if threading.current_thread() is threading.main_thread():
            context.gate = gate = SignalGate()
            with alarm(seconds, lambda: context.expire(seconds or 0.0)):
                return gate.run(task.execute)
        context.gate = gate = ThreadGate()
        if seconds is not None:
            context.expire_after(seconds)
        return gate.run(task.execute)
    finally:
        context.gate = None


def _result_json(engine: "TaskEngine", task: "JobTask", result: Any) -> str:
    text = task.signature.dump_result(result)
    limit, size = engine.settings.max_result_bytes, len(text.encode())
    if size > limit:
        raise UnusableResult(task.name, f"expected at most {limit:,} bytes of JSON, got {size:,}")
    return text


def _judge(context: JobContext, task: "JobTask", error: BaseException) -> Verdict:
    """Say what an exception means for the attempt."""
    stopped = context.stopped
    if isinstance(error, LeaseLost):
        logger.warning("job %s: its lease was lost while it ran; someone else has it now", context.job.id)
        return Verdict(ending=None, exception=error)
    if isinstance(error, (Released, KeyboardInterrupt)) or isinstance(stopped, Released):
        return Verdict(ending=Ending.RELEASED, exception=error)
    if isinstance(error, JobCancelled) or isinstance(stopped, JobCancelled):
        return Verdict(ending=Ending.CANCELLED, exception=error)
    try:
        snooze = error if isinstance(error, Snooze) else snooze_of(error, _put_off_seconds(task, context.job))
    except InvalidInput as problem:  # it names no time to come back at: that is how the attempt failed
        error, snooze = problem, None
    if snooze is not None:
        return Verdict(ending=Ending.SNOOZED, exception=error, snooze=snooze)
    if isinstance(error, CancelExecution):
        return Verdict(ending=Ending.CANCELLED, exception=error)
    retry_ms = _retry_ms(task, context.job, error)
    return Verdict(
        ending=Ending.TIMED_OUT if isinstance(error, TaskTimeout) else Ending.FAILED,
        exception=error,
        error=_describe(error, retryable=retry_ms is not None, mask=context.guard.mask),
        retry_ms=retry_ms,
    )


def _retry_ms(task: "JobTask", job: ClaimedJob, error: BaseException) -> int | None:
    """Return after how long an error lets the task be tried again; ``None`` when it does not."""
    if isinstance(error, Retry) and error.after is not None:
        return round(error.after * 1000)
    if not _is_retryable(task, error):
        return None
    return round(max(_backoff_seconds(task, job), least_seconds(error)) * 1000)


def _backoff_seconds(task: "JobTask", job: ClaimedJob) -> float:
    return (job.backoff or task.backoff).delay_seconds(job.attempt, random.random())


def _put_off_seconds(task: "JobTask", job: ClaimedJob) -> float:
    """Return for how long Huey's ``RetryTask`` puts a job off that names no time: not at all, unless it was stated."""
    return 0.0 if job.backoff is None and task.stated_backoff is None else _backoff_seconds(task, job)


def _is_retryable(task: "JobTask", error: BaseException) -> bool:
    """What cannot come out otherwise the next time is not tried again, and the task has its say."""
    if isinstance(error, (Fail, Retry)):
        return isinstance(error, Retry)
    if isinstance(error, (UnusableResult, InvalidInput, UnreadableSecret, *task.fail_on)):
        return False
    return isinstance(error, (*task.retry_on, TaskTimeout, SystemExit))


def overrun(deadline: Deadline) -> Outcome:
    """Return the outcome of an attempt that its time did not stop: another process tells it, and ends this one."""
    error = TaskTimeout(f"{timed_out(deadline.seconds)}; it did not stop, so its process was killed")
    return Outcome(
        job_id=deadline.job_id,
        lease=deadline.lease,
        ending=Ending.TIMED_OUT,
        value=error_json(_describe(error, retryable=deadline.retry_ms is not None)),
        retry_ms=deadline.retry_ms,
    )


def _describe(error: BaseException, *, retryable: bool, mask: Mask = NO_MASK) -> JobError:
    """Word an error without secrets: those are taken out first, since what is cut may leave half of one."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    frames = _without_own_frames(error.__traceback__)
    text = mask("".join(traceback.format_exception(kind, error, frames)))
    if len(text) > MAX_TRACEBACK:
        text = text[: MAX_TRACEBACK // 4] + "\n  ...\n" + text[-MAX_TRACEBACK * 3 // 4 :]
    message = printable(mask(_message(error))[:MAX_ERROR_MESSAGE])
    place = place_of(frames)
    return JobError(
        exception=name,
        message=message,
        retryable=retryable,
        traceback=printable(text),
        place=None if place is None else printable(place),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:  # noqa: BLE001 - an exception of someone's task may be unable to word itself
        return f"(its message could not be had: {type(worse).__name__})"


def _without_own_frames(frames: TracebackType | None) -> TracebackType | None:
    """Begin a traceback where the task's own code begins; all of it when it never does."""
    frame = frames
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_NOT_THE_TASKS_CODE):
        frame = frame.tb_next
    return frame or frames


def _outcome(context: JobContext, verdict: Verdict) -> Outcome | None:
    if verdict.ending is None:
        return None
    error, snooze = verdict.error, verdict.snooze
    outcome = Outcome(
        job_id=context.job.id,
        lease=context.job.lease,
        ending=verdict.ending,
        value=verdict.result_json if error is None else error_json(error),
        traceback="" if error is None or error.traceback is None else dumps(error.traceback),
        retry_ms=verdict.retry_ms,
        progress=context.take_unsent_progress(),
        logs=context.logs.take(),
        calls=verdict.calls,
    )
    return outcome if snooze is None else replace(outcome, **_snoozed(snooze, context.guard.mask))


def _snoozed(snooze: Snooze, mask: Mask) -> dict[str, Any]:
    """Return when the job is to run again and why, as its outcome says it."""
    words = printable(mask(_message(snooze))[:MAX_ERROR_MESSAGE])
    if snooze.until is not None:
        return {"value": words, "run_at_ms": ms_of(snooze.until)}
    return {"value": words, "retry_ms": round((snooze.after or 0.0) * 1000)}


def _tell(engine: "TaskEngine", task: "JobTask", verdict: Verdict) -> None:
    """Log, and send Huey's signals. The record is already written: signals are news, not the truth."""
    job = task.job
    emit = engine._emit
    if verdict.ending is Ending.COMPLETED:
        logger.debug("job %s (%s) completed", job.id, job.task)
        emit(signals.SIGNAL_COMPLETE, task)
    elif verdict.ending is Ending.CANCELLED:
        logger.info("job %s (%s) was cancelled while it ran", job.id, job.task)
        emit(signals.SIGNAL_CANCELED, task)
    elif verdict.ending is Ending.RELEASED:
        logger.info("job %s (%s) was given back", job.id, job.task)
        emit(signals.SIGNAL_INTERRUPTED, task)
    elif verdict.ending is Ending.SNOOZED:
        logger.info("job %s (%s) does not want to run yet", job.id, job.task)
        later = verdict.snooze is None or verdict.snooze.until is not None or bool(verdict.snooze.after)
        for name in (*signals_of_snooze(verdict.exception), _waits(later=later)):
            emit(name, task)
    elif verdict.error is not None:
        again = verdict.retry_ms is not None and job.attempt < job.max_attempts
        logger.warning(
            "job %s (%s) failed, attempt %d of %d%s: %s: %s",
            job.id,
            job.task,
            job.attempt,
            job.max_attempts,
            ", to be tried again" if again else "",
            verdict.error.exception,
            verdict.error.message.splitlines()[0] if verdict.error.message else "",
        )
        special = signals.SIGNAL_TIMEOUT if verdict.ending is Ending.TIMED_OUT else signal_of(verdict.exception)
        emit(special or signals.SIGNAL_ERROR, task, *([] if special else [verdict.exception]))
        if again:
            emit(signals.SIGNAL_RETRYING, task)
            emit(_waits(later=bool(verdict.retry_ms)), task)


def _waits(*, later: bool) -> str:
    """Return Huey's signal of a job that runs once more."""
    return signals.SIGNAL_SCHEDULED if later else signals.SIGNAL_ENQUEUED
