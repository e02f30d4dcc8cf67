"""Goes through every key of a namespace in small steps, and names what disagrees.

Each verdict is one script's, which sees a job and its index entries at one
moment: jobs that move meanwhile cause no false alarm, and nothing has to be
looked at twice. Memory is that of one page of keys, and of the log of events,
which is capped. Between two steps Redis has time for others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from taskengine.check.kinds import ALONE, ENDING, INDEXES, JUDGED_BY, RECORD_FIELDS, SETS, STANDING, TYPES
from taskengine.check.log import LogReplay, in_steps, odd_entries
from taskengine.keys import Keys
from taskengine.pacing import PAGE, Pace, key_pages
from taskengine.records import text
from taskengine.scripts import Call, call

STEP = 100
"""Jobs or entries that one script looks at: a millisecond or two."""
REMEMBERED = 100_000
"""Differences that are not told again when SCAN shows a key twice."""


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One place where records and indexes, or records and the log of events, disagree."""

    key: str
    member: str
    """Which entry or field of it, ``""`` for all of it."""
    job: str
    """The job that it is about, ``""`` when it is about none, or about many."""
    expected: str
    found: str
    outcome: str = ""
    """``mended``, or why it cannot be; ``""`` when it was only looked at."""

    @property
    def is_mended(self) -> bool:
        """Whether it is no difference any more."""
        return self.outcome == "mended"

    def __str__(self) -> str:
        what = f" {self.member}" if self.member and self.member != self.job else ""
        job = f" (job {self.job})" if self.job else ""
        refused = "" if self.outcome in ("", "mended") else f"cannot be mended: {self.outcome}"
        told = f"{self.key}{what}{job}: expected {self.expected}, found {self.found}"
        return told + (f"; {refused or self.outcome}" if self.outcome else "")


def check(redis: Redis, keys: Keys, *, mend: bool = False) -> list[Difference]:
    """Return every difference, in order and without rests; an empty list when all is well."""
    return sorted(Checker(redis, keys, mend=mend).differences())


