"""Jobs: find, open, retry, cancel, delete."""

from datetime import datetime

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import NOW, FakeApi, bulk, group
from support.pages import OpenPage, look, texts
from taskengine_dashboard import wording
from taskengine_dashboard.jobs_query import PAGE_SIZE, SORTS
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
    page.button(key="page-next").click()
    look(page)
    assert shown(page) == short(*jobs[PAGE_SIZE:])
    assert page.button(key="page-next").disabled
    page.button(key="page-previous").click()
    look(page)
    assert shown(page) == short(*jobs[:PAGE_SIZE])


def test_a_page_does_not_move_while_new_jobs_arrive(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    jobs = [api.add_job() for _ in range(PAGE_SIZE + 2)][::-1]
    page = open_page("jobs")
    page.button(key="page-next").click()
    look(page)
    for _ in range(3):
        api.add_job()
    source.expire()
    assert shown(look(page)) == short(*jobs[PAGE_SIZE:])


def test_newest_leads_back_to_the_live_top(api: FakeApi, open_page: OpenPage) -> None:
    for _ in range(PAGE_SIZE + 1):
        api.add_job()
    page = open_page("jobs", after="3")
    page.button(key="page-first").click()
    look(page)
    assert page.query_params == {}
    assert page.button(key="page-first").disabled


def test_no_jobs_at_all_leads_to_the_form(open_page: OpenPage) -> None:
    page = open_page("jobs")
    assert "**No jobs yet**" in texts(page)
    assert [link.label for link in page.get("page_link")] == ["Enqueue a job"]


def test_who_may_only_look_is_not_sent_to_the_form(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "eve", "role": "VIEWER"}
    page = open_page("jobs")
    assert "**No jobs yet**" in texts(page)
    assert page.get("page_link") == []


def test_where_there_is_nothing_there_is_nothing_to_turn(open_page: OpenPage) -> None:
    assert "page-next" not in {button.key for button in open_page("jobs").button}


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


# Filters


def test_what_is_searched_for_is_kept_in_the_address(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("jobs", state="FAILED", after="3")
    page.text_input(key="jobs-text").set_value(" no luck ")
    look(page)
    assert page.query_params == {"state": "FAILED", "text": "no luck"}
    assert api.asked("Jobs")[-1]["filter"] == {"states": ["FAILED"], "text": "no luck"}


def test_a_browser_that_skips_the_first_drawing_is_told_the_choice_by_the_next(open_page: OpenPage) -> None:
    page = open_page("jobs", queue=["mail"], task=["greet"], text="luck", state="FAILED", sort="ended")
    look(page)
    begins = page.multiselect(key="jobs-queues"), page.multiselect(key="jobs-tasks")
    assert [[field.proto.options[index] for index in field.proto.default] for field in begins] == [["mail"], ["greet"]]
    assert page.text_input(key="jobs-text").proto.default == "luck"
    order = page.selectbox(key="jobs-sort").proto
    assert order.options[order.default] == next(sort.label for sort in SORTS if sort.name == "ended")


def test_an_order_is_chosen_and_kept_in_the_address(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("jobs", state="FAILED")
    page.selectbox(key="jobs-sort").set_value(next(sort for sort in SORTS if sort.name == "ended"))
    look(page)
    assert page.query_params == {"state": "FAILED", "sort": "ended"}
    assert api.asked("Jobs")[-1]["orderBy"] == {"field": "FINISHED_AT", "direction": "DESC"}


def test_another_state_keeps_the_order_if_it_has_it(open_page: OpenPage) -> None:
    page = open_page("jobs", state="FAILED", sort="ended")
    page.get("segmented_control")[0].set_value("QUEUED")
    look(page)
    assert page.query_params == {"state": "QUEUED"}


def test_what_is_chosen_stands_as_chips_that_can_be_taken_away(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = [{"id": "schedule_nightly", "name": "nightly"}]
    page = open_page("jobs", tag=["a", "b"], priority="7-10", schedule="schedule_nightly", created="24h")
    chips = [button.label for button in page.button if str(button.key).startswith("jobs-chip-")]
    assert chips == ["Tag a", "Tag b", "Priority 7 to 10", "Schedule nightly", "Created in the last 24 hours"]
    page.button(key="jobs-chip-0").click()
    look(page)
    assert page.query_params == {
        "tag": "b",
        "priority": "7-10",
        "schedule": "schedule_nightly",
        "created": "24h",
    }
    page.button(key="jobs-clear").click()
    assert look(page).query_params == {}


def more_filters(page: AppTest) -> AppTest:
    """Open the popover, as its button does."""
    page.session_state["jobs-more"] = True
    return look(page)


def test_more_filters_show_what_the_address_says(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = []
    api.groups = [group()]
    page = more_filters(open_page("jobs", tag="a", priority="7-", group="fail_1", args='{"a": 1}', finished="1h"))
    assert page.multiselect(key="jobs-tags").value == ["a"]
    assert (page.number_input(key="jobs-priority-low").value, page.number_input(key="jobs-priority-high").value) == (
        7,
        None,
    )
    assert page.selectbox(key="jobs-group").value == "fail_1"
    assert page.text_input(key="jobs-args").value == '{"a": 1}'
    assert page.selectbox(key="jobs-finished").value == "1h"


def test_more_filters_are_chosen_into_the_address(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = [{"id": "schedule_nightly", "name": "nightly"}]
    page = more_filters(open_page("jobs"))
    page.number_input(key="jobs-priority-high").set_value(3)
    look(page)
    page.selectbox(key="jobs-schedule").set_value("schedule_nightly")
    look(page)
    page.selectbox(key="jobs-created").set_value("24h")
    look(page)
    page.text_input(key="jobs-args").set_value('{"a": 1}')
    look(page)
    assert page.query_params == {
        "priority": "-3",
        "schedule": "schedule_nightly",
        "created": "24h",
        "args": '{"a": 1}',
    }


def test_a_time_between_two_instants_is_in_the_zone_of_the_viewer(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = []
    page = more_filters(open_page("jobs"))
    page.selectbox(key="jobs-created").set_value("..")
    look(page)
    assert page.query_params == {}
    page.get("datetime_input")[0].set_value(datetime(2026, 11, 24, 8, 0))  # noqa: DTZ001 - as the field has it
    look(page)
    assert page.query_params == {"created": "2026-11-24T08:00:00Z.."}


def test_arguments_that_are_no_object_are_complained_of_and_change_nothing(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = []
    page = more_filters(open_page("jobs"))
    page.text_input(key="jobs-args").set_value("[1]")
    look(page)
    assert page.query_params == {}
    assert "Expected a JSON object" in texts(page)


def test_a_look_that_was_long_enough_says_so_and_goes_on(api: FakeApi, open_page: OpenPage) -> None:
    info = {"hasNextPage": True, "hasPreviousPage": False, "startCursor": "a", "endCursor": "b"}
    api.answers["jobs"] = {"nodes": [], "totalCount": None, "scannedCount": 1_000, "pageInfo": info}
    page = open_page("jobs", text="rare")
    assert "No job matches among 1,000 that were looked at" in texts(page)
    assert page.button(key="page-next").label == "Go on"
    page.button(key="page-next").click()
    assert look(page).query_params == {"text": "rare", "after": "b"}


# All that match


def choose_for_all(page: AppTest, verb: str) -> AppTest:
    """Choose from the menu of what can be done with all that match."""
    page.get("menu_button")[0].click(f"{verb}…")
    return look(page)


def test_all_that_match_are_counted_before_anything_is_done(api: FakeApi, open_page: OpenPage) -> None:
    for _ in range(PAGE_SIZE + 3):
        api.add_job("FAILED")
    page = choose_for_all(open_page("jobs", state="FAILED", tag="a"), "Retry")
    assert [asked["input"]["dryRun"] for asked in api.asked("RetryJobs")] == [True]
    assert page.button(key="confirm-yes").label == f"Retry {PAGE_SIZE + 3} jobs"
    assert "All failed jobs · Tag a." in texts(page)


def test_a_yes_changes_what_was_counted_and_nothing_that_comes_later(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("FAILED")
    page = choose_for_all(open_page("jobs", state="FAILED"), "Retry")
    page.button(key="confirm-yes").click()
    look(page)
    counted, begun = (asked["input"] for asked in api.asked("RetryJobs"))
    assert counted["filter"] == begun["filter"] == {"states": ["FAILED"], "createdAt": {"lt": NOW.isoformat()}}


def test_how_far_a_change_is_stays_in_sight_until_its_end_was_seen(
    api: FakeApi, open_page: OpenPage, source: Source
) -> None:
    api.add_job("FAILED")
    page = choose_for_all(open_page("jobs", state="FAILED"), "Retry")
    page.button(key="confirm-yes").click()
    look(page)
    (bar,) = page.get("progress")
    assert bar.text.startswith("Retrying 1 job")
    api.bulks[0] |= {"state": "DONE", "changed": 1, "skipped": 0}
    source.expire()
    look(page)
    assert page.get("progress")[0].text.startswith("Retried 1 job")
    page.button(key="bulk-close-bulk_0").click()
    assert len(look(page).get("progress")) == 0


def test_changes_of_others_are_shown_while_they_run(api: FakeApi, open_page: OpenPage) -> None:
    api.bulks = [bulk(id="bulk_2", kind="CANCEL"), bulk(state="DONE")]
    (bar,) = open_page("jobs").get("progress")
    assert bar.text == r"Cancelling 1,200 jobs: 300 so far · by ops@"
    assert bar.value == 25


def test_a_change_can_be_stopped(api: FakeApi, open_page: OpenPage) -> None:
    api.bulks = [bulk()]
    page = open_page("jobs")
    page.button(key="bulk-stop-bulk_1").click()
    look(page)
    assert api.asked("StopBulkOperation") == [{"input": {"id": "bulk_1"}}]
    assert page.get("progress")[0].text.startswith("Stopped at 25%. Retried 300 jobs")


def test_to_delete_all_the_number_is_typed(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("COMPLETED")
    page = choose_for_all(open_page("jobs", state="COMPLETED"), "Delete")
    assert page.button(key="confirm-yes").disabled
    page.text_input(key="question-typed").set_value("1")
    look(page)
    page.button(key="confirm-yes").click()
    look(page)
    assert [asked["input"]["dryRun"] for asked in api.asked("DeleteJobs")] == [True, False]


def test_when_none_can_be_changed_so_it_is_said_and_nothing_asked(api: FakeApi, open_page: OpenPage) -> None:
    api.add_job("RUNNING")
    page = choose_for_all(open_page("jobs"), "Retry")
    assert [toast.value for toast in page.toast] == ["None of these jobs is in a state that Retry is for."]
    assert "confirm-yes" not in {button.key for button in page.button}


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        ("FAILED", ["Retry…", "Delete…"]),
        ("QUEUED", ["Cancel…", "Delete…"]),
        ("RETRYING", ["Retry…", "Cancel…", "Delete…"]),
        ("COMPLETED", ["Delete…"]),
    ],
)
def test_what_all_that_match_allow_is_offered(api: FakeApi, open_page: OpenPage, state: str, verbs: list[str]) -> None:
    api.add_job(state)
    assert list(open_page("jobs", state=state).get("menu_button")[0].proto.options) == verbs


def test_who_may_only_look_is_offered_no_change(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "eve", "role": "VIEWER"}
    api.bulks = [bulk()]
    job_id = api.add_job("FAILED")
    page = choose(open_page("jobs"), job_id)
    assert len(page.get("menu_button")) == 0
    assert not {"retry-selected", "bulk-stop-bulk_1"} & {button.key for button in page.button}


def test_an_operator_may_not_delete_all(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "ops", "role": "OPERATOR"}
    api.add_job("FAILED")
    assert list(open_page("jobs").get("menu_button")[0].proto.options) == ["Retry…", "Cancel…"]


def test_selected_jobs_are_deleted_after_a_yes(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("FAILED")
    kept = api.add_job("FAILED")
    page = choose(open_page("jobs"), job_id)
    page.button(key="delete-selected").click()
    look(page)
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("DeleteJob") == [{"input": {"id": job_id}}]
    assert shown(page) == short(kept)
