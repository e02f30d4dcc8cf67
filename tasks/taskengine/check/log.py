"""Replays the log of events, and compares what it says of each job with the job's record. Reads the audit, too.

The states of some jobs and the place in the log are asked for in one script;
then the log is read up to that place, so that both are of the same moment.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from redis import Redis

from taskengine.jobs import MOVES, JobState
from taskengine.keys import Keys
from taskengine.records import text
from taskengine.scripts import call

PAGE = 500
"""Events that are read at once, and jobs whose states are asked for at once."""

_AUDITED = frozenset({"by", "action", "subject", "details"})
_LEGAL = {str(state): frozenset(map(str, moves)) for state, moves in MOVES.items()}

Told = tuple[str, str, str, str, str]
"""Key, member, job, what was expected and what was found."""


T = TypeVar("T")


def in_steps(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many of the things at a time."""
    left = iter(things)
    while some := list(islice(left, size)):
        yield some


def odd_entries(redis: Redis, keys: Keys, paced: Callable[[Callable[[], Any]], Any]) -> Iterator[Told]:
    """Tell of each entry of the audit that cannot be read. Entries never change, so there is nothing to do at once."""
    last = "-"
    while page := paced(lambda after=last: redis.xrange(keys.audit, after, "+", count=PAGE)):
        for entry_id, fields in page:
            facts = {text(name): text(value) for name, value in fields.items()}
            if facts.keys() != _AUDITED:
                yield keys.audit, text(entry_id), "", " ".join(sorted(_AUDITED)), " ".join(sorted(facts)) or "nothing"
            elif facts["details"] and not _is_object(facts["details"]):
                yield keys.audit, text(entry_id), "", "details as JSON", facts["details"][:60]
        last = f"({text(page[-1][0])}"


def _is_object(words: str) -> bool:
    try:
        return isinstance(json.loads(words), dict)
    except ValueError:
        return False


class LogReplay:
    """What the log says so far. Keeps a state for each job that it names: the log is capped, so that is too."""

    def __init__(self, redis: Redis, keys: Keys, paced: Callable[[Callable[[], Any]], Any]) -> None:
        self._redis, self._keys, self._paced = redis, keys, paced
        self._last = "-"
        self._states: dict[str, str] = {}
        self.events = 0
        """Events looked at."""

    def differences(self) -> Iterator[Told]:
        """Read the log to its end, then compare."""
        yield from self._read("+")
        for job_ids in in_steps(list(self._states), PAGE):
            yield from self._compare(job_ids)

    def _compare(self, job_ids: Sequence[str]) -> Iterator[Told]:
        asked = call("check_states", self._keys.prefix, lambda answer: answer, rows=job_ids)
        newest, states = self._paced(lambda: asked.run(self._redis))
        yield from self._read(text(newest))
        for job_id, state in zip(job_ids, map(text, states), strict=True):
            logged = self._states.get(job_id, state)
            if state and logged != state:
                yield self._keys.events, "", job_id, f"a move to {state}", f"a move to {logged} as the last"
            elif not state and logged == JobState.RUNNING:  # what runs is never removed
                yield self._keys.job(job_id), "", job_id, "a record, as it was RUNNING last", "absent"

    def _read(self, until: str) -> Iterator[Told]:
        """Read on, up to and including an event; tell of moves that there are not."""
        while True:
            # From the last one on: when that is gone, so are perhaps events after it, and all begins anew.
            page = self._paced(lambda: self._redis.xrange(self._keys.events, self._last, until, count=PAGE))
            if page and text(page[0][0]) == self._last:
                page = page[1:]
            elif page:
                self._states.clear()
            for event_id, fields in page:
                self._last = text(event_id)
                self.events += 1
                yield from self._note(self._last, {text(name): text(value) for name, value in fields.items()})
            if not page:
                return

    def _note(self, event_id: str, event: dict[str, str]) -> Iterator[Told]:
        if event.get("kind") != "STATE":
            return
        job_id, before, state = event["job"], event["from"], event["to"]
        last = self._states.get(job_id)
        self._states[job_id] = state
        if not before:
            return
        if last is not None and last != before:
            yield self._keys.events, event_id, job_id, f"a move from {last}", f"one from {before}"
        elif state not in _LEGAL.get(before, ()):
            yield self._keys.events, event_id, job_id, f"a move that there is from {before}", f"one to {state}"
