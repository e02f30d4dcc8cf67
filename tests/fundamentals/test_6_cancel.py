"""6. What is not needed any more: taken out while it waits, asked to stop while it runs."""

from support.bench import Bench
from taskengine import Client, JobCancelled, TaskEngine, current_job


async def test_a_job_that_waits_is_cancelled_and_never_runs(engine: TaskEngine, redis_url: str) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    result = send("ann@example.org")
    client = Client(redis_url, namespace=engine.name)
    job = await client.cancel_job(result.id, reason="she called")
    await client.close()
    assert (job.state, job.cancel_reason) == ("CANCELLED", "she called")


async def test_a_job_that_runs_is_asked_to_stop_and_does_so_at_its_next_checkpoint(
    engine: TaskEngine, worker: Bench, redis_url: str
) -> None:
    counted: list[int] = []

    @engine.task()
    def count() -> None:
        for number in range(1_000_000):
            counted.append(number)
            if number == 2:
                worker.beat()  # a heartbeat brings the news; a real worker has one each second
            current_job.check()

    result = count()
    task = worker.claim()
    client = Client(redis_url, namespace=engine.name)
    await client.cancel_job(result.id, terminate=True)
    await client.close()
    engine.execute(task)
    worker.dispatcher.flush()
    assert (result.job().state, counted) == ("CANCELLED", [0, 1, 2])


def test_a_task_may_tidy_up_before_it_stops(engine: TaskEngine, worker: Bench) -> None:
    tidied: list[str] = []

    @engine.task()
    def count() -> None:
        try:
            raise JobCancelled(current_job.id)  # what a checkpoint raises
        finally:
            tidied.append("closed the file")

    count()
    assert worker.run().state == "CANCELLED"
    assert tidied == ["closed the file"]