class Checker:
    """One look at a namespace. What it has seen so far may be read at any time."""

    def __init__(self, redis: Redis, keys: Keys, *, mend: bool = False, rest: float = 0.0) -> None:
        """``rest``: for how long to do nothing after each step, as a multiple of what it took."""
        self._redis, self._keys = redis, keys
        self._mend, self._paced = int(mend), Pace(rest)
        self._told: set[Difference] = set()
        self.jobs = 0
        """Records looked at."""
        self.entries = 0
        """Index entries looked at."""
        self._log = LogReplay(redis, keys, self._paced)

    @property
    def events(self) -> int:
        """Events looked at."""
        return self._log.events

    def differences(self) -> Iterator[Difference]:
        """Look at everything once. Raises ``RedisUnavailable`` when Redis does not let it."""
        for difference in self._walk():
            if difference not in self._told:
                if len(self._told) < REMEMBERED:
                    self._told.add(difference)
                yield difference

    def _walk(self) -> Iterator[Difference]:
        aging = list(self._judged("aging", ""))
        yield from aging
        if aging:
            return  # no script that looks at the places of jobs can run
        for page in key_pages(self._redis, self._keys, self._paced):
            yield from self._jobs([name for kind, name in page if kind == "job"])
            wrong = self._of_another_type([one for one in page if one[0] in TYPES])
            yield from wrong
            unusable = {difference.key for difference in wrong}
            sound = [one for one in page if self._key(*one) not in unusable]
            yield from self._standing("check_keys", [one for one in sound if one[0] in STANDING])
            yield from self._standing("check_ends", [one for one in sound if one[0] in ENDING])
            for kind, name in sound:
                yield from self._inside(kind, name)
        outcome = "what was written down is not changed" if self._mend else ""
        for told in odd_entries(self._redis, self._keys, self._paced):
            yield Difference(*told, outcome=outcome)
        for told in self._log.differences():
            yield Difference(*told, outcome="the log tells of what is past" if self._mend else "")

    def _jobs(self, job_ids: Sequence[str]) -> Iterator[Difference]:
        for some in in_steps(job_ids, STEP):
            rows, blocked, count = self._run(
                call("check_jobs", self._keys.prefix, _identity, rows=some, mend=self._mend)
            )
            self.jobs += count
            yield from map(_difference, rows)
            for job_id in map(text, blocked):
                yield from self._dependencies(job_id)

    def _standing(self, script: str, names: Sequence[tuple[str, str]]) -> Iterator[Difference]:
        for some in in_steps(names, STEP):
            rows = [part for pair in some for part in pair]
            answer = self._run(call(script, self._keys.prefix, _identity, rows=rows, mend=self._mend))
            yield from map(_difference, answer)

    def _inside(self, kind: str, name: str) -> Iterator[Difference]:
        """Look at what a key holds."""
        if kind in INDEXES:
            yield from self._entries(kind, name)
        elif kind in JUDGED_BY:
            yield from self._judged(kind, name)
        elif kind == "chord":
            asked = call("check_chord", self._keys.prefix, _identity, name=name, mend=self._mend)
            yield from map(_difference, self._run(asked))

    def _judged(self, kind: str, name: str) -> Iterator[Difference]:
        parts = [""] if kind in ALONE else RECORD_FIELDS.get(kind) or self._members(kind, name)
        for some in in_steps(parts, STEP):
            prefix, script = self._keys.prefix, JUDGED_BY[kind]
            asked = call(script, prefix, _identity, rows=some, mend=self._mend, kind=kind, name=name)
            yield from map(_difference, self._run(asked))

    def _entries(self, kind: str, name: str) -> Iterator[Difference]:
        for some in in_steps(self._members(kind, name), STEP):
            self.entries += len(some)
            asked = call(
                "check_entries", self._keys.prefix, _identity, rows=some, mend=self._mend, kind=kind, name=name
            )
            yield from map(_difference, self._run(asked))

    def _dependencies(self, job_id: str) -> Iterator[Difference]:
        """Whether as many jobs know that this one waits for them as it thinks."""
        blockers, count, know = self._ask_dependencies(job_id, 0)
        for start in range(STEP, count, STEP):
            now_blockers, _, some = self._ask_dependencies(job_id, start)
            if now_blockers != blockers:
                return  # it was told of an end meanwhile, so it is not forgotten
            know += some
        if blockers == know:
            return
        outcome = ""
        if self._mend:
            done = self._run(call("mend_dependencies", self._keys.prefix, int, id=job_id))
            outcome = "mended" if done else "nobody knows what it depends on"
        yield Difference(self._keys.job(job_id), "blockers", job_id, str(know), str(blockers), outcome)

    def _ask_dependencies(self, job_id: str, start: int) -> tuple[int, int, int]:
        asked: Call[Any] = call("check_dependencies", self._keys.prefix, _identity, id=job_id, start=start, count=STEP)
        return self._run(asked)

    def _of_another_type(self, indexes: Sequence[tuple[str, str]]) -> list[Difference]:
        """Those that are not even of the type that they should be."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for one in indexes:
                pipeline.type(self._key(*one))
            found = [text(answer) for answer in self._paced(pipeline.execute)]
        outcome = "it is no index" if self._mend else ""
        return [
            Difference(self._key(*one), "", "", f"a {TYPES[one[0]]}", f"a {kind}", outcome)
            for one, kind in zip(indexes, found, strict=True)
            if kind not in ("none", TYPES[one[0]])
        ]

    def _key(self, kind: str, name: str) -> str:
        return f"{self._keys.prefix}{kind}{':' if name else ''}{name}"

    def _members(self, kind: str, name: str) -> Iterator[str]:
        key, cursor = self._key(kind, name), 0
        while True:
            cursor, found = self._paced(lambda at=cursor: self._scan(kind, key, at))
            yield from (text(one if TYPES[kind] != "zset" else one[0]) for one in found)
            if not cursor:
                return

    def _scan(self, kind: str, key: str, cursor: int) -> Any:
        if TYPES[kind] == "hash":
            return self._redis.hscan(key, cursor, count=PAGE)
        return (self._redis.sscan if kind in SETS else self._redis.zscan)(key, cursor, count=PAGE)

    def _run(self, asked: Call[Any]) -> Any:
        return self._paced(lambda: asked.run(self._redis))


def _identity(answer: Any) -> Any:
    return answer


def _difference(row: Sequence[Any]) -> Difference:
    return Difference(*map(text, row))
