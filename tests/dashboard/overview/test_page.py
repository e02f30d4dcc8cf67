"""Overview: how the system stands, in one look."""

import httpx

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.source import Source


def test_each_state_has_its_count(api: FakeApi, open_page: OpenPage) -> None:
    for state in ("QUEUED", "QUEUED", "FAILED"):
        api.add_job(state)
    page = open_page("overview")
    counts = {metric.label: metric.value for metric in page.metric}
    assert counts == {
        "Scheduled": "0",
        "Queued": "2",
        "Running": "0",
        "Retrying": "0",
        "Completed": "0",
        "Failed": "1",
        "Cancelled": "0",
    }


def test_queues_workers_and_failures_are_listed(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    queues, workers, failures = (table.value for table in open_page("overview").dataframe)
    assert list(queues["queue"]) == ["default"]
    assert list(workers["worker"]) == ["w1"]
    assert list(failures["error"]) == ["Trouble: no [luck]"]


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    open_page("overview")
    assert [name for name, _ in api.sent] == ["Overview"]


def test_a_new_system_says_what_would_be_here(api: FakeApi, open_page: OpenPage) -> None:
    api.workers.clear()
    api.schemas.clear()
    said = texts(open_page("overview"))
    assert "No queue has been used yet" in said
    assert "No worker has registered" in said
    assert "No job has failed" in said


def test_no_worker_online_is_a_warning(api: FakeApi, open_page: OpenPage) -> None:
    api.workers.clear()
    api.add_worker("gone", online=False)
    assert ":orange-badge[:material/memory: 0 workers]" in texts(open_page("overview"))


def test_figures_and_their_time_stay_when_the_api_goes_away(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    api.add_job("QUEUED")
    page = open_page("overview")
    api.problem = httpx.ConnectError("refused")
    source.expire()
    look(page)
    assert page.error[0].value.startswith(r"Nothing answers at http\://api.test/graphql. The figures are from ")
    assert page.metric[1].value == "1"


def test_it_recovers_by_itself(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    api.problem = httpx.ConnectError("refused")
    page = open_page("overview")
    assert len(page.error) == 1
    assert len(page.metric) == 0
    api.problem = None
    source.expire()
    look(page)
    assert len(page.error) == 0
    assert len(page.metric) == 7


def test_redis_away_is_told_from_the_api_away(api: FakeApi, open_page: OpenPage) -> None:
    api.error_code = "UNAVAILABLE"
    said = texts(open_page("overview"))
    assert ":red-badge[:material/close: Redis]" in said
    assert "Redis does not answer" in said


def test_the_viewer_chooses_how_often_it_refreshes(open_page: OpenPage) -> None:
    page = open_page("overview")
    assert page.selectbox(key="refresh").options == ["Every 1 s", "Every 2 s", "Every 5 s", "Every 10 s", "Off"]
    assert page.selectbox(key="refresh").value == 2.0
    page.selectbox(key="refresh").set_value(0.0)
    look(page)
