"""Job <-> Redis hash."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from support.jobs import (
    COMPLETED,
    FAILED,
    KEYS,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_job,
    a_running_job,
    attempts,
    claim,
    enqueue,
    finish,
    get,
    record,
)
from taskengine.jobs import Job, JobState, Options, cursor_of, order_of
from taskengine.records import dumps, instant, ms_of, printable, read_job, row_of
from taskengine.store import Ending

instants = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_an_empty_record_is_no_job() -> None:
    assert read_job("j1", []) is None


def test_absent_fields_have_the_values_that_most_jobs_have(redis: Redis) -> None:
    enqueue(redis, "j1", max_attempts=1)
    job = get(redis)
    assert job == Job(
        id="j1",
        task="t",
        queue="q",
        state=QUEUED,
        priority=5,
        args={},
        created_at=job.created_at,
        order=job.order,
        max_attempts=1,
        ready_at=job.created_at,
    )


def test_a_scheduled_job_is_ready_for_nobody_yet(redis: Redis) -> None:
    job = a_job(redis, SCHEDULED)
    assert job.ready_at is None
    assert job.run_at is not None
    assert job.wait_seconds is None


def test_it_waited_from_ready_to_start_and_ran_from_start_to_end(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    created = int(record(redis)["created"]) // 1000
    redis.hset(KEYS.job("j1"), mapping={"started_at": created + 1500, "finished_at": created + 4000})
    job = get(redis)
    assert job.wait_seconds == pytest.approx(1.5, abs=0.001)
    assert job.run_seconds == 2.5


def test_while_it_runs_nobody_knows_how_long_it_ran(redis: Redis) -> None:
    assert a_job(redis, RUNNING).run_seconds is None


def test_a_job_that_waits_again_says_nothing_of_an_attempt_that_is_over(redis: Redis) -> None:
    a_job(redis, RETRYING)
    assert (get(redis).wait_seconds, get(redis).run_seconds) == (None, None)


def test_a_job_that_was_cancelled_in_its_backoff_did_not_run_until_then(redis: Redis) -> None:
    a_job(redis, RETRYING)
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    assert get(redis).finished_at is not None
    assert get(redis).run_seconds is None


def test_a_job_that_was_cancelled_after_it_was_given_back_did_not_run_until_then(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.RELEASED)
    redis.hincrby(KEYS.job("j1"), "started_at", -5000)
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    assert get(redis).run_seconds is None


def test_the_jobs_error_has_no_traceback_but_the_attempts_has(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, traceback=dumps("Traceback ..."))
    error = get(redis).error
    assert error is not None
    assert error.traceback is None
    assert attempts(redis)[0].error.traceback == "Traceback ..."


def test_a_job_that_waits_for_another_attempt_says_until_when(redis: Redis) -> None:
    before = datetime.now(UTC)
    run_at = a_job(redis, RETRYING).run_at
    assert run_at is not None
    assert timedelta(seconds=50) < run_at - before < timedelta(seconds=70)


@pytest.mark.parametrize("state", JobState)
def test_every_state_can_be_read(redis: Redis, state: JobState) -> None:
    assert a_job(redis, state).state is state


def test_a_record_is_read_from_bytes_as_from_text(redis: Redis) -> None:
    a_job(redis, FAILED, args='{"to":"é"}', tags=("é",))
    pairs = [part for pair in record(redis).items() for part in pair]
    assert read_job("j1", [part.encode() for part in pairs]) == read_job("j1", pairs) == get(redis)


def test_arguments_and_results_come_back_as_they_were(redis: Redis) -> None:
    value = {"é": [1, 2.5, None, True, {"deep": []}, "\x00\n\u2028"], "big": 2**63}
    enqueue(redis, "j1", args=dumps(value))
    assert get(redis).args == value
    finish(redis, claim(redis), value=dumps(value))
    assert get(redis).result == value


@given(json_values)
def test_json_is_compact_and_comes_back(value: Any) -> None:
    assert json.loads(dumps(value)) == value
    assert ": " not in dumps({"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_say_is_no_json(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        dumps([value])


@given(st.text(st.characters()))
def test_printable_text_can_always_be_sent(words: str) -> None:
    printable(words).encode()


@given(st.text())
def test_printable_leaves_what_can_be_sent_as_it_is(words: str) -> None:
    assert printable(words) == words


def test_printable_shows_what_could_not_be_sent() -> None:
    assert printable("caf\udce9") == r"caf\udce9"


@given(instants)
def test_an_instant_is_kept_to_the_millisecond(at: datetime) -> None:
    assert abs(instant(ms_of(at)) - at) <= timedelta(milliseconds=0.5)


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_order(order: int) -> None:
    job = Job(
        id="j1", task="t", queue="q", state=QUEUED, priority=5, args={}, created_at=instant(0), order=order,
        max_attempts=1,
    )  # fmt: skip
    assert order_of(cursor_of(job)) == order


def test_a_row_leaves_out_what_is_usual() -> None:
    assert row_of("j1", "t", "{}", queue="q", priority=5, options=Options(max_attempts=1)) == [
        "j1", "t", "q", 5, "", "", "", 2, "args", "{}",
    ]  # fmt: skip


def test_a_row_has_the_rest_as_fields_and_times_in_ms() -> None:
    options = Options(
        delay=1.5, max_attempts=3, timeout=0.25, tags=("a",),
        depends_on=("j0", "j2"), idempotency_key="k", start_before=instant(9),
    )  # fmt: skip
    assert row_of("j1", "t", "{}", queue="q", priority=5, options=options)[4:] == [
        1500, "", "j0,j2", 12, "args", "{}", "start_before", 9, "idempotency_key", "k",
        "max_attempts", 3, "timeout_ms", 250, "tags", '["a"]',
    ]  # fmt: skip


def test_a_cancelled_job_says_why(redis: Redis) -> None:
    a_job(redis)
    STORE.cancel_job("j1", terminate=False, reason="not needed").run(redis)
    assert get(redis).cancel_reason == "not needed"
