"""Filters and orders: what they find, and what is refused."""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.jobs import KEYS
from support.listing import SCHEDULE, Facts, a_crowd, listed
from taskengine import Client, bulk_client
from taskengine.errors import InvalidInput
from taskengine.failures import group_id
from taskengine.filters import ORDERABLE, JobFilter, JobOrder, JobOrderField, contains
from taskengine.jobs import Job, JobError, JobPage, JobState
from taskengine.records import dumps

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GROUP = "fail_0123456789abcdef"

JOB = Job(
    id="job_1",
    task="mail.send",
    queue="mail",
    state=JobState.FAILED,
    priority=7,
    args={"to": "Anna Öhlund", "lines": [{"sku": "A-1", "count": 2}, {"sku": "B-2", "count": 1}], "note": 'say "hi"\n'},
    created_at=AT,
    order=1,
    max_attempts=3,
    tags=("Order-7", "vip"),
    finished_at=AT + SECOND,
    error=JobError(exception="SMTPError", message="Mailbox FULL", retryable=True),
    failure_group=GROUP,
    schedule="nightly",
)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (JobFilter(), True),
        (JobFilter(ids=("job_0", "job_1")), True),
        (JobFilter(ids=("job_0",)), False),
        (JobFilter(states=(JobState.QUEUED, JobState.FAILED)), True),
        (JobFilter(states=(JobState.QUEUED,)), False),
        (JobFilter(queues=("a", "mail")), True),
        (JobFilter(queues=("a",)), False),
        (JobFilter(tasks=("mail.send",), queues=("mail",)), True),
        (JobFilter(tasks=("mail.send",), queues=("a",)), False),
        (JobFilter(tags=("none", "vip")), True),
        (JobFilter(tags=("VIP",)), False),
        (JobFilter(schedule="nightly"), True),
        (JobFilter(schedule="daily"), False),
        (JobFilter(failure_group=GROUP), True),
        (JobFilter(failure_group="fail_ffffffffffffffff"), False),
        (JobFilter(priority=(7, 7)), True),
        (JobFilter(priority=(8, None)), False),
        (JobFilter(priority=(None, 6)), False),
        (JobFilter(created_from=AT, created_before=AT + SECOND), True),
        (JobFilter(created_before=AT), False),
        (JobFilter(created_from=AT + SECOND), False),
        (JobFilter(finished_from=AT + SECOND), True),
        (JobFilter(finished_before=AT + SECOND), False),
        (JobFilter(text="öHLUND"), True),
        (JobFilter(text="mailbox full"), True),
        (JobFilter(text="smtperror"), True),
        (JobFilter(text="ORDER-7"), True),
        (JobFilter(text='say "hi"\n'), True),
        (JobFilter(text='hi\\"'), False),
        (JobFilter(text="retryable"), False),
        (JobFilter(args_contain={"lines": [{"sku": "B-2"}]}), True),
        (JobFilter(args_contain={"lines": [{"sku": "B-2", "count": 2}]}), False),
    ],
)
def test_the_members_of_a_field_are_ored_and_the_fields_anded(wanted: JobFilter, matches: bool) -> None:
    assert wanted.checked().matches(JOB) is matches


def test_a_failure_group_is_of_jobs_that_are_failed_now() -> None:
    assert not JobFilter(failure_group=GROUP).matches(replace(JOB, state=JobState.QUEUED))


def test_a_job_that_was_retried_has_not_finished() -> None:
    assert not JobFilter(finished_from=AT).matches(replace(JOB, state=JobState.QUEUED))


@pytest.mark.parametrize(
    ("wanted", "needs"),
    [
        (JobFilter(ids=("a",), states=(JobState.FAILED,), queues=("q",), tasks=("t",)), False),
        (JobFilter(tags=("x",)), True),
        (JobFilter(text="x"), True),
    ],
)
def test_a_filter_knows_whether_the_facts_of_an_event_are_enough(wanted: JobFilter, needs: bool) -> None:
    assert wanted.needs_record is needs


