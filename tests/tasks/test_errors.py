"""Errors carry facts, word them, and survive the way to another process."""

import pickle
from typing import Any

import pytest

from taskengine import errors
from taskengine.errors import (
    ApiKeyNotFound,
    BulkNotFound,
    Fail,
    IllegalMove,
    InvalidInput,
    InvalidInputs,
    InvalidSetting,
    InvalidTask,
    JobCancelled,
    JobNotFound,
    LeaseLost,
    QueueFull,
    RedisUnavailable,
    Retry,
    ScheduleDeclared,
    ScheduleNotFound,
    Snooze,
    TaskEngineError,
    TooLarge,
    UnknownDependency,
    UnknownTask,
    UnreadableSecret,
    UnusableResult,
    WorkerLost,
    WorkerNotFound,
    WorkerOffline,
    did_you_mean,
)
from taskengine.events import SlowSubscriber

WORDED: list[tuple[TaskEngineError, str]] = [
    (InvalidInput(("args", "to"), "is required"), "args.to: is required"),
    (InvalidInput((), "is empty"), "is empty"),
    (InvalidInputs([InvalidInput(("a",), "x"), InvalidInput(("b",), "y")]), "a: x; b: y"),
    (UnknownTask("mail.sent", ["mail.send"]), "task: there is no task 'mail.sent'; did you mean 'mail.send'?"),
    (UnknownTask("report"), "task: there is no task 'report'"),
    (TooLarge(("args",), 1_048_576, 262_144), "args: expected at most 262,144 bytes of JSON, got 1,048,576"),
    (
        UnknownDependency(3, "j1"),
        "options.dependsOn: there is no job 'j1' to wait for; it may have been removed by retention",
    ),
    (QueueFull("Redis holds 2 GiB"), "nothing more is taken in: Redis holds 2 GiB"),
    (InvalidSetting("TASKENGINE_X", "is not a setting"), "TASKENGINE_X is not a setting"),
    (InvalidTask("send", "is odd", "to"), "task 'send', parameter 'to': is odd"),
    (InvalidTask("send", "is odd"), "task 'send': is odd"),
    (JobNotFound("j1"), "there is no job 'j1'; it may have been deleted or removed by retention"),
    (IllegalMove("j1", "COMPLETED", "CANCELLED"), "job 'j1' is COMPLETED, so it cannot become CANCELLED"),
    (IllegalMove("j1", "RUNNING", "CANCELLED"), "job 'j1' is RUNNING; ask to terminate it as well to stop it"),
    (IllegalMove("j1", "RUNNING", "DELETED"), "job 'j1' is RUNNING, so it cannot be deleted; cancel it first"),
    (ScheduleNotFound("nightly"), "there is no schedule 'nightly'"),
    (ApiKeyNotFound("ci"), "there is no key 'ci'"),
    (
        ScheduleDeclared("nightly"),
        "schedule 'nightly' is declared in code; disable it, or remove it from the code first",
    ),
    (BulkNotFound("b1"), "there is no bulk operation 'b1'; it is forgotten a week after its end"),
    (WorkerNotFound("w1"), "there is no worker 'w1'; it may have left"),
    (WorkerOffline("w1", 61.2), "worker 'w1' is offline: it was last heard of 61 s ago"),
    (LeaseLost("j1"), "this attempt no longer holds the lease of job 'j1'; nothing was written"),
    (UnusableResult("send", "it is odd"), "the result of task 'send' cannot be kept: it is odd"),
    (UnreadableSecret("no key"), "the secret cannot be read: no key"),
    (UnreadableSecret("no key", "card.number"), "the secret argument 'card.number' cannot be read: no key"),
    (WorkerLost("j1", 3), "the worker of job 'j1' died under it 3 times"),
    (JobCancelled("j1"), "job 'j1' was asked to stop"),
    (Fail("there is no such customer"), "there is no such customer"),
    (Retry("busy", after=30), "busy"),
    (Snooze("not before nine", after=60), "not before nine"),
    (RedisUnavailable("Redis does not answer"), "Redis does not answer"),
    (SlowSubscriber("5-1"), "more than 1000 events wait for this subscriber; go on after '5-1'"),
]


@pytest.mark.parametrize(("error", "words"), WORDED, ids=lambda value: type(value).__name__)
def test_an_error_words_its_facts(error: TaskEngineError, words: str) -> None:
    assert str(error) == words


@pytest.mark.parametrize("error", [error for error, _ in WORDED], ids=lambda value: type(value).__name__)
def test_an_error_survives_pickling(error: TaskEngineError) -> None:
    again: Any = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again).keys() == vars(error).keys()


def test_every_error_is_worded_here() -> None:
    kinds = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert kinds - {type(error) for error, _ in WORDED} == {TaskEngineError}


def test_every_error_is_drawn_in_the_tree() -> None:
    kinds = [value.__name__ for value in vars(errors).values() if isinstance(value, type)]
    assert [name for name in kinds if issubclass(getattr(errors, name), Exception) and name not in errors.__doc__] == []


def test_a_near_name_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("mail.sned", ["mail.send", "report"]) == "; did you mean 'mail.send'?"
    assert did_you_mean("backup", ["mail.send", "report"]) == ""
