"""``taskengine up`` for real: one command, everything runs, and nothing is left when it stops."""

import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from support.household import Household, alive
from support.ports import free_port
from support.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """One that runs, for the tests that only look, or break what comes back."""
    house = Household(tmp_path_factory.mktemp("house"))
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[Household]:
    """One of this test alone, not yet started."""
    house = Household(tmp_path)
    yield house
    house.stop()


# It runs


def test_it_says_where_everything_is(house: Household) -> None:
    assert f"{house.api}/graphql" in house.said
    assert house.dashboard in house.said
    assert "Ctrl-C" in house.said


def test_the_api_is_well(house: Household) -> None:
    assert httpx.get(f"{house.api}/healthz").status_code == 200


def test_graphiql_is_there_for_a_browser(house: Household) -> None:
    page = httpx.get(f"{house.api}/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "graphiql" in page.text.lower()


def test_the_dashboard_is_well(house: Household) -> None:
    assert httpx.get(f"{house.dashboard}/_stcore/health").text == "ok"


def test_everything_listens_on_the_loopback_alone(house: Household) -> None:
    listening = {
        connection.laddr.ip
        for process in house.processes().values()
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_job_sent_through_the_api_is_run(house: Household) -> None:
    job_id = house.enqueue("universal", {"value": {"answer": 42}})
    assert house.until(job_id, "COMPLETED")["result"] == {"answer": 42}


# What dies comes back


@pytest.mark.parametrize("role", ["worker", "api", "dashboard", "redis"])
def test_a_process_that_is_killed_is_started_again_and_that_is_said(house: Household, role: str) -> None:
    killed = house.processes()[role]
    before = len(house.said)
    killed.kill()
    wait_until(lambda: "runs again" in house.said[before:], 60, f"the {role} runs again")
    assert re.search(rf"(?m)^{role} +│ was killed by SIGKILL; starting it again in [\d.]+ s$", house.said[before:])
    assert house.processes()[role].pid != killed.pid


def test_after_all_that_a_job_is_run_as_before(house: Household) -> None:
    wait_until(lambda: httpx.get(f"{house.api}/healthz").status_code == 200, 20, "the API is well")
    assert house.until(house.enqueue("universal", {"value": "still"}), "COMPLETED")["result"] == "still"


# Drained from afar


def test_a_worker_that_is_drained_ends_its_job_and_is_not_started_again(own_house: Household) -> None:
    own_house.start()
    running = own_house.enqueue("universal", {"ms": 1500, "value": "done"})
    own_house.until(running, "RUNNING")
    (worker,) = own_house.graphql("{ workers(online: true) { id } }")["workers"]
    drain = "mutation($id: ID!) { drainWorker(input: {id: $id}) { worker { draining } errors { message } } }"
    assert own_house.graphql(drain, id=worker["id"])["drainWorker"] == {"worker": {"draining": True}, "errors": []}
    later = own_house.enqueue("universal", {})
    own_house.hear("worker    │ ended as it was asked to, and is not started again")
    assert own_house.job(running)["result"] == "done"
    assert own_house.job(later)["state"] == "QUEUED"
    assert own_house.graphql("{ workers { id } }") == {"workers": []}
    assert {"redis", "api", "dashboard"} <= own_house.processes().keys()
    assert "worker" not in own_house.processes()
    assert own_house.stop() == 0


# It stops


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_all_of_it_and_nothing_is_left(own_house: Household, number: signal.Signals) -> None:
    own_house.start()
    processes = own_house.processes()
    assert {"up", "redis", "worker", "api", "dashboard"} <= set(processes)
    own_house.signal(number)
    assert own_house.ended() == 0
    assert alive(processes) == []
    assert not (own_house.folder / ".taskengine" / "redis.url").exists()


def test_what_was_queued_and_what_ran_is_there_again_after_a_restart(own_house: Household) -> None:
    own_house.start()
    later = own_house.enqueue("universal", {}, delaySeconds=3600)
    running = own_house.enqueue("universal", {"ms": 1500, "value": "done"})
    own_house.until(running, "RUNNING")
    assert own_house.stop() == 0

    own_house.start()
    assert own_house.job(later)["state"] == "SCHEDULED"
    assert own_house.job(running) == {"state": "COMPLETED", "result": "done", "attemptCount": 1}


def test_a_second_signal_gives_running_jobs_back_at_once(own_house: Household) -> None:
    own_house.start()
    job_id = own_house.enqueue("universal", {"ms": 600_000})
    own_house.until(job_id, "RUNNING")
    processes = own_house.processes()
    began = time.monotonic()
    own_house.signal(signal.SIGINT)
    own_house.hear("Stopping")
    wait_until(lambda: time.monotonic() - began > 1.2, 5)  # sooner it would be the same Ctrl-C
    own_house.signal(signal.SIGINT)
    assert own_house.ended() == 0
    assert time.monotonic() - began < 15  # with one signal it would have waited 25 s
    assert alive(processes) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ties a process to its parent")
def test_killed_itself_it_leaves_nothing_and_blocks_no_next_one(own_house: Household) -> None:
    own_house.start()
    later = own_house.enqueue("universal", {}, delaySeconds=3600)
    processes = own_house.processes()
    own_house.signal(signal.SIGKILL)
    assert own_house.ended() == -signal.SIGKILL
    wait_until(lambda: not alive(processes), 10, "all of it has ended")

    own_house.start()
    assert own_house.job(later)["state"] == "SCHEDULED"


# It cannot start


@pytest.mark.parametrize("name", ["api_port", "dashboard_port"])
def test_a_port_in_use_is_named(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, _, told = Household(tmp_path, **{name: port}).fail()
    assert code == 2
    assert (
        told == f"taskengine: TASKENGINE_{name.upper()} is {port}, but another program is using it; set another port\n"
    )


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, told = Household(tmp_path, data_dir=tmp_path / "file").fail()
    assert code == 2
    assert told.startswith("taskengine: TASKENGINE_DATA_DIR is ")
    assert told.count("\n") == 1


def test_a_redis_that_does_not_answer_is_named(tmp_path: Path) -> None:
    port = free_port()
    code, _, told = Household(tmp_path, redis_url=f"redis://:hunter2@127.0.0.1:{port}/0").fail()
    assert code == 1
    assert told.startswith(
        f"taskengine: TASKENGINE_REDIS_URL: no Redis answers at 127.0.0.1:{port} (Connection refused)"
    )
    assert told.count("\n") == 1
    assert "hunter2" not in told


def test_a_second_one_in_the_same_directory_is_refused(house: Household) -> None:
    code, _, told = Household(house.folder).fail()
    assert code == 2
    assert told.startswith("taskengine: TASKENGINE_DATA_DIR is '.taskengine', which another `taskengine up` uses")
    assert told.count("\n") == 1


def test_an_engine_that_is_not_there_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    before = {process.pid for process in psutil.process_iter()}
    code, _, told = Household(tmp_path, "nowhere.tasks:engine").fail()
    assert code == 1
    assert told.startswith("taskengine: the worker did not start: nowhere.tasks:engine names no module 'nowhere'")
    assert told.count("\n") == 1
    left = [process for process in psutil.process_iter(["pid", "cwd"]) if process.info["pid"] not in before]
    assert [process for process in left if process.info["cwd"] == str(tmp_path)] == []


# The README


def test_the_readme_can_be_followed_word_by_word(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (module,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    bodies = re.findall(r"<<'END'\n(.*?)\nEND", readme, re.DOTALL)
    (target,) = re.findall(r"taskengine up (\S+:\S+)\n", readme)
    (tmp_path / "hello.py").write_text(module)
    house = Household(tmp_path, target)
    headers = {"content-type": "application/json"}
    try:
        house.start()
        sent = httpx.post(f"{house.api}/graphql", content=bodies[0], headers=headers).json()
        job = sent["data"]["enqueueHelloGreet"]["job"]
        assert sent["data"]["enqueueHelloGreet"]["errors"] == []
        house.until(job["id"], "COMPLETED")
        asked = httpx.post(
            f"{house.api}/graphql", content=bodies[1].replace("job_…", job["id"]).encode(), headers=headers
        )
        assert asked.json()["data"]["job"] == {
            "state": "COMPLETED",
            "result": "Hello Ada! Hello Ada! Hello Ada!",
            "progress": {"current": 3, "total": 3},
        }
    finally:
        house.stop()
