"""Changes of jobs, and how they are told."""

import httpx
import pytest

from support.fake_api import FakeApi
from taskengine_dashboard.client import ApiUnreachable, RequestFailed
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.outcomes import told
from taskengine_dashboard.source import Changed, Refusal, Source

REFUSED = {"code": "CONFLICT", "message": "job 'x' is COMPLETED", "path": ["id"]}


def test_each_job_is_retried_by_its_id(api: FakeApi, source: Source) -> None:
    jobs = [api.add_job("FAILED"), api.add_job("CANCELLED")]
    assert source.retry(jobs) == Changed(done=2)
    assert [job["state"] for job in api.jobs] == ["QUEUED", "QUEUED"]


@pytest.mark.parametrize("terminate", [True, False])
def test_a_running_job_is_stopped_only_when_asked(api: FakeApi, source: Source, terminate: bool) -> None:
    job_id = api.add_job("RUNNING")
    source.cancel([job_id], terminate=terminate)
    assert api.asked("CancelJob") == [{"input": {"id": job_id, "terminate": terminate}}]


def test_what_is_refused_is_kept_with_its_reason(api: FakeApi, source: Source) -> None:
    api.refusal = REFUSED
    changed = source.retry([api.add_job("COMPLETED")])
    assert changed == Changed(done=0, refusals=(Refusal("job 'x' is COMPLETED", ("id",), "CONFLICT"),))


def test_after_a_problem_the_rest_is_not_tried(api: FakeApi, source: Source) -> None:
    api.problem = httpx.ConnectError("refused")
    changed = source.retry(["a", "b", "c"])
    assert (changed.done, changed.not_tried) == (0, 3)
    assert isinstance(changed.problem, ApiUnreachable)
    assert len(api.asked("RetryJob")) == 1


def test_the_own_change_is_seen_at_once(api: FakeApi, source: Source) -> None:
    job_id = api.add_job("FAILED")
    failed = JobsQuery(state="FAILED")
    before = source.jobs(failed).value
    source.retry([job_id])
    after = source.jobs(failed).value
    assert before is not None
    assert after is not None
    assert (before.page.total, after.page.total) == (1, 0)


def test_enqueueing_gives_the_new_job(api: FakeApi, source: Source) -> None:
    enqueued = source.enqueue({"task": "greet", "args": {"name": "Bob"}})
    assert enqueued.job_id is not None
    assert api.job(enqueued.job_id)["args"] == {"name": "Bob"}


def test_enqueueing_may_be_refused(api: FakeApi, source: Source) -> None:
    api.refusal = {"code": "INVALID", "message": "is too long", "path": ["args", "name"]}
    assert source.enqueue({"task": "greet", "args": {}}).refusals == (Refusal("is too long", ("args", "name")),)


def test_enqueueing_may_fail_on_the_way(api: FakeApi, source: Source) -> None:
    api.error_code = "UNAVAILABLE"
    assert isinstance(source.enqueue({"task": "greet", "args": {}}).problem, RequestFailed)


@pytest.mark.parametrize(
    ("changed", "sentence", "fine"),
    [
        (Changed(done=3), "Retried 3 jobs.", True),
        (
            Changed(done=1, refusals=(Refusal("it is done"),)),
            "Retried 1 job. 1 job could not be: it is done.",
            False,
        ),
        (Changed(done=0, refusals=(Refusal("no"), Refusal("nor"))), "2 jobs could not be: no.", False),
        (
            Changed(done=1, not_tried=2, problem=RequestFailed("UNAVAILABLE", "Redis is away")),
            "Retried 1 job. 2 jobs not tried: Redis is away",
            False,
        ),
    ],
)
def test_a_change_is_told_in_a_sentence(changed: Changed, sentence: str, fine: bool) -> None:
    text, icon = told("Retry", changed)
    assert text == sentence
    assert icon == (":material/check_circle:" if fine else ":material/warning:")
