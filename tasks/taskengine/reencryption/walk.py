"""Goes through the records of a live namespace, and puts what each keeps encrypted under the first key.

A record is replaced by one script, and only when it is still as it was read: whatever moves meanwhile goes on.
Calls that follow are copied from one record to the next, and the first may be gone before it is looked at. So it goes
through all twice at the least, and on as long as it finds something.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from taskengine.encryption import Keyring
from taskengine.keys import Keys
from taskengine.pacing import Pace, key_pages
from taskengine.records import text
from taskengine.reencryption.sealed import FIELDS_OF, Turn
from taskengine.scripts import Value, call, ours

STEP = 50
"""Records that are read at once."""
TRIES = 5
"""How often a record is read again that was changed meanwhile."""
PASSES = 10
"""At the most: each goes through all. The last one only counts what others still encrypt with another key."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that keeps something that no key opens."""

    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}"


class Reencryption:
    """One go through a namespace. What it has done so far may be read at any time."""

    def __init__(self, redis: Redis, keys: Keys, keyring: Keyring, *, dry_run: bool = False, rest: float = 0.0) -> None:
        """``rest``: for how long to do nothing after each step, as a multiple of what it took."""
        self._redis, self._keys, self._keyring = redis, keys, keyring
        self._pace, self._dry_run = Pace(rest), dry_run
        self._counts_only = dry_run
        self.seen: Counter[str] = Counter()
        """Records that were looked at, by kind."""
        self.changed = 0
        """Records that are under the first key now and were not."""
        self.left = 0
        """Records that still need another key: as only counted, or as they were changed again and again."""
        self.unreadable = 0
        """Records that keep something that no key opens."""

    def work(self) -> Iterator[Unreadable]:
        """Go through all, and yield what stays as it is. Raises ``RedisUnavailable``."""
        for number in range(1 if self._dry_run else PASSES):
            before, self.left, self.unreadable = self.changed, 0, 0
            self._counts_only = self._dry_run or number == PASSES - 1
            self.seen.clear()
            for page in key_pages(self._redis, self._keys, self._pace):
                records = [one for one in page if one[0] in FIELDS_OF]
                for start in range(0, len(records), STEP):
                    found = self._records(records[start : start + STEP])
                    self.unreadable += len(found)
                    yield from [] if number else found
            if number and self.changed == before and not self.left:
                return

    def _records(self, records: Sequence[tuple[str, str]]) -> list[Unreadable]:
        found: list[Unreadable] = []
        for (kind, name), kept in zip(records, self._read(records), strict=True):
            self.seen[kind] += 1
            if problem := self._turn(kind, name, kept):
                found.append(Unreadable(self._key(kind, name), problem))
        return found

    def _turn(self, kind: str, name: str, kept: Mapping[str, str]) -> str:
        """Put one record under the first key; return what is in the way of that, if anything is."""
        turn = Turn(self._keyring)
        for tries in range(TRIES):
            turn = Turn(self._keyring)
            new = {field: turn.field(field, was) for field, was in kept.items()}
            rows = [part for field, was in kept.items() if new[field] != was for part in (field, was, new[field])]
            if not rows:
                break
            if self._counts_only or tries == TRIES - 1:
                self.left += 1
                break
            if self._replace(kind, name, rows):
                self.changed += 1
                break
            (kept,) = self._read([(kind, name)])
        return turn.problem

    def _replace(self, kind: str, name: str, rows: Sequence[Value]) -> bool:
        asked = call("reencrypt_values", self._keys.prefix, bool, rows=rows, kind=kind, name=name)
        return self._pace(lambda: asked.run(self._redis))

    def _read(self, records: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """Return what may be encrypted of each record, by field."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for kind, name in records:
                if kind == "checkpoint":
                    pipeline.get(self._key(kind, name))
                else:
                    pipeline.hmget(self._key(kind, name), FIELDS_OF[kind])
            answers = self._pace(lambda: pipeline.execute(raise_on_error=False))
        found: list[dict[str, str]] = []
        for (kind, _), answer in zip(records, answers, strict=True):
            if isinstance(answer, RedisError) and "WRONGTYPE" not in str(answer):
                raise ours(answer)  # else it is no record, as `taskengine check` tells
            odd = isinstance(answer, RedisError)
            values: Sequence[Any] = (
                [None] * len(FIELDS_OF[kind]) if odd else [answer] if kind == "checkpoint" else answer
            )
            pairs = zip(FIELDS_OF[kind], values, strict=True)
            found.append({field: text(value) for field, value in pairs if value is not None})
        return found

    def _key(self, kind: str, name: str) -> str:
        return f"{self._keys.prefix}{kind}:{name}"
