"""Jobs as the scripts see them: put in, claimed and ended by hand, without a worker.

a_job(redis, RUNNING)              a job in that state, brought there by the moves themselves
claim(redis)                       what a worker would get
finish(redis, job, Ending.FAILED)  how its attempt ended
with writes(redis) as written:     which keys a move changed
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from redis import Redis

from taskengine.bulk import BulkKind, BulkOperation, Bulks, look_for, narrowed
from taskengine.failures import group_id
from taskengine.filters import JobFilter
from taskengine.jobs import Job, JobState, Options
from taskengine.keys import Keys
from taskengine.reads import Reads
from taskengine.records import ClaimedJob, dumps, row_of
from taskengine.store import Answer, Claim, Ending, Outcome, Store
from taskengine.worker.facts import WorkerFacts

KEYS = Keys("test")
STORE = Store(KEYS)
READS = Reads(KEYS, lease_ms=10_000)

WORKER = "w"
MINUTE = 60_000
GROUP = group_id("t", "ValueError", None)
"""Where ``ERROR`` belongs when the task is ``t``."""
ERROR = dumps({"exception": "ValueError", "message": "as told", "retryable": True})

SCHEDULED, QUEUED, RUNNING, RETRYING, COMPLETED, FAILED, CANCELLED = JobState
FINAL = (COMPLETED, FAILED, CANCELLED)


def now_ms(redis: Redis) -> int:
    """Redis's clock."""
    seconds, microseconds = redis.time()
    return seconds * 1000 + microseconds // 1000


def row(
    job_id: str = "j1",
    *,
    task: str = "t",
    queue: str = "q",
    priority: int = 5,
    args: str = "{}",
    max_attempts: int = 3,
    **options: Any,
) -> list[Any]:
    """One row of ``enqueue_jobs.lua``."""
    chosen = Options(max_attempts=max_attempts, **options)
    return row_of(job_id, task, args, queue=queue, priority=priority, options=chosen)


def enqueue(redis: Redis, *job_ids: str, **facts: Any) -> list[bool]:
    """Enqueue jobs that are alike, in this order."""
    return [new for _, new in STORE.enqueue_jobs([row(job_id, **facts) for job_id in job_ids]).run(redis)]


def register(redis: Redis, *tasks: str, worker: str = WORKER) -> None:
    """Have a worker that can run these tasks."""
    facts = WorkerFacts(name=worker, queues=("*",), concurrency=4, mode="thread").as_json([])
    STORE.register_worker(worker, facts, dict.fromkeys(tasks or ("t",), "{}")).run(redis)


def take(redis: Redis, count: int = 1, *, worker: str = WORKER, queues: str = "*", lease_ms: int = MINUTE) -> Claim:
    """Claim, as a worker that was registered."""
    return STORE.claim_jobs(worker, queues, count, lease_ms=lease_ms).run(redis)


def claim(redis: Redis, *tasks: str, lease_ms: int = MINUTE) -> ClaimedJob:
    """Claim one job as a worker that can run these tasks; there has to be one."""
    register(redis, *tasks)
    (job,) = take(redis, lease_ms=lease_ms).jobs
    return job


def a_running_job(redis: Redis, job_id: str = "j1", *, lease_ms: int = MINUTE, **facts: Any) -> ClaimedJob:
    """Enqueue a job and claim it. Nothing that would run before it may be queued."""
    enqueue(redis, job_id, **facts)
    job = claim(redis, facts.get("task", "t"), lease_ms=lease_ms)
    assert job.id == job_id
    return job


def an_orphan(redis: Redis, job_id: str = "j1", **facts: Any) -> ClaimedJob:
    """A job whose worker let its lease run out."""
    return a_running_job(redis, job_id, lease_ms=0, **facts)


def a_job(redis: Redis, state: JobState = QUEUED, job_id: str = "j1", **facts: Any) -> Job:
    """A job in a state. Nothing that would run before it may be queued."""
    if state is SCHEDULED:
        enqueue(redis, job_id, delay=60, **facts)
    elif state in (QUEUED, CANCELLED):
        enqueue(redis, job_id, **facts)
    if state is CANCELLED:
        STORE.cancel_job(job_id, terminate=False, reason="").run(redis)
    elif state in (RUNNING, RETRYING, COMPLETED, FAILED):
        job = a_running_job(redis, job_id, **facts)
        if state is COMPLETED:
            finish(redis, job)
        elif state in (RETRYING, FAILED):
            finish(redis, job, Ending.FAILED, retry_ms=MINUTE if state is RETRYING else None)
    made = get(redis, job_id)
    assert made.state is state
    return made


def outcome(job: ClaimedJob, ending: Ending = Ending.COMPLETED, **facts: Any) -> Outcome:
    """The end of an attempt. One that failed does so with ``ERROR``."""
    if ending in (Ending.FAILED, Ending.TIMED_OUT):
        facts = {"value": ERROR, **facts}
    return Outcome(**{"job_id": job.id, "lease": job.lease, "ending": ending, **facts})


