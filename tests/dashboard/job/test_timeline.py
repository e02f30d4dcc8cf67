"""A job's life as steps."""

from datetime import UTC

import pytest

from support.fake_api import FAILURE, NOW, FakeApi
from taskengine_dashboard.views.job import questions
from taskengine_dashboard.views.job.timeline import Step, steps


def told(api: FakeApi, state: str, **facts: object) -> list[Step]:
    """The steps of a job in that state."""
    found = questions.job(api.add_job(state, **facts)).value
    assert found is not None
    assert found.job is not None
    return steps(found.job, NOW, UTC)


@pytest.mark.parametrize(
    ("state", "last", "mood"),
    [
        ("SCHEDULED", "Starts in 1 min", "running"),
        ("QUEUED", "Waits for a worker", "running"),
        ("RUNNING", "Run 1 runs for 30 s", "running"),
        ("RETRYING", "Tries again in 1 min", "running"),
        ("COMPLETED", "Completed", "complete"),
        ("FAILED", "Failed for good", "error"),
        ("CANCELLED", "Cancelled", "error"),
    ],
)
def test_the_last_step_says_what_goes_on_or_how_it_ended(api: FakeApi, state: str, last: str, mood: str) -> None:
    step = told(api, state)[-1]
    assert (step.title, step.mood) == (last, mood)


def test_it_begins_with_enqueueing(api: FakeApi) -> None:
    first = told(api, "QUEUED")[0]
    assert (first.title, first.detail) == ("Enqueued", "24 Nov 2026, 11:43:20")


def test_each_run_says_where_and_how_long(api: FakeApi) -> None:
    run = told(api, "COMPLETED")[1]
    assert (run.title, run.detail) == (
        "Run 1 completed after 10 s",
        "24 Nov 2026, 11:59:30 on w1 · 16 min 10 s after it was enqueued",
    )


def test_a_failed_run_carries_its_error(api: FakeApi) -> None:
    run = told(api, "RETRYING")[1]
    assert run.mood == "error"
    assert run.failure is not None
    assert run.failure.traceback == FAILURE["traceback"]


def test_a_cancelled_job_says_why(api: FakeApi) -> None:
    assert told(api, "CANCELLED", cancelReason="no longer [needed]")[-1].detail.endswith(r" · no longer \[needed\]")


def test_an_outcome_that_a_newer_api_knows_is_told_as_it_is_named(api: FakeApi) -> None:
    job_id = api.add_job("COMPLETED")
    found = questions.job(job_id).value
    assert found is not None
    assert found.job is not None
    attempt = found.job.attempts[0]
    object.__setattr__(attempt, "outcome", "EVICTED")
    assert steps(found.job, NOW, UTC)[1].title.startswith("Run 1 evicted after")
