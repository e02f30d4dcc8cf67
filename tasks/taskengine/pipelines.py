"""Huey's ``then``, ``error``, ``group`` and ``chord``, such that no crash falls between a job's end and what follows.

A call that follows is kept with the job before it. The worker that ran the job
puts the result in and hands the call over with the outcome: both are one move
in Redis. Handlers of errors and reports to chords need no worker: the move that
ends a job, whatever ends it, makes them (``lua/fragments/follow_ups.lua``).
"""

import copy
import json
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from huey.api import chord as HueyChord  # noqa: N812 - their classes have small names
from huey.api import group as HueyGroup  # noqa: N812
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from taskengine.errors import InvalidInput, UnusableResult
from taskengine.jobs import Options
from taskengine.records import call_of, dumps, with_fields
from taskengine.redaction import Parted
from taskengine.reencryption.sealed import Turn
from taskengine.results import ChordResult, Result, ResultGroup
from taskengine.scripts import Value
from taskengine.secrets import REVEAL, of_secret

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.task import JobTask

Row = list[Value]
Report = dict[str, str]
"""Which chord a job reports to: ``chord``, ``number``, and ``later`` when it does so only if it does not complete."""

MAX_MEMBERS = 10_000
_KEEP_MS = 30 * 86_400_000
"""A chord is forgotten when none of its members reports for so long."""
_OPTIONS = TypeAdapter(Options)


def enqueue(engine: "TaskEngine", what: Any) -> Any:
    """Enqueue a call, pipeline, group or chord; return its ``Result``, ``ResultGroup`` or ``ChordResult``."""
    if isinstance(what, HueyGroup):
        return ResultGroup([enqueue(engine, task) for task in what.tasks])
    if isinstance(what, HueyChord):
        return _enqueue_chord(engine, what, {})
    engine.submit([row_of_call(engine, what)], engine.tasks[what.name])
    results = _results(engine, what)
    return results[0] if len(results) == 1 else ResultGroup(results)


def row_of_call(engine: "TaskEngine", task: "JobTask", report: Report | None = None) -> Row:
    """Return the row of a call with all that follows it."""
    links = _links(task)
    row = engine.tasks[task.name].row(task.args, task.kwargs, task.chosen(engine))
    later = [_spec(engine, link, report or {}, last=link is links[-1]) for link in links[1:]]
    fields = {"then": dumps(later)} if later else {}
    return with_fields(row, fields | _follows(engine, task, report or {}, last=len(links) == 1))


def next_calls(engine: "TaskEngine", task: "JobTask", then: str, result: Any) -> str:
    """Return the calls that follow a job that returned ``result``, for its outcome; raise ``UnusableResult``."""
    if engine.keyring.encrypts:
        # The job may hold them since before the first key was changed.
        then = Turn(engine.keyring).field("then", then)
    spec, *later = json.loads(then)
    wrapper = engine.tasks.get(spec["task"])
    if wrapper is None:
        raise UnusableResult(task.name, f"this worker does not know {spec['task']!r}, which follows")
    args, kwargs = _opened(engine, spec)
    call = wrapper.task_class(tuple(args), kwargs)
    call.extend_data(result)
    try:
        row = wrapper.row(call.args, call.kwargs, _OPTIONS.validate_python(spec["options"]))
    except InvalidInput as problem:
        raise UnusableResult(task.name, f"{spec['task']}, which follows, refuses it: {problem}") from None
    fields = spec["fields"] | ({"then": dumps(later)} if later else {})
    return dumps([call_of(with_fields(row, fields))])


def _links(task: "JobTask") -> "list[JobTask]":
    links = [task]
    while links[-1].on_complete is not None:
        links.append(links[-1].on_complete)  # pyright: ignore[reportArgumentType]
    return links


def _results(engine: "TaskEngine", task: "JobTask", *, later: bool = False) -> list[Result[Any]]:
    results: list[Result[Any]] = []
    for link in _links(task):
        after = results[-1] if results else None
        results.append(Result(engine, link.id, type(link).signature, after=after, later=later and after is None))
    return results


def _spec(engine: "TaskEngine", task: "JobTask", report: Report, *, last: bool) -> dict[str, Any]:
    """Return a call that waits for the result of the one before it."""
    options = task.chosen(engine)
    return {
        "task": task.name,
        **_sealed(engine, task),
        "options": {k: v for k, v in _OPTIONS.dump_python(options, mode="json").items() if v not in (None, [])},
        "fields": _follows(engine, task, report, last=last),
    }


