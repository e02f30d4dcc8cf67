"""Failures: what fails, once for each cause, and retrying or deleting all of one."""

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi, a_page, bulk, group
from support.pages import OpenPage, links, look, texts

OF_THE_GROUP = {"failureGroupId": "fail_1"}


@pytest.fixture
def api(api: FakeApi) -> FakeApi:
    """An API with one problem, for which one job is failed."""
    api.add_job("FAILED")
    api.groups = [group(sample={"id": api.jobs[0]["id"]})]
    return api


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return look(page)


def test_each_cause_tells_what_is_wrong_where_how_often_and_since_when(open_page: OpenPage) -> None:
    page = open_page("failures")
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown == {"Failed now": "12", "Times": "1,200", "Last": "30 s ago", "First": "2 h ago"}
    said = texts(page)
    assert "**Trouble**" in said
    assert "no [luck] with 7" in said
    assert "`shop/mail.py:42 in send`" in said
    assert "1 problem" in said


def test_a_message_without_end_is_cut(api: FakeApi, open_page: OpenPage) -> None:
    api.groups = [group(message="x" * 5_000)]
    (shown,) = [code.value for code in open_page("failures").code]
    assert shown == "x" * 400 + "…"


def test_its_links_lead_to_the_jobs_that_it_counts(open_page: OpenPage) -> None:
    there = {link.label: (link.page, link.query_string) for link in links(open_page("failures"))}
    assert there["Show 12 failed jobs"] == ("jobs", "state=FAILED&group=fail_1")
    assert there["in greet"] == ("jobs", "task=greet")


def test_the_newest_failure_is_opened_over_the_page(api: FakeApi, open_page: OpenPage) -> None:
    page = press(open_page("failures"), "failure-sample-fail_1")
    assert page.query_params["job"] == api.jobs[0]["id"]


def test_a_cause_whose_jobs_are_gone_offers_nothing_to_do(api: FakeApi, open_page: OpenPage) -> None:
    api.groups = [group(sample=None, failedCount=0)]
    page = open_page("failures")
    assert [button.key for button in page.button if button.key and button.key.startswith("failure-")] == []
    assert [link.label for link in links(page)] == ["in greet"]


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    open_page("failures")
    assert [name for name, _ in api.sent] == ["Failures"]


def test_retrying_a_cause_is_counted_first_and_begun_by_yes(api: FakeApi, open_page: OpenPage) -> None:
    page = press(open_page("failures"), "failure-retry-fail_1")
    assert api.asked("RetryJobs") == [{"input": {"filter": OF_THE_GROUP, "dryRun": True}}]
    page = press(page, "confirm-yes")
    assert api.asked("RetryJobs")[1:] == [{"input": {"filter": OF_THE_GROUP, "dryRun": False}}]
    assert "bulk-stop-bulk_0" in {button.key for button in page.button}


def test_deleting_a_cause_asks_for_the_number(api: FakeApi, open_page: OpenPage) -> None:
    page = press(open_page("failures"), "failure-delete-fail_1")
    assert page.button(key="confirm-yes").disabled
    page.text_input(key="question-typed").set_value("1")
    assert not look(page).button(key="confirm-yes").disabled
    press(page, "confirm-yes")
    assert api.asked("DeleteJobs")[1:] == [{"input": {"filter": OF_THE_GROUP, "dryRun": False}}]


def test_only_an_admin_is_offered_to_delete(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "op", "role": "OPERATOR"}
    keys = {button.key for button in open_page("failures").button}
    assert "failure-retry-fail_1" in keys
    assert "failure-delete-fail_1" not in keys


def test_a_viewer_looks_and_opens_and_changes_nothing(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "guest", "role": "VIEWER"}
    api.bulks = [bulk()]
    keys = {button.key for button in open_page("failures").button}
    assert "failure-sample-fail_1" in keys
    assert not {"failure-retry-fail_1", "failure-delete-fail_1", "bulk-stop-bulk_1"} & keys


def test_one_goes_to_older_problems_and_back(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["failureGroups"] = a_page(api.groups, end="c15")
    page = press(open_page("failures"), "failures-older")
    assert page.query_params["after"] == "c15"
    assert api.asked("Failures")[-1] == {"first": 15, "after": "c15", "span": "HOUR"}
    api.answers["failureGroups"] = a_page(api.groups, start="c16", end="c30")
    page = press(open_page("failures", after="c20"), "failures-newer")
    assert api.asked("Failures")[-1] == {"last": 15, "before": "c16", "span": "HOUR"}
    page = press(page, "failures-newest")
    assert "before" not in page.query_params


def test_each_cause_tells_when_it_happened(open_page: OpenPage) -> None:
    page = open_page("failures", window="DAY")
    (spark,) = [html.body for html in page.get("html") if 'class="spark"' in html.body]
    assert spark.count("height:") == 2
    assert "45 times in the last day; most in one hour: 23" in spark
    assert 'title="12:00: 23"' in spark
    assert "Last day, each hour" in texts(page)


def test_how_far_back_that_goes_stays_when_one_goes_on(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["failureGroups"] = a_page(api.groups, end="c15")
    page = open_page("failures")
    page.segmented_control(key="window").set_value("WEEK")
    page = press(look(page), "failures-older")
    assert (page.query_params["window"], page.query_params["after"]) == ("WEEK", "c15")
    assert api.asked("Failures")[-1] == {"first": 15, "after": "c15", "span": "WEEK"}


def test_where_all_fit_on_one_page_there_is_nothing_to_turn(open_page: OpenPage) -> None:
    assert "failures-older" not in {button.key for button in open_page("failures").button}


def test_without_failures_the_page_is_calm(api: FakeApi, open_page: OpenPage) -> None:
    api.groups = []
    assert "No failures" in texts(open_page("failures"))
    assert "No older failures" in texts(open_page("failures", after="c15"))
