"""``Job.waiting``: the one reason that a job is not running, and when it may start."""

from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from support.api import Api, end, run
from taskengine.jobs import Options
from taskengine.rules import Kind

WAITING = """
query ($id: ID!) {
  job(id: $id) { waiting { reason message jobsAhead until estimatedStartAt } dependsOn { id } dependents { id } }
}
"""


async def job(api: Api, id: str) -> Any:
    return (await api.data(WAITING, id=id))["job"]


async def test_a_job_that_is_next_only_needs_a_worker(api: Api) -> None:
    waiting = (await job(api, await api.enqueue()))["waiting"]
    assert (waiting["reason"], waiting["jobsAhead"], waiting["until"]) == ("STARTING", 0, None)


async def test_a_job_tells_how_many_are_ahead_and_when_it_may_start(api: Api, redis: Redis) -> None:
    for _ in range(10):
        await api.enqueue()
        end(redis, run(redis))
    await api.enqueue()
    waiting = (await job(api, await api.enqueue()))["waiting"]
    assert (waiting["reason"], waiting["jobsAhead"]) == ("JOBS_AHEAD", 1)
    start = datetime.fromisoformat(waiting["estimatedStartAt"]) - datetime.now(UTC)
    assert timedelta(0) < start < timedelta(minutes=1)


async def test_a_queue_that_is_not_moving_gives_no_estimate(api: Api) -> None:
    await api.enqueue()
    waiting = (await job(api, await api.enqueue()))["waiting"]
    assert (waiting["reason"], waiting["estimatedStartAt"]) == ("JOBS_AHEAD", None)


async def test_a_scheduled_job_waits_for_its_time(api: Api) -> None:
    waiting = (await job(api, await api.enqueue(options=Options(delay=60))))["waiting"]
    assert waiting["reason"] == "RUN_AT"
    assert datetime.fromisoformat(waiting["until"]) > datetime.now(UTC)


async def test_a_paused_queue_says_who_paused_it(api: Api) -> None:
    job_id = await api.enqueue()
    await api.client.pause(Kind.QUEUE, "default", by="ops@", reason="incident 7")
    waiting = (await job(api, job_id))["waiting"]
    assert waiting["reason"] == "QUEUE_PAUSED"
    assert waiting["message"].endswith("by ops@: incident 7")


async def test_a_job_and_those_it_depends_on_know_each_other(api: Api) -> None:
    first = await api.enqueue()
    second = await api.enqueue(options=Options(depends_on=(first,)))
    waiting = await job(api, second)
    assert (waiting["waiting"]["reason"], waiting["dependsOn"]) == ("DEPENDENCY", [{"id": first}])
    assert (await job(api, first))["dependents"] == [{"id": second}]


async def test_a_job_that_runs_or_has_ended_waits_for_nothing(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    running = run(redis)
    assert (await job(api, job_id))["waiting"] is None
    end(redis, running)
    assert (await job(api, job_id))["waiting"] is None
