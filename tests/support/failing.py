"""Jobs that fail in places of one's choice, without code that stands there."""

from redis import Redis

from support.jobs import KEYS, MINUTE, a_running_job, finish
from taskengine.failures import FailureGroup, Failures, group_id
from taskengine.records import ClaimedJob, dumps
from taskengine.store import Ending

FAILURES = Failures(KEYS)
PLACE = "shop/mail.py:42 in send"
GROUP = group_id("t", "ValueError", PLACE)


def fail(redis: Redis, job: ClaimedJob, *, again: bool = False, **error: object) -> None:
    """End an attempt with an error; with ``again`` it is to be tried again."""
    facts = {"exception": "ValueError", "message": "as told", "retryable": again, "place": PLACE, **error}
    finish(redis, job, Ending.FAILED, retry_ms=MINUTE if again else None, value=dumps(facts))


def a_failed_job(redis: Redis, job_id: str = "j1", *, task: str = "t", **error: object) -> None:
    """A FAILED job."""
    fail(redis, a_running_job(redis, job_id, task=task, max_attempts=1), **error)


def group(redis: Redis, group: str = GROUP) -> FailureGroup:
    """A group that is there."""
    (found,) = FAILURES.get_groups([group]).run(redis)
    assert found is not None, f"there is no group {group}"
    return found


def failed_jobs(redis: Redis, group: str = GROUP, *, after: int | None = None, limit: int = 100) -> list[str]:
    """Ids of a group's FAILED jobs."""
    return [job_id for job_id, _ in FAILURES.list_failed_jobs(group, after=after, limit=limit).run(redis)]
