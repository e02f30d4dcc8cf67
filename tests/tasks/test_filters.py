"""Filters and orders: what they find, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine.errors import InvalidInput
from taskengine.filters import JobFilter, JobOrder, JobOrderField, contains
from taskengine.jobs import Job, JobError, JobState

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
