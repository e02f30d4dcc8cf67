"""A worker drained by the button in its row, while rows move."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.household import Household
from support.redis_server import RedisServer
from support.viewer import Viewer
from support.waiting import wait_until
from support.workers import WorkerProcess

QUEUES = ("ash", "elm", "oak")
BUTTON = 190
"""Where in a row it is, in pixels."""
DRAIN = "mutation($id: ID!) { drainWorker(input: {id: $id}) { errors { message } } }"
STOP = "mutation($id: ID!) { cancelJob(input: {id: $id, terminate: true}) { errors { message } } }"


@pytest.fixture
def house(durable_redis: RedisServer, tmp_path: Path) -> Iterator[Household]:
    """A system whose own worker has been drained: those that a test starts are all that there are."""
    house = Household(tmp_path, redis_url=durable_redis.url)
    try:
        house.start()
        (own,) = online(house).values()
        drain(house, own)
        wait_until(lambda: not online(house), 30, "its own worker has ended")
        yield house
    finally:
        house.stop()


@pytest.fixture
def workers(house: Household, durable_redis: RedisServer, tmp_path: Path) -> Iterator[dict[str, WorkerProcess]]:
    """Three workers, each with a queue of its own, by their names: in the order in which the page lists them."""
    processes = [
        WorkerProcess("support.universal:engine", durable_redis.url, data_dir=tmp_path / queue, queues=[queue])
        for queue in QUEUES
    ]
    try:
        for process in processes:
            process.start()
        wait_until(lambda: len(online(house)) == len(processes), 30, "all are there")
        yield {name: next(one for one in processes if f"-{one.pid}-" in name) for name in sorted(online(house))}
    finally:
        for process in processes:
            process.kill()


def online(house: Household) -> dict[str, str]:
    """Return the ids of the workers that are there, by their names."""
    found = house.graphql("{ workers(online: true) { id name } }")["workers"]
    return {worker["name"]: worker["id"] for worker in found}


def draining(house: Household) -> dict[str, bool]:
    found = house.graphql("{ workers(online: true) { name draining } }")["workers"]
    return {worker["name"]: worker["draining"] for worker in found}


def drain(house: Household, worker_id: str) -> None:
    assert house.graphql(DRAIN, id=worker_id)["drainWorker"] == {"errors": []}


def queue_of(house: Household, name: str) -> str:
    found = house.graphql("{ workers(online: true) { name queues { name } } }")["workers"]
    return next(worker["queues"][0]["name"] for worker in found if worker["name"] == name)


def test_the_worker_that_one_was_asked_about_is_drained_also_when_its_row_has_moved(
    house: Household, workers: dict[str, WorkerProcess], viewer: Viewer
) -> None:
    first, other, meant = workers
    job_id = house.enqueue("universal", {"do": "HANG"}, queue=queue_of(house, meant))
    house.until(job_id, "RUNNING")
    viewer.open("/workers")
    wait_until(lambda: list(viewer.rows()) == [first, other, meant], 20, "all are listed")
    viewer.click_row(meant, BUTTON)
    question = viewer.page.get_by_role("dialog", name=f"Drain {meant}?")
    expect(question).to_contain_text("finishes the 1 job that it runs")
    drain(house, online(house)[first])
    wait_until(lambda: list(viewer.rows()) == [other, meant], 30, "the rows have moved")
    viewer.press("confirm-yes")
    viewer.said(f"Worker {meant} drains, and stops when it is done.")
    wait_until(lambda: "Draining" in viewer.rows()[meant], 20, "the page says that it drains")
    assert draining(house) == {other: False, meant: True}
    assert house.job(job_id)["state"] == "RUNNING"
    assert house.graphql(STOP, id=job_id)["cancelJob"] == {"errors": []}
    assert workers[meant].wait() == 0
    wait_until(lambda: list(viewer.rows()) == [other], 20, "it is listed no more")
    assert list(online(house)) == [other]
