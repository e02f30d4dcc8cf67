"""9. Whoever has no code of the tasks enqueues by name, reads, steers and listens: that is what the API does."""

import pytest

from support.bench import Bench
from taskengine import Client, InvalidInput, JobFilter, JobState, TaskEngine


async def test_a_worker_publishes_its_tasks_and_anyone_may_enqueue_them(
    engine: TaskEngine, worker: Bench, redis_url: str
) -> None:
    @engine.task(name="mail.send")
    def send(to: str) -> None:
        """Send one mail."""

    worker.publish()  # what a worker does when it starts
    client = Client(redis_url, namespace=engine.name)
    assert [(task.name, task.description) for task in await client.list_tasks()] == [("mail.send", "Send one mail.")]
    job = await client.enqueue_job("mail.send", {"to": "ann@example.org"})
    assert job.state == "QUEUED"
    with pytest.raises(InvalidInput, match="args.to: expected string, got 7"):
        await client.enqueue_job("mail.send", {"to": 7})
    await client.close()


async def test_jobs_are_listed_newest_first_and_by_state(engine: TaskEngine, worker: Bench, redis_url: str) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    first, second = add(1, 2), add(3, 4)
    worker.run()
    client = Client(redis_url, namespace=engine.name)
    assert [job.id for job in (await client.list_jobs()).jobs] == [second.id, first.id]
    completed = await client.list_jobs(JobFilter(states=(JobState.COMPLETED,)))
    assert [job.result for job in completed.jobs] == [3]
    await client.close()


async def test_whoever_listens_hears_of_every_move(engine: TaskEngine, worker: Bench, redis_url: str) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    client = Client(redis_url, namespace=engine.name)
    begin = await client.newest_cursor()
    add(1, 2)
    worker.run()
    events = client.events(after=begin)
    assert [(await anext(events)).to_state for _ in range(3)] == ["QUEUED", "RUNNING", "COMPLETED"]
    await client.close()
