"""Changes of jobs, and how they are told."""

import httpx
import pytest

from support.fake_api import FakeApi
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.changes.outcomes import told
from taskengine_dashboard.client import ApiUnreachable, RequestFailed
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.source import Changed, Refusal
from taskengine_dashboard.views.jobs import questions

REFUSED = {"code": "CONFLICT", "message": "job 'x' is COMPLETED", "path": ["id"]}


def test_each_job_is_retried_by_its_id(api: FakeApi) -> None:
    jobs = [api.add_job("FAILED"), api.add_job("CANCELLED")]
    assert changes.retry(jobs) == Changed(done=2)
    assert [job["state"] for job in api.jobs] == ["QUEUED", "QUEUED"]


@pytest.mark.parametrize("terminate", [True, False])
def test_a_running_job_is_stopped_only_when_asked(api: FakeApi, terminate: bool) -> None:
    job_id = api.add_job("RUNNING")
    changes.cancel([job_id], terminate=terminate)
    assert api.asked("CancelJob") == [{"input": {"id": job_id, "terminate": terminate}}]


def test_what_is_refused_is_kept_with_its_reason(api: FakeApi) -> None:
    api.refusal = REFUSED
    changed = changes.retry([api.add_job("COMPLETED")])
    assert changed == Changed(done=0, refusals=(Refusal("job 'x' is COMPLETED", ("id",), "CONFLICT"),))


def test_after_a_problem_the_rest_is_not_tried(api: FakeApi) -> None:
    api.problem = httpx.ConnectError("refused")
    changed = changes.retry(["a", "b", "c"])
    assert (changed.done, changed.not_tried) == (0, 3)
    assert isinstance(changed.problem, ApiUnreachable)
    assert len(api.asked("RetryJob")) == 1


def test_the_own_change_is_seen_at_once(api: FakeApi) -> None:
    job_id = api.add_job("FAILED")
    failed = JobsQuery(state="FAILED")
    before = questions.jobs(failed).value
    changes.retry([job_id])
    after = questions.jobs(failed).value
    assert before is not None
    assert after is not None
    assert (before.total, after.total) == (1, 0)


def test_enqueueing_gives_the_new_job(api: FakeApi) -> None:
    enqueued = changes.enqueue({"task": "greet", "args": {"name": "Bob"}})
    assert enqueued.payload is not None
    assert api.job(enqueued.payload["job"]["id"])["args"] == {"name": "Bob"}


def test_enqueueing_may_be_refused(api: FakeApi) -> None:
    api.refusal = {"code": "INVALID", "message": "is too long", "path": ["args", "name"]}
    assert changes.enqueue({"task": "greet", "args": {}}).refusals == (Refusal("is too long", ("args", "name")),)


def test_enqueueing_may_fail_on_the_way(api: FakeApi) -> None:
    api.error_code = "UNAVAILABLE"
    assert isinstance(changes.enqueue({"task": "greet", "args": {}}).problem, RequestFailed)


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
