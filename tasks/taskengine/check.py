"""Do the indexes say what the records say? Recomputes each index from the records and names every difference.

Read-only. Reads the whole namespace, by ``SCAN``: for tests, and for when one
doubts. What moved while it looked is looked at again, and reported only if the
difference stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isnan
from typing import Any, cast

from redis import Redis

from taskengine.jobs import FINAL_STATES, JobState
from taskengine.keys import Keys
from taskengine.records import text

EPOCH_US, BAND_US = 1_735_689_600_000_000, 900_000_000_000_000
"""As in ``lua/fragments/moves.lua``."""
_LOOKS = 3

Indexes = dict[str, dict[str, float]]
"""Members and scores by key; a plain set has scores of 0."""


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One index entry that is not what the records ask for. ``None`` stands for no entry."""

    key: str
    member: str
    expected: float | None
    found: float | None

    def __str__(self) -> str:
        return f"{self.key}: {self.member} should be {_shown(self.expected)}, is {_shown(self.found)}"


def check(redis: Redis, keys: Keys) -> list[Difference]:
    """Return every difference between the records and the indexes; an empty list when all is well."""
    differences = _look(redis, keys)
    for _ in range(_LOOKS - 1):
        if differences:
            differences &= _look(redis, keys)
    return sorted(differences)


def expected_indexes(keys: Keys, records: Iterable[tuple[str, dict[str, str]]]) -> Indexes:
    """Return every index as the records ask for it."""
    indexes: Indexes = defaultdict(dict)
    for job_id, record in records:
        _expect(indexes, keys, job_id, record)
    for key in [key for key in indexes if key.startswith(keys.ready("", "")[:-1])]:
        queue, task = key.removeprefix(keys.ready("", "")[:-1]).split(":", 1)
        indexes[keys.heads(queue)][task] = min(indexes[key].values())
    return dict(indexes)


def _expect(indexes: Indexes, keys: Keys, job_id: str, record: dict[str, str]) -> None:
    state, queue, task = JobState(record["state"]), record["queue"], record["task"]
    indexes[keys.lane(queue, task, state)][job_id] = float(record["created"])
    indexes[keys.lanes][f"{queue}:{task}"] = 0.0
    indexes[keys.queues][queue] = 0.0
    if "schedule" in record:
        indexes[keys.schedule_jobs(record["schedule"])][job_id] = float(record["created"])
    if state is JobState.QUEUED:
        arrival = int(record.get("arrival", record["created"]))
        place = float(arrival - EPOCH_US - int(record["priority"]) * BAND_US)
        parked = record.get("parked")  # noted by the look: only the index itself knows
        indexes[keys.parked(task, record["key"]) if parked else keys.ready(queue, task)][job_id] = place
    elif state in (JobState.SCHEDULED, JobState.RETRYING) and not _is_blocked(record):
        indexes[keys.waiting][job_id] = float(record["run_at"])
    elif state is JobState.RUNNING:
        indexes[keys.leases][job_id] = float("nan")  # some deadline: the record does not repeat it
        if "key" in record:
            indexes[keys.keyed(task, record["key"])][job_id] = 0.0
    elif state in FINAL_STATES:
        indexes[keys.finished(state)][job_id] = float(record["finished_at"])
    if state is JobState.FAILED and "failure_group" in record:
        indexes[keys.failed(record["failure_group"])][job_id] = float(record["created"])

    may_expire = state in (JobState.SCHEDULED, JobState.QUEUED) and record.get("run", "0") == "0"
    if may_expire and "start_before" in record:
        indexes[keys.expiring][job_id] = float(record["start_before"])


def _is_blocked(record: dict[str, str]) -> bool:
    return record["state"] == JobState.SCHEDULED and int(record.get("blockers", 0)) > 0


