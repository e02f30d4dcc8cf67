"""Workers: what each runs and uses, and draining one."""

from typing import Any

from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.changes.workers import drain
from taskengine_dashboard.views.workers import tables
from taskengine_dashboard.views.workers.worker import Worker


def busy(api: FakeApi, **facts: Any) -> str:
    """Have worker ``w1`` run a job; return the job's id."""
    job_id = api.add_job("RUNNING")
    worker = {"id": "worker_w1", "draining": False, "cpuPercent": 42.4, "memoryBytes": 123.4e6, **facts}
    api.workers[0] |= worker | {"runningJobs": [api.job(job_id)]}
    return job_id


def tables_of(page: AppTest) -> list[Any]:
    return [table.value for table in page.dataframe]


def test_each_worker_tells_what_it_runs_and_uses(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    workers, _ = tables_of(open_page("workers"))
    row = workers.to_dict("records")[0]
    assert (row["worker"], row["busy"], row["cpu"], row["memory"]) == ("w1", "1 / 4", "42 %", "123.4 MB")
    assert (row["host"], row["up"], row["seen"]) == ("house · 1", "1 h 00 min", "just now")


def test_what_runs_is_listed_with_how_long(api: FakeApi, open_page: OpenPage) -> None:
    job_id = busy(api)
    _, slots = tables_of(open_page("workers"))
    row = slots.to_dict("records")[0]
    assert job_id.endswith(row["job"].removeprefix("…"))
    assert (row["task"], row["worker"], row["ran"], row["attempt"]) == ("greet", "w1", "10 s", "1 / 3")


def test_one_that_is_offline_comes_last_and_cannot_be_drained(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    api.workers.insert(0, {**api.workers[0], "name": "a-gone", "online": False, "runningJobs": []})
    page = open_page("workers")
    workers, _ = tables_of(page)
    assert list(workers["worker"]) == ["w1", "a-gone"]
    assert list(workers["state"].map(list)) == [["Online"], ["Offline"]]
    assert [list(offers) if offers is not None else None for offers in workers["drain"]] == [["Drain w1"], None]
    assert list(workers["cpu"].notna()) == [True, False]
    assert "1 worker online · 1 of 4 slots busy · 1 offline" in texts(page)


def test_one_that_drains_says_so(api: FakeApi, open_page: OpenPage) -> None:
    busy(api, draining=True)
    workers, _ = tables_of(open_page("workers"))
    assert list(workers["state"].map(list)) == [["Draining"]]


def test_the_worker_that_is_named_is_drained_wherever_its_row_is_by_now(api: FakeApi) -> None:
    busy(api)
    first, second = (Worker.read({**api.workers[0], "id": f"worker_{name}", "name": name}) for name in ("a", "b"))
    said = tables.drain(second, [first, second])
    assert said == "Drain b"
    assert tables.drained(said, [first, second]) == tables.drained(said, [second, first]) == second
    assert tables.drained(said, [first]) is None


def test_two_workers_of_one_name_are_told_apart(api: FakeApi) -> None:
    busy(api)
    twins = [Worker.read({**api.workers[0], "id": f"worker_{number}"}) for number in (1, 2)]
    assert [tables.drained(tables.drain(twin, twins), twins) for twin in twins] == twins


def test_draining_is_sent_by_id(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    open_page("workers")
    api.answers["drainWorker"] = {"worker": {"name": "w1", "draining": True}, "errors": []}
    assert drain("worker_w1").is_done
    assert api.asked("DrainWorker") == [{"input": {"id": "worker_w1"}}]


def test_what_runs_longest_stands_first(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    short = {**api.jobs[0], "id": "job_short", "runSeconds": 0.5}
    api.workers[0]["runningJobs"].insert(0, short)
    _, slots = tables_of(open_page("workers"))
    assert list(slots["ran"]) == ["10 s", "500 ms"]


def test_without_workers_the_page_says_what_to_do(api: FakeApi, open_page: OpenPage) -> None:
    api.workers.clear()
    assert "taskengine worker MODULE:ENGINE" in texts(open_page("workers"))


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    look(open_page("workers"))
    assert {name for name, _ in api.sent} == {"Workers"}


def test_what_a_lost_worker_held_and_what_has_ended_since_does_not_run(api: FakeApi, open_page: OpenPage) -> None:
    busy(api)
    done = api.job(api.add_job("COMPLETED"))
    api.workers[0]["runningJobs"].append(done)
    api.workers.append({**api.workers[0], "name": "lost", "online": False})
    _, slots = tables_of(open_page("workers"))
    assert list(slots["worker"]) == ["w1"]
