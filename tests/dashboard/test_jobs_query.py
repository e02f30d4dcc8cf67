"""The choice of a list of jobs, as an address and as GraphQL variables."""

from datetime import timedelta
from typing import cast

import pytest
from graphql import GraphQLInputObjectType, build_schema

from support.fake_api import NOW, SCHEMA
from taskengine_dashboard.jobs_query import NEWEST, PAGE_SIZE, SORTS, JobsQuery, sorts_for
from taskengine_dashboard.ranges import IntRange, TimeRange
from taskengine_dashboard.states import STATE_NAMES

EARLIER = NOW - timedelta(days=1)
NEWEST_FIRST = {"field": "CREATED_AT", "direction": "DESC"}


def test_a_bare_address_is_the_newest_jobs_of_all_states() -> None:
    query = JobsQuery.from_params({})
    assert query == JobsQuery()
    assert query.variables(NOW) == {"filter": {}, "orderBy": NEWEST_FIRST, "first": PAGE_SIZE}


def test_an_address_says_what_it_shows() -> None:
    query = JobsQuery.from_params({"state": ["FAILED"], "task": ["a", "b"], "queue": ["mail"], "after": ["c1"]})
    assert query.variables(NOW) == {
        "filter": {"states": ["FAILED"], "tasks": ["a", "b"], "queues": ["mail"]},
        "orderBy": NEWEST_FIRST,
        "first": PAGE_SIZE,
        "after": "c1",
    }


@pytest.mark.parametrize(
    "query",
    [
        JobsQuery(),
        JobsQuery(state="RUNNING"),
        JobsQuery(tasks=("a", "b"), queues=("q",), before="c"),
        JobsQuery(state="FAILED", after="c"),
        JobsQuery(tags=("a", "b"), schedule="sched_1", group="fail_1", text="no luck", args='{"a": [1]}'),
        JobsQuery(priority=IntRange(7, None), created=TimeRange.last("1h"), finished=TimeRange(NOW, None)),
        JobsQuery(state="QUEUED", sort=sorts_for("QUEUED")[-1]),
    ],
)
def test_a_choice_survives_its_address(query: JobsQuery) -> None:
    params = {name: value if isinstance(value, list) else [value] for name, value in query.to_params().items()}
    assert JobsQuery.from_params(params) == query


def test_every_filter_of_the_api_can_be_asked_for() -> None:
    query = JobsQuery(
        state="FAILED",
        tasks=("a",),
        queues=("q",),
        tags=("t",),
        schedule="sched_1",
        group="fail_1",
        priority=IntRange(7, 10),
        created=TimeRange.last("1h"),
        finished=TimeRange(None, NOW),
        text="no luck",
        args='{"a": 1}',
    )
    fields = cast("GraphQLInputObjectType", build_schema(SCHEMA).type_map["JobFilter"]).fields
    assert set(query.filter(NOW)) == set(fields) - {"ids"}


@pytest.mark.parametrize("args", ["{", "[1]", "7"])
def test_arguments_that_are_no_object_are_left_out(args: str) -> None:
    assert JobsQuery.from_params({"args": [args]}) == JobsQuery()


@pytest.mark.parametrize(
    ("query", "counted"),
    [(JobsQuery(state="FAILED", tasks=("a",)), True), (JobsQuery(tags=("t",)), False), (JobsQuery(after="c"), True)],
)
def test_counters_know_states_tasks_and_queues_only(query: JobsQuery, counted: bool) -> None:
    assert query.is_counted is counted


def test_what_makes_no_sense_in_an_address_is_left_out() -> None:
    params = {"state": ["NOPE"], "task": ["", "a", "a"], "after": [""], "x": ["y"]}
    assert JobsQuery.from_params(params) == JobsQuery(tasks=("a",))


def test_of_two_places_in_the_list_the_older_side_counts() -> None:
    assert JobsQuery.from_params({"after": ["a"], "before": ["b"]}) == JobsQuery(after="a")


def test_going_back_asks_for_the_last_jobs_before_the_cursor() -> None:
    variables = JobsQuery(after="x").page_before("c").variables(NOW)
    assert variables == {"filter": {}, "orderBy": NEWEST_FIRST, "last": PAGE_SIZE, "before": "c"}


def test_another_filter_begins_at_the_top_of_its_list() -> None:
    narrowed = JobsQuery(after="c").narrowed(state="FAILED", tasks=("a",))
    assert narrowed == JobsQuery(state="FAILED", tasks=("a",))


def test_only_the_first_page_is_where_new_jobs_appear() -> None:
    first = JobsQuery(state="FAILED")
    assert first.is_first_page
    assert not first.page_after("c").is_first_page
    assert not first.page_before("c").is_first_page
    assert first.page_after("c").first_page() == first


@pytest.mark.parametrize("state", [None, *STATE_NAMES])
def test_each_order_that_a_state_offers_is_one_that_the_api_has_for_it(state: str | None) -> None:
    able = {
        "CREATED_AT": set(STATE_NAMES) | {None},
        "RUN_AT": {"SCHEDULED", "RETRYING"},
        "FINISHED_AT": {"COMPLETED", "FAILED", "CANCELLED"},
        "PRIORITY": {"QUEUED"},
    }
    assert all(state in able[sort.field] for sort in sorts_for(state))


def test_an_order_that_the_next_state_does_not_have_gives_way_to_the_newest_first() -> None:
    due = next(sort for sort in SORTS if sort.name == "due")
    query = JobsQuery(state="SCHEDULED", sort=due)
    assert query.narrowed(state="RETRYING").sort == due
    assert query.narrowed(state="FAILED").sort == NEWEST
    assert JobsQuery.from_params({"state": ["FAILED"], "sort": ["due"]}).sort == NEWEST


def test_a_filter_as_of_now_leaves_out_what_comes_later() -> None:
    assert JobsQuery(state="FAILED").as_of(NOW)["createdAt"] == {"lt": NOW.isoformat()}
    assert JobsQuery(finished=TimeRange.last("1h")).as_of(NOW)["finishedAt"].keys() == {"gte", "lt"}
    assert JobsQuery(created=TimeRange(None, EARLIER)).as_of(NOW)["createdAt"] == {"lt": EARLIER.isoformat()}
