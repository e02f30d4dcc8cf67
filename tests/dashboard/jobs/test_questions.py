"""The API's answers as plain data."""

import pytest

from support.fake_api import FakeApi
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.jobs import Failure, Progress
from taskengine_dashboard.views.jobs import questions
from taskengine_dashboard.views.jobs.questions import JobsPage


@pytest.fixture
def page(api: FakeApi) -> JobsPage:
    """One failed job of ``greet`` in ``default``, and one queued of ``other`` in ``mail``."""
    api.schemas["other"] = {}
    api.add_job("FAILED")
    api.add_job("QUEUED", task={"name": "other"}, queue={"name": "mail"})
    found = questions.jobs(JobsQuery()).value
    assert found is not None
    return found


def test_tabs_count_all_jobs_when_nothing_is_filtered(page: JobsPage) -> None:
    counts = page.counts_within(tasks=[], queues=[])
    assert counts is not None
    assert (counts.total, counts.of("FAILED"), counts.of("QUEUED")) == (2, 1, 1)


def test_tabs_count_within_the_chosen_tasks(page: JobsPage) -> None:
    counts = page.counts_within(tasks=["greet"], queues=[])
    assert counts is not None
    assert (counts.total, counts.of("FAILED")) == (1, 1)


def test_tabs_count_within_the_chosen_queues(page: JobsPage) -> None:
    counts = page.counts_within(tasks=[], queues=["mail", "unknown"])
    assert counts is not None
    assert (counts.total, counts.of("QUEUED")) == (1, 1)


def test_no_counter_knows_tasks_and_queues_together(page: JobsPage) -> None:
    assert page.counts_within(tasks=["greet"], queues=["mail"]) is None


def test_counts_add_up() -> None:
    assert Counts.sum([Counts({"FAILED": 2}), Counts({"FAILED": 1, "QUEUED": 4})]).total == 7


@pytest.mark.parametrize(
    ("current", "total", "fraction"), [(3, 10, 0.3), (12, 10, 1.0), (-1, 10, 0.0), (5, None, None), (5, 0, None)]
)
def test_progress_is_a_fraction_when_the_task_says_of_how_many(
    current: float, total: float | None, fraction: float | None
) -> None:
    assert Progress(current=current, total=total, message=None).fraction == fraction


@pytest.mark.parametrize(
    ("exception", "message", "headline"),
    [
        ("ValueError", "row 3\nand more", "ValueError: row 3"),
        ("shop.errors.Trouble", "no luck", "Trouble: no luck"),
        ("ValueError", "  ", "ValueError"),
    ],
)
def test_a_failure_fits_in_one_line(exception: str, message: str, headline: str) -> None:
    assert Failure(exception=exception, message=message).headline == headline
