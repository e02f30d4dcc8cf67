"""``/healthz``, ``/readyz`` and ``/metrics``: for those who watch, whether Redis is there or not."""

import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from support.api import Api, Socket, a_socket, end, run, running_api
from support.redis_server import RedisServer
from support.waiting import until
from taskengine.store import Ending
from taskengine_api import exposition

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """What one scrape told."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))


async def scrape(api: Api) -> Scrape:
    response = await api.http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return Scrape(response.text)


@pytest.fixture
async def own_api(durable_redis: RedisServer) -> AsyncGenerator[Api]:
    """An API on a Redis that the test may kill."""
    async with running_api(durable_redis.url) as api:
        yield api


# Alive and ready


async def test_a_process_is_alive_whether_redis_is_or_not(own_api: Api, durable_redis: RedisServer) -> None:
    durable_redis.kill()
    response = await own_api.http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_it_is_ready_when_redis_answers(api: Api) -> None:
    response = await api.http.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_being_ready_means_that_redis_has_every_script(api: Api, redis: Redis) -> None:
    redis.script_flush()
    assert (await api.http.get("/readyz")).status_code == 200
    assert await api.client.load_scripts() == 0


async def test_without_redis_it_is_not_ready_says_why_and_comes_back(own_api: Api, durable_redis: RedisServer) -> None:
    durable_redis.kill()
    response = await own_api.http.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "Redis does not answer" in response.json()["reason"]

    durable_redis.restart()

    async def ready() -> bool:
        return (await own_api.http.get("/readyz")).status_code == 200

    await until(ready)


async def test_a_redis_that_hangs_is_not_waited_for(
    own_api: Api, durable_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskengine_api.health.READY_SECONDS", 0.1)
    with durable_redis.client() as redis:
        redis.execute_command("CLIENT", "PAUSE", "60000", "ALL")
    response = await own_api.http.get("/readyz")
    durable_redis.kill()
    assert response.status_code == 503
    assert response.json()["reason"] == "Redis does not answer within 0.1 s"


# Metrics: what there is


async def test_jobs_are_told_by_queue_task_and_state(api: Api, redis: Redis) -> None:
    for _ in range(3):
        await api.enqueue()
    run(redis)
    told = await scrape(api)
    lane = {"queue": "default", "task": "universal"}
    assert told.value("taskengine_jobs", **lane, state="queued") == 2
    assert told.value("taskengine_jobs", **lane, state="running") == 1
    assert told.value("taskengine_jobs", **lane, state="failed") == 0


async def test_the_longest_wait_of_a_queue_is_told(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    redis.hset(f"te:{{default}}:job:{job_id}", "ready_at", int(time.time() * 1000) - 90_000)
    wait = (await scrape(api)).value("taskengine_oldest_wait_seconds", queue="default")
    assert wait is not None
    assert 80 < wait < 300


async def test_workers_their_slots_and_redis_memory_are_told(api: Api, redis: Redis) -> None:
    told = await scrape(api)
    assert told.value("taskengine_workers", state="online") == 1
    assert told.value("taskengine_workers", state="offline") == 0
    assert told.value("taskengine_worker_slots") == 2
    assert told.value("taskengine_redis_up") == 1
    memory = told.value("taskengine_redis_memory_bytes")
    assert memory is not None
    assert memory > 100_000


# Metrics: what ever happened


async def test_what_happened_is_told_as_counters(api: Api, redis: Redis) -> None:
    for ending in (Ending.COMPLETED, Ending.FAILED):
        await api.enqueue()
        end(redis, run(redis), ending)
    await api.client.cancel_job(await api.enqueue())
    told = await scrape(api)
    lane = {"queue": "default", "task": "universal"}
    assert told.value("taskengine_jobs_enqueued_total", **lane) == 3
    assert told.value("taskengine_jobs_cancelled_total", **lane) == 1
    outcomes = {one: told.value("taskengine_attempts_total", **lane, outcome=one) for one in ("completed", "failed")}
    assert outcomes == {"completed": 1, "failed": 1}


async def test_waits_and_runs_are_histograms(api: Api, redis: Redis) -> None:
    for _ in range(4):
        await api.enqueue()
        end(redis, run(redis))
    told = await scrape(api)
    for name in ("taskengine_wait_seconds", "taskengine_run_seconds"):
        assert told.families[name].type == "histogram"
        buckets = [sample for sample in told.families[name].samples if sample.name.endswith("_bucket")]
        assert [sample.value for sample in buckets] == sorted(sample.value for sample in buckets)
        assert [sample.labels["le"] for sample in buckets[:2]] == ["0.001", "0.002"]
        assert (buckets[-1].labels["le"], buckets[-1].value) == ("+Inf", 4)


async def test_many_queues_make_no_more_series_than_allowed(
    api: Api, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "MOST_LANES", 2)
    for queue in ("a", "b", "c", "d"):
        await api.data(
            """mutation ($queue: String!) {
              enqueueJob(input: { task: "universal", args: {}, options: { queue: $queue } }) { errors { message } }
            }""",
            queue=queue,
        )
    told = await scrape(api)
    queues = {sample.labels["queue"] for sample in told.families["taskengine_jobs"].samples}
    assert queues == {"a", "b", exposition.OTHER}
    assert told.value("taskengine_jobs", queue="(other)", task="(other)", state="queued") == 2
    assert told.value("taskengine_jobs_enqueued_total", queue="(other)", task="(other)") == 2


async def test_a_scrape_is_one_round_trip(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await scrape(api)
    looks: list[Any] = []
    look = api.client._look

    async def counted(calls: Any) -> Any:
        looks.append(calls)
        return await look(calls)

    monkeypatch.setattr(api.client, "_look", counted)
    await scrape(api)
    assert len(looks) == 1


async def test_a_redis_without_our_scripts_is_given_them(api: Api, redis: Redis) -> None:
    redis.script_flush()
    assert (await scrape(api)).value("taskengine_redis_up") == 1


async def test_without_redis_what_the_process_knows_is_told(own_api: Api, durable_redis: RedisServer) -> None:
    durable_redis.kill()
    told = await scrape(own_api)
    assert told.value("taskengine_redis_up") == 0
    assert "taskengine_jobs" not in told.families
    assert "taskengine_api_operations" in told.families


# Metrics: what this process does


async def test_operations_are_counted_by_their_kind_and_errors_by_their_code(api: Api) -> None:
    await api.data("{ counts { queued } }")
    await api.data('mutation { cancelJob(input: { id: "job_none" }) { errors { code } } }')
    await api.answer("{ nothing }")
    await api.answer("{ jobs(first: 0) { totalCount } }")
    await api.http.post("/graphql", content=b"x", headers={"Content-Type": "text/plain"})
    told = await scrape(api)
    counts = {one: told.value("taskengine_api_operations_total", type=one) for one in ("query", "mutation", "refused")}
    assert counts == {"query": 2, "mutation": 1, "refused": 1}
    assert told.value("taskengine_api_errors_total", code="BAD_REQUEST") == 2
    assert told.value("taskengine_api_errors_total", code="BAD_USER_INPUT") == 1
    assert told.value("taskengine_api_operation_seconds_count", type="query") == 2


async def test_what_operations_cost_is_added_up(api: Api) -> None:
    told = [await api.answer("{ counts { queued } }") for _ in range(2)]
    await api.answer("{ jobs(first: 100) { nodes { attempts(first: 100) { nodes { number } } } } }")  # too much
    cost = sum(answer["extensions"]["cost"]["requested"] for answer in told)
    assert (await scrape(api)).value("taskengine_api_points_total", type="query") == cost == 4


async def test_open_subscriptions_are_counted_while_they_are_open(api: Api, address: str) -> None:
    async def open_now() -> float | None:
        return (await scrape(api)).value("taskengine_api_subscriptions")

    assert await open_now() == 0
    async with a_socket(address) as socket:
        await follow(api, socket)
        assert await open_now() == 1

    async def none_open() -> bool:
        return await open_now() == 0

    await until(none_open)


async def test_a_stream_is_counted_likewise(api: Api, address: str) -> None:
    body = {"query": "subscription { jobEvents { cursor } }"}
    headers = {"Accept": "text/event-stream"}

    async def open_now() -> float | None:
        return (await scrape(api)).value("taskengine_api_subscriptions")

    async with (
        httpx.AsyncClient() as http,
        http.stream("POST", f"http://{address}/graphql", json=body, headers=headers),
    ):

        async def one_open() -> bool:
            return await open_now() == 1

        await until(one_open)

    async def none_open() -> bool:
        return await open_now() == 0

    await until(none_open)


async def follow(api: Api, socket: Socket) -> None:
    """Subscribe to everything, and return when that is live."""
    await socket.subscribe("subscription ($after: String) { jobEvents(after: $after) { cursor } }", after="0-0")
    await api.enqueue()
    await socket.next()