@pytest.mark.parametrize(
    ("have", "asked", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, True),
        ({"a": 1}, {"b": None}, False),
        ({"a": None}, {"a": None}, True),
        ([1, 2, 3], [3, 1], True),
        ([1, 2], [1, 4], False),
        ([], [None], False),
        ([1], [], True),
        ({}, [], False),
        ([], {}, False),
        (1, 1.0, True),
        (True, 1, False),
        (1, True, False),
        ("1", 1, False),
        (None, False, False),
        (2**53 + 1, 2.0**53, True),
    ],
)
def test_json_contains_objects_by_subset_elements_anywhere_and_scalars_by_equality(
    have: Any, asked: Any, expected: bool
) -> None:
    assert contains(have, asked) is expected


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"ids": ("a b",)}, ("filter", "ids", "0")),
        ({"ids": tuple(f"j{number}" for number in range(1_001))}, ("filter", "ids")),
        ({"queues": ("q", "a,b")}, ("filter", "queues", "1")),
        ({"tasks": ("",)}, ("filter", "tasks", "0")),
        ({"tags": ("x" * 101,)}, ("filter", "tags", "0")),
        ({"tags": tuple(map(str, range(101)))}, ("filter", "tags")),
        ({"schedule": "a b"}, ("filter", "schedule")),
        ({"failure_group": "group"}, ("filter", "failureGroup")),
        ({"priority": (0, 3)}, ("filter", "priority", "gte")),
        ({"priority": (None, 11)}, ("filter", "priority", "lte")),
        ({"priority": (5, 4)}, ("filter", "priority")),
        ({"created_from": datetime(2026, 1, 1)}, ("filter", "createdAt", "gte")),  # noqa: DTZ001 - without its offset
        ({"created_from": AT, "created_before": AT}, ("filter", "createdAt")),
        ({"finished_before": datetime(2026, 1, 1)}, ("filter", "finishedAt", "lt")),  # noqa: DTZ001
        ({"text": ""}, ("filter", "text")),
        ({"text": "x" * 201}, ("filter", "text")),
        ({"args_contain": [1]}, ("filter", "argsContain")),
        ({"args_contain": {"x": "y" * 4_096}}, ("filter", "argsContain")),
        ({"args_contain": {"x": [2**53]}}, ("filter", "argsContain", "x", "0")),
        ({"args_contain": {"x": float("nan")}}, ("filter", "argsContain")),
        ({"args_contain": nested(11)}, ("filter", "argsContain", *"aaaaaaaaaa")),
    ],
)
def test_what_no_job_could_be_asked_by_is_refused_by_the_name_of_its_field(
    wanted: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        JobFilter(**wanted).checked()
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("field", "states"),
    [
        (JobOrderField.CREATED_AT, set()),
        (JobOrderField.RUN_AT, {"SCHEDULED", "RETRYING"}),
        (JobOrderField.FINISHED_AT, {"COMPLETED", "FAILED", "CANCELLED"}),
        (JobOrderField.PRIORITY, {"QUEUED"}),
    ],
)
def test_an_order_is_for_the_states_that_it_can_order(field: JobOrderField, states: set[str]) -> None:
    assert set(JobFilter().ordered_by(JobOrder(field)).states) == states


def test_an_order_refuses_other_states_and_says_which_to_ask_for() -> None:
    wanted = JobFilter(states=(JobState.QUEUED, JobState.FAILED))
    with pytest.raises(InvalidInput, match="expected COMPLETED or FAILED or CANCELLED, .* got QUEUED") as refused:
        wanted.ordered_by(JobOrder(JobOrderField.FINISHED_AT))
    assert refused.value.path == ("filter", "states")


# Any filter, order and direction over any crowd is that crowd, filtered and sorted in plain Python.

TEXTS = ("ALPHA", "öl", '"', "7", "a/b", "\\", "as TOLD", "ValueError", "two\nlines", "k", "*")
ARGS = (
    {},
    {"name": "alpha", "n": 7},
    {"name": "ÖL a/b", "list": [1, "two\nlines", {"k": None}]},
    {"name": 'say "x\\"', "list": [], "deep": {"a": [{}], "b": True}},
    {"n": 7.0, "list": {}},
    {"name": "********", "list": ["********"]},
)
ASKED = (
    {"name": "alpha"},
    {"n": 7},
    {"list": [{"k": None}]},
    {"list": [1, {}]},
    {"list": []},
    {"list": {}},
    {"deep": {"a": [{}], "b": True}},
    {"deep": {"b": 1}},
    {"name": "********"},
)
TAGS = ("red", "Öl 7", 'a "tag"')

crowds = st.lists(
    st.builds(
        Facts,
        state=st.sampled_from(JobState),
        task=st.sampled_from(("t", "u")),
        queue=st.sampled_from(("q1", "q2")),
        priority=st.integers(3, 6),
        tags=st.lists(st.sampled_from(TAGS), unique=True).map(tuple),
        args=st.sampled_from(ARGS).map(dumps),
        message=st.sampled_from(("as told", "Alpha\nbeta", "öl")),
        due=st.integers(0, 2),
        secrets=st.booleans(),
        scheduled=st.booleans(),
        blocked=st.booleans(),
    ),
    max_size=16,
)
orders = st.builds(JobOrder, st.sampled_from(JobOrderField), descending=st.booleans())


def some_of(values: Sequence[Any], at_most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=at_most).map(tuple))


places = st.one_of(st.none(), st.integers(0, 30))