def _look(redis: Redis, keys: Keys) -> set[Difference]:
    records = dict(_records(redis, keys))
    for job_id, record in records.items():
        if "key" in record and redis.zscore(keys.parked(record["task"], record["key"]), job_id) is not None:
            record["parked"] = "1"
    expected = expected_indexes(keys, records.items())
    ticks = {name: float(record["next_at"] or "inf") for name, record in _records(redis, keys, keys.schedule(""))}
    expected[keys.schedules] = ticks
    found = dict(_indexes(redis, keys))
    differences: set[Difference] = set()
    for key in expected.keys() | found.keys():
        wanted, there = expected.get(key, {}), found.get(key, {})
        for member in wanted.keys() | there.keys():
            want, have = wanted.get(member), there.get(member)
            any_score = want is not None and isnan(want) and have is not None
            if want != have and not any_score:
                differences.add(Difference(key, member, want, have))
    return differences | set(_orphans(redis, keys)) | set(_dependencies(redis, keys, records))


def _records(redis: Redis, keys: Keys, prefix: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """The records of jobs, or of what else has keys of that prefix, by what follows it."""
    prefix = prefix or keys.job("")
    for key in _scan(redis, prefix):
        record: dict[Any, Any] = redis.hgetall(key)
        if record:
            yield key.removeprefix(prefix), {text(name): text(value) for name, value in record.items()}


def _indexes(redis: Redis, keys: Keys) -> Iterator[tuple[str, dict[str, float]]]:
    kinds = ("lane:", "ready:", "heads:", "finished:", "failed:", "schedule_jobs:", "parked:")
    patterns = [keys.prefix + kind for kind in kinds]
    zsets = {key for pattern in patterns for key in _scan(redis, pattern)} | {
        keys.waiting,
        keys.leases,
        keys.expiring,
        keys.schedules,
    }
    for key in zsets:
        entries: Any = redis.zrange(key, 0, -1, withscores=True)
        yield key, {text(member): float(score) for member, score in entries}
    for key in (keys.lanes, keys.queues, *_scan(redis, keys.prefix + "keyed:")):
        members: Any = redis.smembers(key)
        yield key, {text(member): 0.0 for member in members}


def _orphans(redis: Redis, keys: Keys) -> Iterator[Difference]:
    """What is kept of jobs that are gone."""
    for prefix in (keys.attempts(""), keys.logs(""), keys.checkpoint("")):
        for key in _scan(redis, prefix):
            if not redis.exists(keys.job(key.removeprefix(prefix))):
                yield Difference(key, key.removeprefix(prefix), None, 0.0)


def _dependencies(redis: Redis, keys: Keys, records: dict[str, dict[str, str]]) -> Iterator[Difference]:
    """Blocked jobs that nobody will unblock, and dependents that do not wait. Unfinished steps are no difference."""
    if redis.exists(keys.resolving):
        return
    waited_for: dict[str, int] = defaultdict(int)
    prefix = keys.dependents("")
    for key in _scan(redis, prefix):
        dependents = cast("list[str | bytes]", redis.zrange(key, 0, -1))
        for job_id in map(text, dependents):
            waited_for[job_id] += 1
            if job_id not in records or not _is_blocked(records[job_id]):
                yield Difference(key, job_id, None, 0.0)
        if key.removeprefix(prefix) not in records:
            yield Difference(key, key.removeprefix(prefix), None, 0.0)
    for job_id, record in records.items():
        if _is_blocked(record) and int(record["blockers"]) != waited_for[job_id]:
            yield Difference(keys.job(job_id), "blockers", float(waited_for[job_id]), float(record["blockers"]))
        key = record.get("idempotency_key")
        if key is not None and redis.get(keys.idempotency(record["task"], key)) not in (job_id, job_id.encode()):
            yield Difference(keys.idempotency(record["task"], key), job_id, 0.0, None)


def _scan(redis: Redis, prefix: str) -> Iterator[str]:
    pattern = "".join(f"[{letter}]" if letter in "[]*?^\\" else letter for letter in prefix) + "*"
    seen: set[str] = set()
    found = cast("Iterator[str | bytes]", redis.scan_iter(match=pattern, count=1000))
    for key in found:
        name = text(key)
        if name not in seen:
            seen.add(name)
            yield name


def _shown(score: float | None) -> str:
    if score is None:
        return "absent"
    return "there" if isnan(score) or score == 0.0 else f"at {score:.0f}"
