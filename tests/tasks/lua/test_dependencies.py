"""Jobs that wait for jobs: what each end of one does to the other, and that it stays in small steps."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    ERROR,
    FINAL,
    KEYS,
    QUEUED,
    SCHEDULED,
    STORE,
    a_job,
    claim,
    enqueue,
    finish,
    get,
    register,
    row,
    take,
    writes,
)
from taskengine.errors import UnknownDependency
from taskengine.jobs import JobState
from taskengine.store import Ending


def end(redis: Redis, job_id: str, ending: Ending = Ending.COMPLETED) -> None:
    register(redis)
    (job,) = take(redis).jobs
    assert job.id == job_id
    finish(redis, job, ending)


def test_it_starts_when_all_have_completed(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    enqueue(redis, "j1", depends_on=("a", "b"))
    assert get(redis).state is SCHEDULED
    end(redis, "a")
    assert (get(redis).state, get(redis).blockers) == (SCHEDULED, 1)
    end(redis, "b")
    assert (get(redis).state, get(redis).blockers) == (QUEUED, 0)


def test_one_that_completed_before_does_not_hold_it(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    enqueue(redis, "j1", depends_on=("a",))
    assert get(redis).state is QUEUED


def test_its_own_time_is_waited_for_as_well(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    enqueue(redis, "j1", depends_on=("a",), delay=60)
    assert (get(redis).state, get(redis).blockers) == (SCHEDULED, 0)
    assert redis.zscore(KEYS.waiting, "j1") is not None


def test_it_is_cancelled_with_the_reason_when_one_fails(redis: Redis) -> None:
    enqueue(redis, "a", max_attempts=1)
    enqueue(redis, "j1", depends_on=("a",))
    finish(redis, claim(redis), Ending.FAILED, value=ERROR)
    assert (get(redis).state, get(redis).cancel_reason) == (CANCELLED, "it depends on a, which is FAILED")


def test_it_is_cancelled_when_one_is_cancelled(redis: Redis) -> None:
    enqueue(redis, "a")
    enqueue(redis, "j1", depends_on=("a",))
    STORE.cancel_job("a", terminate=False, reason="").run(redis)
    assert get(redis).cancel_reason == "it depends on a, which is CANCELLED"


def test_it_is_cancelled_when_one_is_deleted(redis: Redis) -> None:
    enqueue(redis, "a")
    enqueue(redis, "j1", depends_on=("a",))
    STORE.delete_job("a").run(redis)
    assert get(redis).cancel_reason == "it depends on a, which is gone"


@pytest.mark.parametrize("state", sorted(set(FINAL) - {COMPLETED}))
def test_it_is_cancelled_at_once_when_one_has_ended_otherwise(redis: Redis, state: JobState) -> None:
    a_job(redis, state, "a")
    enqueue(redis, "j1", depends_on=("a",))
    assert get(redis).state is CANCELLED


def test_a_retry_of_the_other_holds_it_on(redis: Redis) -> None:
    enqueue(redis, "a", max_attempts=2)
    enqueue(redis, "j1", depends_on=("a",))
    finish(redis, claim(redis), Ending.FAILED, value=ERROR, retry_ms=0)
    assert get(redis).state is SCHEDULED
    finish(redis, claim(redis))
    assert get(redis).state is QUEUED


def test_a_chain_is_cancelled_to_its_end(redis: Redis) -> None:
    enqueue(redis, "0")
    for number in range(1, 30):
        enqueue(redis, f"{number}", depends_on=(f"{number - 1}",))
    STORE.cancel_job("0", terminate=False, reason="").run(redis)
    assert get(redis, "29").state is CANCELLED


def test_a_job_of_the_same_batch_can_be_waited_for(redis: Redis) -> None:
    STORE.enqueue_jobs([row("a"), row("j1", depends_on=("a",))]).run(redis)
    assert get(redis).state is SCHEDULED


def test_a_cycle_cannot_be_made_since_a_job_waits_only_for_those_before_it(redis: Redis) -> None:
    rows = [row("a", depends_on=("b",)), row("b", depends_on=("a",))]
    with writes(redis) as written, pytest.raises(UnknownDependency):
        STORE.enqueue_jobs(rows).run(redis)
    assert written == set()


def test_an_unknown_id_refuses_the_whole_batch_and_says_which(redis: Redis) -> None:
    with writes(redis) as written, pytest.raises(UnknownDependency, match="no job 'gone' to wait for") as refused:
        STORE.enqueue_jobs([row("a"), row("j1", depends_on=("a", "gone"))]).run(redis)
    assert written == set()
    assert (refused.value.row, refused.value.job_id) == (1, "gone")


def test_one_that_is_cancelled_itself_is_waited_for_no_more(redis: Redis) -> None:
    enqueue(redis, "a")
    enqueue(redis, "j1", depends_on=("a",))
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    assert redis.exists(KEYS.dependents("a")) == 0
    end(redis, "a")
    assert get(redis).state is CANCELLED


def test_more_dependents_than_one_step_does_follow_with_the_next_ones(redis: Redis) -> None:
    enqueue(redis, "root")
    dependents = [f"d{number}" for number in range(250)]
    STORE.enqueue_jobs([row(job_id, depends_on=("root",)) for job_id in dependents]).run(redis)
    end(redis, "root")
    assert [get(redis, job_id).state for job_id in dependents].count(QUEUED) == 100
    STORE.promote_jobs(limit=200).run(redis)
    assert all(get(redis, job_id).state is QUEUED for job_id in dependents)
    register(redis)
    assert [job.id for job in take(redis, 250).jobs] == dependents


def test_more_dependencies_than_one_step_looks_at_follow_with_the_next_ones(redis: Redis) -> None:
    before = [f"b{number}" for number in range(1200)]
    STORE.enqueue_jobs([row(job_id) for job_id in before]).run(redis)
    enqueue(redis, "j1", depends_on=tuple(before))
    register(redis)
    for job in take(redis, 1200).jobs:
        finish(redis, job)
    STORE.promote_jobs(limit=5000).run(redis)
    assert get(redis).state is QUEUED


def test_a_removed_job_that_completed_does_not_hold_up_who_was_not_told_yet(redis: Redis) -> None:
    enqueue(redis, "root")
    STORE.enqueue_jobs([row(f"d{number}", depends_on=("root",)) for number in range(150)]).run(redis)
    end(redis, "root")
    STORE.delete_job("root").run(redis)
    STORE.promote_jobs(limit=200).run(redis)
    assert all(get(redis, f"d{number}").state is QUEUED for number in range(150))
