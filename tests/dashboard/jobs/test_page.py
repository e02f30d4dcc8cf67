"""Jobs: find, open, retry, cancel."""

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard import wording
from taskengine_dashboard.jobs_query import PAGE_SIZE
from taskengine_dashboard.source import Source


def shown(page: AppTest) -> list[str]:
    """The short ids in the table."""
    return list(page.dataframe[0].value["job"]) if len(page.dataframe) else []


def short(*job_ids: str) -> list[str]:
    return [wording.short_id(job_id) for job_id in job_ids]


def choose(page: AppTest, *job_ids: str) -> AppTest:
    """Select rows, as the table's callback does."""
    page.session_state["chosen-jobs"] = set(job_ids)
    return look(page)


# Finding


def test_the_newest_come_first(api: FakeApi, open_page: OpenPage) -> None:
    first, second = api.add_job(), api.add_job()
    assert shown(open_page("jobs")) == short(second, first)


def test_the_address_says_which_jobs(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas["other"] = {}
    api.add_job("FAILED")
    wanted = api.add_job("FAILED", task={"name": "other"})
    api.add_job("QUEUED", task={"name": "other"})
    assert shown(open_page("jobs", state="FAILED", task="other")) == short(wanted)


def test_tabs_carry_live_counts(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    api.add_job("FAILED")
    (tabs,) = open_page("jobs").get("segmented_control")
    assert "Failed :gray[2]" in tabs.options
    assert "All :gray[2]" in tabs.options


def test_choosing_a_state_changes_the_address(api: FakeApi, open_page: OpenPage) -> None:
    failed = api.add_job("FAILED")
    api.add_job("QUEUED")
    page = open_page("jobs", after="5")
    page.get("segmented_control")[0].set_value("FAILED")
    look(page)
    assert page.query_params == {"state": "FAILED"}
    assert shown(page) == short(failed)


def test_choosing_a_task_changes_the_address(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    page = open_page("jobs", state="FAILED")
    page.multiselect(key="jobs-tasks").set_value(["greet"])
    look(page)
    assert page.query_params == {"state": "FAILED", "task": "greet"}


def test_a_task_in_the_address_can_be_chosen_though_nobody_knows_it(open_page: OpenPage) -> None:
    page = open_page("jobs", task="gone")
    assert page.multiselect(key="jobs-tasks").value == ["gone"]


def test_pages_go_on_from_where_the_last_ended(api: FakeApi, open_page: OpenPage) -> None:
    jobs = [api.add_job() for _ in range(PAGE_SIZE + 2)][::-1]
    page = open_page("jobs")
    assert shown(page) == short(*jobs[:PAGE_SIZE])
    page.button(key="page-older").click()
    look(page)
    assert shown(page) == short(*jobs[PAGE_SIZE:])
    assert page.button(key="page-older").disabled
    page.button(key="page-newer").click()
    look(page)
    assert shown(page) == short(*jobs[:PAGE_SIZE])


def test_a_page_does_not_move_while_new_jobs_arrive(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    jobs = [api.add_job() for _ in range(PAGE_SIZE + 2)][::-1]
    page = open_page("jobs")
    page.button(key="page-older").click()
    look(page)
    for _ in range(3):
        api.add_job()
    source.expire()
    assert shown(look(page)) == short(*jobs[PAGE_SIZE:])


def test_newest_leads_back_to_the_live_top(api: FakeApi, open_page: OpenPage) -> None:
    for _ in range(PAGE_SIZE + 1):
        api.add_job()
    page = open_page("jobs", after="3")
    page.button(key="page-newest").click()
    look(page)
    assert page.query_params == {}
    assert page.button(key="page-newest").disabled


def test_no_jobs_at_all_leads_to_the_form(open_page: OpenPage) -> None:
    page = open_page("jobs")
    assert "**No jobs yet**" in texts(page)
    assert [link.label for link in page.get("page_link")] == ["Enqueue a job"]


def test_no_job_that_matches_leads_to_all_jobs(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("QUEUED")
    page = open_page("jobs", state="FAILED")
    assert "**No job matches**" in texts(page)
    page.button(key="jobs-show-all").click()
    look(page)
    assert len(shown(page)) == 1


def test_a_column_that_says_the_same_of_all_is_not_drawn(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    proto = open_page("jobs", state="FAILED").dataframe[0].proto
    assert list(proto.column_order) == ["job", "task", "queue", "error", "attempts", "finished"]


# Retrying and cancelling


def test_nothing_is_offered_until_jobs_are_selected(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    keys = {button.key for button in open_page("jobs").button}
    assert not keys & {"retry-selected", "cancel-selected"}


def test_what_the_selected_jobs_allow_is_offered(api: FakeApi, open_page: OpenPage) -> None:
    jobs = [api.add_job(state) for state in ("FAILED", "CANCELLED", "QUEUED", "COMPLETED")]
    page = choose(open_page("jobs"), *jobs)
    assert "**4 selected**" in texts(page)
    assert page.button(key="retry-selected").label == "Retry 2"
    assert page.button(key="cancel-selected").label == "Cancel 1"


def test_what_no_selected_job_allows_is_off(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = choose(open_page("jobs"), job_id)
    assert page.button(key="retry-selected").disabled
    assert page.button(key="cancel-selected").disabled


def test_a_selection_follows_its_jobs_and_not_its_rows(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    first = api.add_job("FAILED")
    page = choose(open_page("jobs"), first)
    for _ in range(3):
        api.add_job("QUEUED")
    source.expire()
    look(page)
    page.button(key="retry-selected").click()
    look(page)
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("RetryJob") == [{"input": {"id": first}}]


def test_a_job_that_left_the_page_is_selected_no_more(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    job_id = api.add_job("FAILED")
    api.add_job("FAILED")
    page = choose(open_page("jobs", state="FAILED"), job_id)
    api.job(job_id)["state"] = "QUEUED"
    source.expire()
    assert "selected**" not in texts(look(page))


def test_nothing_happens_before_a_yes_that_says_what_and_how_many(api: FakeApi, open_page: OpenPage) -> None:
    jobs = [api.add_job("QUEUED"), api.add_job("RUNNING"), api.add_job("COMPLETED")]
    page = choose(open_page("jobs"), *jobs)
    page.button(key="cancel-selected").click()
    said = texts(look(page))
    assert "1 queued, 1 running. The other 1 selected cannot be changed so and are left alone." in said
    assert page.button(key="confirm-yes").label == ":red[Cancel 2 jobs]"
    assert api.asked("CancelJob") == []


def test_a_no_changes_nothing(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("QUEUED")
    page = choose(open_page("jobs"), job_id)
    page.button(key="cancel-selected").click()
    look(page)
    page.button(key="confirm-no").click()
    look(page)
    assert "confirm-yes" not in {button.key for button in page.button}
    assert api.asked("CancelJob") == []


@pytest.mark.parametrize("terminate", [True, False])
def test_running_jobs_are_stopped_when_the_viewer_wants_it(api: FakeApi, open_page: OpenPage, terminate: bool) -> None:
    job_id = api.add_job("RUNNING")
    page = choose(open_page("jobs"), job_id)
    page.button(key="cancel-selected").click()
    look(page)
    page.checkbox(key="confirm-terminate").set_value(terminate)
    look(page)
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("CancelJob") == [{"input": {"id": job_id, "terminate": terminate}}]


def test_what_was_done_is_told_and_the_selection_is_over(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("FAILED")
    page = choose(open_page("jobs"), job_id)
    page.button(key="retry-selected").click()
    look(page)
    page.button(key="confirm-yes").click()
    look(page)
    assert [toast.value for toast in page.toast] == ["Retried 1 job."]
    assert "selected**" not in texts(page)
    assert api.job(job_id)["state"] == "QUEUED"


def test_actions_are_off_while_the_api_is_away(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    job_id = api.add_job("FAILED")
    page = choose(open_page("jobs"), job_id)
    api.problem = httpx.ConnectError("refused")
    source.expire()
    look(page)
    assert page.button(key="retry-selected").disabled
    assert len(page.error) == 1
