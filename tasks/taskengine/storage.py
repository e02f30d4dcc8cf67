"""What Huey's consumer calls a storage: the connection, and the moves behind it.

Huey's own verbs that push opaque messages and pop them for good are not here:
a job leaves its queue under a lease (``worker/dispatch.py``), never by a pop.
"""

from typing import Any, TypeVar

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from taskengine.data_storage import DataStorage
from taskengine.errors import JobNotFound
from taskengine.jobs import JobState
from taskengine.reads import Reads, total_of
from taskengine.records import text
from taskengine.schedule_store import ScheduleStore
from taskengine.scripts import Call, ours
from taskengine.settings import Settings
from taskengine.store import Store

T = TypeVar("T")


class JobStorage(DataStorage):
    """One namespace of one Redis, synchronous. Connects when first used; safe for threads and forks."""

    blocking = True
    priority = True

    def __init__(self, name: str, *, url: str, settings: Settings) -> None:
        # Every script but a claim may be sent twice, so a cut connection is tried again for some seconds.
        patient = Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 4, supported_errors=(RedisConnectionError,))
        super().__init__(name, redis=_connect(url, Retry(NoBackoff(), 0)))
        self.redis = _connect(url, patient)
        self.store = Store(self.keys)
        self.schedules = ScheduleStore(self.keys)
        self.reads = Reads(self.keys, lease_ms=round(settings.lease_seconds * 1000))

    def run(self, call: Call[T]) -> T:
        """Make a move or take a look; raise the script's error, or ``RedisUnavailable``."""
        return call.run(self.redis)

    def run_once(self, call: Call[T]) -> T:
        """As ``run``, without trying again: for claims, which would take more jobs each time."""
        return call.run(self._once)

    def wait_for_work(self, queues: list[str], seconds: float) -> bool:
        """Sleep until one of the queues may have work; tell whether a wake-up came."""
        try:
            return self._once.blpop([self.keys.wake(queue) for queue in queues], timeout=max(seconds, 0.01)) is not None
        except RedisError as error:
            raise ours(error) from None

    def known_queues(self) -> list[str]:
        """Return the queues that have jobs."""
        try:
            names: Any = self._once.smembers(self.keys.queues)
        except RedisError as error:
            raise ours(error) from None
        return [text(name) for name in names]

    def load_checkpoint(self, job_id: str) -> str | None:
        """Return the JSON that a job saved of its way."""
        try:
            saved: Any = self.redis.get(self.keys.checkpoint(job_id))
        except RedisError as error:
            raise ours(error) from None
        return None if saved is None else text(saved)

    def load_secrets(self, job_id: str) -> str:
        """Return the secret arguments of a job, as its record keeps them; raise ``JobNotFound``."""
        try:
            task, secrets = self.redis.hmget(self.keys.job(job_id), "task", "secrets")
        except RedisError as error:
            raise ours(error) from None
        if task is None:
            raise JobNotFound(job_id)
        return text(secrets or "")

    def now_ms(self) -> int:
        """Return Redis's time, ms."""
        try:
            answer: Any = self.redis.time()
        except RedisError as error:
            raise ours(error) from None
        return int(answer[0]) * 1000 + int(answer[1]) // 1000

    def close(self) -> None:
        """Drop the connections; they are made anew when used again. Huey does so before it forks."""
        self.redis.connection_pool.disconnect()
        self._once.connection_pool.disconnect()

    def queue_size(self) -> int:
        """Return the number of jobs that are ready."""
        return self.count(JobState.QUEUED)

    def schedule_size(self) -> int:
        """Return the number of jobs that wait for their time."""
        return self.count(JobState.SCHEDULED, JobState.RETRYING)

    def count(self, *states: JobState) -> int:
        """Return the number of jobs that are in these states."""
        counts = total_of(self.run(self.reads.count_jobs()))
        return sum(getattr(counts, state.lower()) for state in states)


def _connect(url: str, retry: Retry) -> Redis:
    return Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        url, socket_timeout=5.0, socket_connect_timeout=2.0, retry=retry, decode_responses=True
    )
