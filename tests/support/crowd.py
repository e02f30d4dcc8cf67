"""Many universal jobs at once, and whether all of them came to their end."""

from collections import Counter
from pathlib import Path

from redis import Redis

from support.jobs import KEYS, READS, STORE, row
from support.ledger import Ledger
from support.waiting import wait_until
from taskengine.check import check
from taskengine.ids import new_id
from taskengine.jobs import Job, JobState
from taskengine.reads import total_of
from taskengine.records import dumps


def enqueue_universal(redis: Redis, count: int = 1, *, ledger: Ledger | None = None, **args: object) -> list[str]:
    """Enqueue jobs that do as told; return their ids."""
    if ledger is not None:
        args["ledger"] = str(ledger.path)
    rows = [row(new_id("job"), task="universal", queue="default", args=dumps(args)) for _ in range(count)]
    STORE.enqueue_jobs(rows).run(redis)
    return [str(one[0]) for one in rows]


def jobs(redis: Redis, job_ids: list[str]) -> list[Job]:
    """Return the jobs, all of which must be there."""
    found = READS.get_jobs(job_ids).run(redis)
    assert None not in found
    return [job for job in found if job is not None]


def states(redis: Redis, job_ids: list[str]) -> Counter[JobState]:
    """Count the jobs by state."""
    return Counter(job.state for job in jobs(redis, job_ids))


def wait_for_end(redis: Redis, job_ids: list[str], timeout: float = 60) -> None:
    """Wait until every job is in a final state."""
    wait_until(
        lambda: all(state.is_final for state in states(redis, job_ids)),
        timeout,
        f"all {len(job_ids)} jobs have ended",
        every=0.05,
    )


def wait_for_state(redis: Redis, job_id: str, state: JobState, timeout: float = 20) -> Job:
    """Wait until one job is in this state; return it as it was then."""
    return wait_until(
        lambda: next((job for job in jobs(redis, [job_id]) if job.state is state), None), timeout, f"the job is {state}"
    )


def assert_nothing_is_left_open(redis: Redis) -> None:
    """No job is queued, running or held, and every index agrees with the records."""
    counts = total_of(READS.count_jobs().run(redis))
    assert (counts.queued, counts.running, counts.retrying, counts.scheduled) == (0, 0, 0, 0)
    assert check(redis, KEYS) == []


def ledger_in(directory: Path) -> Ledger:
    """Return an empty ledger there."""
    return Ledger(directory / "ledger")
