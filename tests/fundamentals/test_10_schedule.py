"""10. Again and again: at set times, declared in code or made from outside."""

import asyncio

from support.bench import Bench
from support.schedules import make_due
from taskengine import Client, TaskEngine
from taskengine.worker.declaring import register_schedules


def started(worker: Bench) -> None:
    """What a worker does when it starts."""
    worker.publish()
    register_schedules(worker.engine, "w")


def test_a_schedule_is_declared_above_its_task(engine: TaskEngine, worker: Bench) -> None:
    @engine.schedule(cron="30 2 * * *", timezone="Europe/Berlin", args={"day": "yesterday"})
    @engine.task()
    def report(day: str) -> str:
        return f"the report of {day}"

    started(worker)
    make_due(worker.redis, "report")  # it is half past two
    engine.read_schedule()  # which each worker looks for every second
    job = worker.run()
    assert (job.result, job.schedule) == ("the report of yesterday", "report")


async def test_it_is_seen_and_steered_from_outside(engine: TaskEngine, worker: Bench, redis_url: str) -> None:
    @engine.schedule(every_seconds=300)
    @engine.task()
    def tidy() -> None: ...

    await asyncio.to_thread(started, worker)
    client = Client(redis_url, namespace="test")
    (schedule,) = await client.list_schedules()
    assert (schedule.name, schedule.summary, schedule.enabled) == ("tidy", "Every 5 minutes", True)
    assert (await client.update_schedule("tidy", enabled=False)).next_run_at is None
    assert (await client.run_schedule("tidy")).schedule == "tidy"
    await client.close()