def _sealed(engine: "TaskEngine", task: "JobTask") -> dict[str, Any]:
    """Return the arguments of a call that waits; nobody is shown them, but who reads Redis may not know secrets."""
    args, kwargs = _plain(task.args), _plain(task.kwargs)
    if not type(task).signature.redaction.parameters:
        return {"args": args, "kwargs": kwargs}
    return {"sealed": engine.keyring.seal(dumps([args, kwargs]))}


def _opened(engine: "TaskEngine", spec: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    if "sealed" not in spec:
        return spec["args"], spec["kwargs"]
    args, kwargs = json.loads(engine.keyring.open(*spec["sealed"]))
    return args, kwargs


def _follows(engine: "TaskEngine", task: "JobTask", report: Report, *, last: bool) -> dict[str, str]:
    """Return the field of a record that says what happens when the job ends."""
    follows: dict[str, Any] = {**report} if last or not report else {**report, "later": "1"}
    if task.on_error is not None:
        follows["error"] = _call_with_gap(engine, task.on_error)  # pyright: ignore[reportArgumentType]
    return {"follows": dumps(follows)} if follows else {}


def _call_with_gap(engine: "TaskEngine", task: "JobTask", report: Report | None = None) -> list[str]:
    """Return a call whose next positional argument is still to come."""
    wrapper = engine.tasks[task.name]
    marker = secrets.token_hex(16)
    signature = wrapper.task_class.signature
    given = signature.by_name([*task.args, marker])
    (gap,) = (name for name, value in given.items() if value == marker)
    if gap in signature.redaction.parameters:
        problem = f"is secret, and what {task.name} gets there comes from Redis as it is; put another parameter first"
        raise InvalidInput(("args", gap), problem, "secret")
    args = {name: value for name, value in {**given, **task.kwargs}.items() if name != gap}
    shown, hidden = signature.part(_json(args).decode(), engine.keyring)
    others = "".join(f"{dumps(name)}:{dumps(value)}," for name, value in json.loads(shown).items())
    row = wrapper.row_with(Parted("{}", hidden), task.chosen(engine))
    links = _links(task)
    later = [_spec(engine, link, report or {}, last=link is links[-1]) for link in links[1:]]
    fields = ({"then": dumps(later)} if later else {}) | _follows(engine, task, report or {}, last=len(links) == 1)
    return call_of(with_fields(row, fields), "{" + others + dumps(gap) + ":", "}")


def _enqueue_chord(engine: "TaskEngine", what: HueyChord, report: Report) -> ChordResult:
    """Open the chord, then enqueue its members: the one that ends last finds all that it needs."""
    callback: JobTask = what.callback
    if len(what.tasks) > MAX_MEMBERS:
        raise InvalidInput(("tasks",), f"expected at most {MAX_MEMBERS:,} members of a chord, got {len(what.tasks):,}")
    if any(isinstance(task, HueyGroup) for task in what.tasks):
        raise ValueError("cannot use `group` as a chord member - use .then() to convert to a `chord` first.")
    chord_id = callback.id
    rows: list[Row] = []
    reports = [{"chord": chord_id, "number": str(number)} for number in range(len(what.tasks))]
    members = [task for task in what.tasks if not isinstance(task, HueyChord)]
    for task, own in zip(what.tasks, reports, strict=True):
        rows += [] if isinstance(task, HueyChord) else [row_of_call(engine, task, own)]
    if what.tasks:
        engine.open_chord(
            chord_id, len(what.tasks), _call_with_gap(engine, callback, report), ttl_ms=_keep_ms(engine, members)
        )
    else:
        empty = copy.copy(callback)
        empty.args = (*callback.args, [])
        rows.append(row_of_call(engine, empty, report))
    inner = {
        id(t): _enqueue_chord(engine, t, r)
        for t, r in zip(what.tasks, reports, strict=True)
        if isinstance(t, HueyChord)
    }
    engine.submit(rows)
    results = [inner[id(t)].last if id(t) in inner else _results(engine, t)[-1] for t in what.tasks]
    return ChordResult(results, _results(engine, callback, later=True))


def _keep_ms(engine: "TaskEngine", members: "Sequence[JobTask]") -> int:
    """Return how long a chord is kept: its members may be for later."""
    now, chosen = time.time() * 1000, [task.chosen(engine) for task in members]
    times = [options.run_at.timestamp() * 1000 - now for options in chosen if options.run_at is not None]
    times += [options.delay * 1000 for options in chosen if options.delay is not None]
    return _KEEP_MS + round(max(times, default=0.0))


def _plain(value: Any) -> Any:
    try:
        return to_jsonable_python(value, context=REVEAL, fallback=of_secret)
    except PydanticSerializationError as problem:
        raise InvalidInput(("args",), f"cannot be written as JSON: {problem}") from None


def _json(value: Any) -> bytes:
    return to_json(_plain(value))
