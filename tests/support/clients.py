"""Talking to the engine from outside, in a line."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from support.waiting import until
from taskengine.client import Client
from taskengine.jobs import Job, JobState, Options


@asynccontextmanager
async def a_client(redis_url: str) -> AsyncGenerator[Client]:
    """A client of the default namespace, closed at the end."""
    client = Client(redis_url)
    try:
        yield client
    finally:
        await client.close()


async def run_job(redis_url: str, task: str, args: Mapping[str, Any], options: Options | None = None) -> Job:
    """Enqueue a job and return it when it has ended. A worker has to run."""
    async with a_client(redis_url) as client:
        job = await client.enqueue_job(task, args, options or Options())
        return await ended(client, job.id)


async def ended(client: Client, job_id: str, timeout: float = 30) -> Job:
    """Return a job when it is in a final state."""

    async def when_final() -> Job | None:
        job = await client.get_job(job_id)
        return job if job is not None and job.state.is_final else None

    job = await until(when_final, timeout, f"job {job_id} has ended")
    assert job is not None
    return job


async def reaches(client: Client, job_id: str, state: JobState, timeout: float = 15) -> None:
    """Return once a job is in a state."""

    async def there() -> bool:
        job = await client.get_job(job_id)
        return job is not None and job.state is state

    await until(there, timeout, f"job {job_id} is {state}")
