"""A Redis filled with jobs: nearly half of them ended, a tenth of them by failing, the others wait."""

from typing import Any

from redis import Redis

from support.api import LEASE_MS, STORE, WORKER, publish
from taskengine.ids import new_id
from taskengine.jobs import Options, TaskInfo
from taskengine.records import dumps, row_of
from taskengine.store import Ending, Outcome

TASKS, QUEUES, PLACES = 20, 4, 25


def fill(redis: Redis, jobs: int) -> None:
    """Put so many jobs in, as quickly as may be: nothing of it is on a disk afterwards."""
    redis.config_set("appendonly", "no")
    publish(redis, *(TaskInfo(name=f"task-{n}", args_schema={"type": "object"}) for n in range(TASKS)))
    for start in range(0, jobs, 500):
        STORE.enqueue_jobs([a_row(n, jobs) for n in range(start, min(start + 500, jobs))]).run(redis)
        if start % 1000 == 0:
            for _ in range(5):
                end_some(redis, 100)


def a_row(n: int, jobs: int) -> list[Any]:
    tags = ("middle",) if n == jobs // 2 else ("some",) if n % 10 == 0 else ()
    delay = 86_400.0 + n % 1000 if n % 10 == 9 else None
    options = Options(tags=tags, delay=delay)
    args = dumps({"customer": f"customer-{n % 100}", "order": n})
    return row_of(
        new_id("job"), f"task-{n % TASKS}", args, queue=f"queue-{n % QUEUES}", priority=n % 10 + 1, options=options
    )


def end_some(redis: Redis, count: int) -> None:
    claimed = STORE.claim_jobs(WORKER, "*", count, lease_ms=LEASE_MS).run(redis).jobs
    outcomes = [
        Outcome(job_id=job.id, lease=job.lease, ending=Ending.COMPLETED, value="1")
        if n % 5
        else Outcome(job_id=job.id, lease=job.lease, ending=Ending.FAILED, value=an_error(n), traceback=dumps("…"))
        for n, job in enumerate(claimed)
    ]
    STORE.finish_jobs(outcomes, WORKER, "*", 0, lease_ms=LEASE_MS).run(redis)


def an_error(n: int) -> str:
    # Half of all are one problem, so that its jobs fill a page of the few, too.
    line = 0 if n // 5 % 2 == 0 else n // 5 % PLACES
    place = f"shop/mail.py:{line} in send_{line}"
    return dumps({"exception": "ValueError", "message": f"no customer {n}", "retryable": True, "place": place})