def bounds(values: Sequence[Any], drawn: tuple[int | None, int | None]) -> tuple[Any, Any]:
    """Two of the values or none, the first one smaller. What is drawn depends on no clock."""
    known = sorted({value for value in values if value is not None})
    low, high = (known[place % len(known)] if known and place is not None else None for place in drawn)
    return (low, high) if low is None or high is None or low < high else (high, None)


@st.composite
def filters_over(draw: st.DrawFn, jobs: Sequence[Job], order: JobOrder) -> JobFilter:
    """A filter with a few fields, whose values occur."""
    fields = draw(st.sets(st.sampled_from([field.name for field in dataclasses.fields(JobFilter)]), max_size=3))
    created = bounds([job.created_at for job in jobs], draw(st.tuples(places, places)))
    finished = bounds([job.finished_at for job in jobs], draw(st.tuples(places, places)))
    values: dict[str, Any] = {
        "ids": draw(some_of([job.id for job in jobs] + ["gone"], 12)),
        "states": draw(some_of(ORDERABLE[order.field])),
        "queues": draw(some_of(("q1", "q2", "none"))),
        "tasks": draw(some_of(("t", "u"))),
        "tags": draw(some_of(TAGS)),
        "schedule": SCHEDULE,
        "failure_group": draw(st.sampled_from([group_id(task, "ValueError", None) for task in ("t", "u")])),
        "priority": bounds(range(3, 7), draw(st.tuples(places, places))),
        "created_from": created[0],
        "created_before": created[1],
        "finished_from": finished[0],
        "finished_before": finished[1],
        "text": draw(st.sampled_from(TEXTS)),
        "args_contain": draw(st.sampled_from(ASKED)),
    }
    return JobFilter(**{name: values[name] for name in fields})


def with_client(redis_url: str, work: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        client = Client(redis_url, namespace=KEYS.namespace)
        try:
            await work(client)
        finally:
            await client.close()

    asyncio.run(run())


walks = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def walk(client: Client, wanted: JobFilter, order: JobOrder, *, size: int, backward: bool) -> list[JobPage]:
    """Every page, by the cursors that a reader would have."""
    pages: list[JobPage] = []
    cursor: str | None = None
    while True:
        if backward:
            page = await client.list_jobs(wanted, last=size, before=cursor, order=order)
            more, cursor = page.has_previous, page.start_cursor
        else:
            page = await client.list_jobs(wanted, first=size, after=cursor, order=order)
            more, cursor = page.has_next, page.end_cursor
        pages.append(page)
        if not more:
            return pages[::-1] if backward else pages


@walks
@given(crowd=crowds, order=orders, size=st.integers(1, 6), data=st.data())
def test_any_page_of_any_filter_in_any_order_is_what_plain_python_says(
    redis: Redis, redis_url: str, crowd: list[Facts], order: JobOrder, size: int, data: st.DataObject
) -> None:
    redis.flushall()
    jobs = a_crowd(redis, crowd)
    wanted = data.draw(filters_over(jobs, order))
    expected = listed(jobs, wanted, order)

    async def compare(client: Client) -> None:
        for backward in (False, True):
            pages = await walk(client, wanted, order, size=size, backward=backward)
            assert [job.id for page in pages for job in page.jobs] == expected
            assert {page.total for page in pages} <= {None, len(expected)}
            assert {page.scanned for page in pages} == {None}
        for place, cursor in enumerate((await client.list_jobs(wanted, first=100, order=order)).cursors):
            after = await client.list_jobs(wanted, first=size, after=cursor, order=order)
            assert [job.id for job in after.jobs] == expected[place + 1 : place + 1 + size]
            assert (after.has_previous, after.has_next) == (True, place + 1 + size < len(expected))
            before = await client.list_jobs(wanted, last=size, before=cursor, order=order)
            assert [job.id for job in before.jobs] == expected[max(0, place - size) : place]
            assert (before.has_previous, before.has_next) == (place > size, True)

    with_client(redis_url, compare)


@walks
@given(crowd=crowds, order=orders, size=st.integers(1, 6), backward=st.booleans(), data=st.data())
def test_a_walk_that_may_look_at_few_records_a_page_finds_all_the_same(
    redis: Redis,
    redis_url: str,
    crowd: list[Facts],
    order: JobOrder,
    size: int,
    *,
    backward: bool,
    data: st.DataObject,
) -> None:
    redis.flushall()
    jobs = a_crowd(redis, crowd)
    wanted = data.draw(filters_over(jobs, order))

    async def compare(client: Client) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bulk_client, "RECORDS", 2)
            patch.setattr(bulk_client, "RECORDS_A_PAGE", 5)
            pages = await walk(client, wanted, order, size=size, backward=backward)
        assert [job.id for page in pages for job in page.jobs] == listed(jobs, wanted, order)
        for page in pages:
            assert page.scanned is None or (page.scanned == 5 and len(page.jobs) < size)

    with_client(redis_url, compare)