def finish(redis: Redis, job: ClaimedJob, ending: Ending = Ending.COMPLETED, **facts: Any) -> Answer:
    """End an attempt; claim nothing."""
    (answer,) = finish_all(redis, [outcome(job, ending, **facts)]).answers
    return answer


def finish_all(redis: Redis, outcomes: Sequence[Outcome], count: int = 0) -> Claim:
    """End attempts and claim in the same call."""
    return STORE.finish_jobs(outcomes, WORKER, "*", count, lease_ms=MINUTE).run(redis)


def find(redis: Redis, job_id: str = "j1") -> Job | None:
    """A job, or None."""
    return READS.get_jobs([job_id]).run(redis)[0]


def get(redis: Redis, job_id: str = "j1") -> Job:
    """A job that is there."""
    job = find(redis, job_id)
    assert job is not None, f"there is no job {job_id}"
    return job


def record(redis: Redis, job_id: str = "j1") -> dict[str, str]:
    """The fields of a job's hash."""
    return redis.hgetall(KEYS.job(job_id))


def attempts(redis: Redis, job_id: str = "j1") -> list[Any]:
    """The runs of a job."""
    return READS.list_attempts([get(redis, job_id)]).run(redis)[0]


def moves(redis: Redis, job_id: str = "j1") -> list[tuple[str, str]]:
    """The moves of a job that were told, as (from, to)."""
    entries = [fields for _, fields in redis.xrange(KEYS.events)]
    return [(told["from"], told["to"]) for told in entries if told["kind"] == "STATE" and told["job"] == job_id]


def last_event(redis: Redis) -> dict[str, str]:
    """The fields of the newest event."""
    ((_, fields),) = redis.xrevrange(KEYS.events, count=1)
    return fields


def everything(redis: Redis) -> dict[str, Any]:
    """All that Redis holds, by key without its prefix, in a form that can be compared."""
    return {str(key).removeprefix(KEYS.prefix): _value(redis, str(key)) for key in redis.scan_iter(count=1000)}


@contextmanager
def writes(redis: Redis, by: str | None = None) -> Iterator[set[str]]:
    """Collect the keys whose value changed inside the block, without their prefix.

    ``by``: the script that changes them; it fails when its header does not name one of them.
    """
    changed: set[str] = set()
    before = everything(redis)
    yield changed
    after = everything(redis)
    changed |= {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if by is not None:
        undocumented = {key.partition(":")[0] for key in changed} - header_writes(by)
        assert not undocumented, f"the header of {by}.lua does not say that it writes {undocumented}"
    # Every move is counted; what is counted has tests of its own.
    changed -= {key for key in changed if key.startswith("metrics:")}


def header_writes(script: str) -> set[str]:
    """The kinds of keys that a script's header says it writes."""
    source = (files("taskengine") / "lua" / f"{script}.lua").read_text(encoding="utf-8")
    said = re.search(r"^-- Writes (.+)$", source, re.MULTILINE)
    assert said, f"{script}.lua does not say what it writes"
    return set(re.findall(r"\w+", said[1])) - {"nothing", "and", "or"}


def _value(redis: Redis, key: str) -> Any:
    read = {
        "hash": redis.hgetall,
        "list": lambda name: redis.lrange(name, 0, -1),
        "set": redis.smembers,
        "stream": redis.xrange,
        "string": redis.get,
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
    }
    return read[str(redis.type(key))](key)


def expire_leases(redis: Redis, keys: Keys, *held: tuple[str, str]) -> None:
    """Let time run out for these jobs' leases: Redis's clock cannot be set, a deadline can."""
    redis.zadd(keys.leases, {job_id: 1 for job_id, _ in held})


BULKS = Bulks(KEYS)


def a_bulk(
    redis: Redis,
    kind: BulkKind,
    wanted: JobFilter | None = None,
    *,
    bulk_id: str = "b1",
    matched: int = 0,
    terminate: bool = False,
    reason: str = "",
    by: str = "",
) -> None:
    """Ask for a change to many jobs; ``step_bulk`` takes its steps."""
    look = look_for(narrowed(wanted or JobFilter(), kind, terminate=terminate))
    BULKS.start(bulk_id, kind, look, matched=matched, terminate=terminate, reason=reason, by=by).run(redis)


def step_bulk(redis: Redis, bulk_id: str = "b1") -> bool:
    """Take one step of a change to many jobs; tells whether there is more to do."""
    return BULKS.step(bulk_id).run(redis)


def list_bulks(redis: Redis, *, running: bool = False) -> list[BulkOperation]:
    """Changes to many jobs, the newest first."""
    return BULKS.list(running=running).run(redis)
