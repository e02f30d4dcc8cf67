"""Overview: how the system stands, in one look."""

import httpx
import pytest

from support.fake_api import FakeApi, group
from support.pages import OpenPage, links, look, texts
from taskengine_dashboard.source import Source


def test_each_figure_has_a_note(open_page: OpenPage) -> None:
    page = open_page("overview")
    assert {metric.label: (metric.value, metric.delta) for metric in page.metric} == {
        "Throughput": ("1.2/min", "4 completed"),
        "Success": ("80.0 %", "of 5 finished"),
        "Failures": ("1", "1 retried"),
        "Waiting": ("0", "7 enqueued"),
        "Running": ("0", "of 4 slots"),
        "Wait p95": ("9.5 s", "oldest 12 s"),
    }


def test_each_state_has_its_count(api: FakeApi, open_page: OpenPage) -> None:
    for state in ("QUEUED", "QUEUED", "FAILED"):
        api.add_job(state)
    labels = [link.label for link in links(open_page("overview"))]
    assert ":gray[:material/hourglass_empty:] 2 queued" in labels
    assert ":red[:material/error:] 1 failed" in labels
    assert ":green[:material/check_circle:] 0 completed" in labels


@pytest.mark.parametrize(
    ("label", "address"),
    [
        (":red[:material/error:] Failures", "state=FAILED&finished=24h"),
        (":green[:material/check_circle:] Success", "state=COMPLETED&finished=24h"),
        (":gray[:material/hourglass_empty:] Waiting", "state=QUEUED"),
        (":red[:material/error:] 0 failed", "state=FAILED"),
    ],
)
def test_a_figure_leads_to_the_jobs_that_it_counts(open_page: OpenPage, label: str, address: str) -> None:
    (link,) = [link for link in links(open_page("overview", window="DAY")) if link.label == label]
    assert (link.page, link.query_string) == ("jobs", address)


def test_the_window_is_in_the_address(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("overview")
    page.segmented_control(key="window").set_value("WEEK")
    look(page)
    assert page.query_params["window"] == "WEEK"
    assert [asked["window"] for asked in api.asked("Overview")] == ["HOUR", "WEEK"]


def test_a_window_that_is_none_is_an_hour(api: FakeApi, open_page: OpenPage) -> None:
    open_page("overview", window="YEAR")
    assert api.asked("Overview")[0]["window"] == "HOUR"


def test_queues_workers_and_problems_are_listed(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("QUEUED")
    api.groups.append(group())
    queues, workers, problems = (table.value for table in open_page("overview").dataframe)
    assert list(queues["queue"]) == ["default"]
    assert list(workers["worker"]) == ["w1"]
    assert list(problems["problem"]) == ["Trouble: no [luck] with #"]
    assert list(problems["failed"]) == [12]
    assert list(problems["course"][0]) == [0] * 22 + [22, 23]


def test_the_deepest_queue_comes_first(api: FakeApi, open_page: OpenPage) -> None:
    for name, state in (("ash", "COMPLETED"), ("mail", "QUEUED"), ("elm", "RUNNING")):
        api.add_job(state, queue={"name": name})
    assert list(open_page("overview").dataframe[0].value["queue"]) == ["mail", "ash", "default", "elm"]


def test_of_many_queues_and_workers_the_first_are_listed_with_a_link_to_all(api: FakeApi, open_page: OpenPage) -> None:
    for number in range(9):
        api.add_job("QUEUED", queue={"name": f"q{number}"})
        api.add_worker(f"a{number}", online=number == 8)
    page = open_page("overview")
    queues, workers = (table.value for table in page.dataframe)
    assert list(queues["queue"]) == [f"q{number}" for number in range(8)]
    assert list(workers["worker"]) == ["a8", "w1", *(f"a{number}" for number in range(6))]
    assert {"All 10 queues", "All 10 workers"} <= {link.label for link in links(page)}
    assert page.metric[4].delta == "of 8 slots", "all of them count"


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
    assert ":gray[:material/hourglass_empty:] 1 queued" in [link.label for link in links(page)]


def test_it_recovers_by_itself(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    api.problem = httpx.ConnectError("refused")
    page = open_page("overview")
    assert len(page.error) == 1
    assert len(page.metric) == 0
    api.problem = None
    source.expire()
    look(page)
    assert len(page.error) == 0
    assert len(page.metric) == 6


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
