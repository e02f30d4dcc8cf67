"""``enqueue_jobs.lua``: nothing -> QUEUED or SCHEDULED, many at once, and twice is as good as once."""

import json
from datetime import UTC, datetime, timedelta

from redis import Redis

from support.jobs import (
    KEYS,
    MINUTE,
    QUEUED,
    SCHEDULED,
    STORE,
    enqueue,
    everything,
    get,
    last_event,
    moves,
    now_ms,
    record,
    row,
    writes,
)
from taskengine.records import named_by, with_fields


def test_a_new_job_is_queued(redis: Redis) -> None:
    assert enqueue(redis, "j1") == [True]
    assert get(redis).state is QUEUED
    assert moves(redis) == [("", "QUEUED")]


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    with writes(redis, "enqueue_jobs") as written:
        enqueue(redis, "j1")
    assert written == {
        "job:j1",
        "lane:q:t:QUEUED",
        "lanes",
        "queues",
        "ready:q:t",
        "heads:q",
        "wake:q",
        "wake:*",
        "clock",
        "events",
    }


def test_a_second_job_of_a_queue_wakes_only_those_who_serve_it(redis: Redis) -> None:
    enqueue(redis, "j1")
    with writes(redis, "enqueue_jobs") as written:
        enqueue(redis, "j2", task="another")
    assert "wake:q" in written
    assert "wake:*" not in written


def test_the_record_holds_only_what_is_not_usual(redis: Redis) -> None:
    enqueue(redis, "j1", max_attempts=1)
    assert record(redis).keys() == {"state", "task", "queue", "priority", "created", "args"}


def test_the_record_holds_the_options_that_were_given(redis: Redis) -> None:
    enqueue(redis, "j1", max_attempts=4, timeout=1.5, tags=("a", "b"), args='{"x":1}', priority=9)
    job = get(redis)
    assert (job.max_attempts, job.timeout_seconds, job.tags) == (4, 1.5, ("a", "b"))
    assert (job.args, job.priority, job.queue, job.task) == ({"x": 1}, 9, "q", "t")


def test_the_time_of_creation_is_rediss_own(redis: Redis) -> None:
    before = now_ms(redis)
    enqueue(redis, "j1")
    assert before <= get(redis).created_at.timestamp() * 1000 <= now_ms(redis) + 1


def test_a_delayed_job_is_scheduled_by_rediss_clock(redis: Redis) -> None:
    before = now_ms(redis)
    enqueue(redis, "j1", delay=60)
    assert get(redis).state is SCHEDULED
    due = redis.zscore(KEYS.waiting, "j1")
    assert before + MINUTE <= due <= now_ms(redis) + MINUTE
    assert record(redis)["run_at"] == f"{due:.0f}"


def test_a_delayed_job_is_in_no_queue_yet(redis: Redis) -> None:
    with writes(redis, "enqueue_jobs") as written:
        enqueue(redis, "j1", delay=60)
    assert written == {"job:j1", "lane:q:t:SCHEDULED", "lanes", "queues", "wake:*", "waiting", "clock", "events"}


def test_a_time_in_the_future_schedules_the_job(redis: Redis) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    enqueue(redis, "j1", run_at=at)
    assert get(redis).state is SCHEDULED
    assert get(redis).run_at == at


def test_a_time_in_the_past_queues_the_job(redis: Redis) -> None:
    enqueue(redis, "j1", run_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert get(redis).state is QUEUED
    assert redis.zcard(KEYS.waiting) == 0


def test_no_delay_is_now(redis: Redis) -> None:
    enqueue(redis, "j1", delay=0)
    assert get(redis).state is QUEUED


def test_a_job_whose_id_is_there_is_left_as_it_is(redis: Redis) -> None:
    enqueue(redis, "j1", args='{"x":1}')
    with writes(redis, "enqueue_jobs") as written:
        assert enqueue(redis, "j1", args='{"x":2}', queue="another", delay=60) == [False]
    assert written == set()


def test_an_id_twice_in_one_call_is_one_job(redis: Redis) -> None:
    assert enqueue(redis, "j1", "j1") == [True, False]
    assert moves(redis) == [("", "QUEUED")]


def test_each_row_has_its_answer(redis: Redis) -> None:
    enqueue(redis, "j2")
    assert enqueue(redis, "j1", "j2", "j3") == [True, False, True]


def test_rows_may_differ_in_everything(redis: Redis) -> None:
    rows = [row("j1", queue="a", tags=("x",)), row("j2", task="u", priority=1, max_attempts=1), row("j3", delay=60)]
    STORE.enqueue_jobs(rows).run(redis)
    assert [(get(redis, i).queue, get(redis, i).task, get(redis, i).state) for i in ("j1", "j2", "j3")] == [
        ("a", "t", QUEUED),
        ("q", "u", QUEUED),
        ("q", "t", SCHEDULED),
    ]


def test_jobs_are_ordered_as_they_came_also_within_a_call(redis: Redis) -> None:
    ids = [f"j{number}" for number in range(50)]
    enqueue(redis, *ids)
    orders = [get(redis, job_id).order for job_id in ids]
    assert orders == sorted(set(orders))
    assert redis.zrange(KEYS.ready("q", "t"), 0, -1) == ids


def test_order_never_falls_though_the_clock_is_set_back(redis: Redis) -> None:
    tomorrow = now_ms(redis) * 1000 + 86_400_000_000
    redis.set(KEYS.clock, tomorrow)
    enqueue(redis, "j1", "j2")
    assert [get(redis, "j1").order, get(redis, "j2").order] == [tomorrow + 1, tomorrow + 2]


def test_nothing_to_enqueue_changes_nothing(redis: Redis) -> None:
    assert STORE.enqueue_jobs([]).run(redis) == []
    assert everything(redis) == {}


def test_the_wake_list_is_capped_and_has_an_end(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(100)))
    assert redis.llen(KEYS.wake("q")) == 64
    assert 0 < redis.ttl(KEYS.wake("q")) <= 60


def test_the_event_says_what_came(redis: Redis) -> None:
    enqueue(redis, "j1")
    assert last_event(redis) == {
        "kind": "STATE",
        "job": "j1",
        "task": "t",
        "queue": "q",
        "from": "",
        "to": "QUEUED",
        "attempt": "0",
        "message": "",
    }


def test_who_enqueues_is_in_the_record_and_not_in_the_audit(redis: Redis) -> None:
    STORE.enqueue_jobs([named_by(row("j1"), "ops@"), row("j2")]).run(redis)
    assert [get(redis, job_id).enqueued_by for job_id in ("j1", "j2")] == ["ops@", None]
    assert redis.exists(KEYS.audit) == 0


def test_what_an_operator_repeats_is_written_down(redis: Redis) -> None:
    STORE.enqueue_jobs([named_by(with_fields(row("j2"), {"rerun_of": "j1"}), "ops@")]).run(redis)
    ((_, entry),) = redis.xrange(KEYS.audit)
    assert (entry["by"], entry["action"], entry["subject"]) == ("ops@", "rerun_job", "j1")
    assert json.loads(entry["details"]) == {"job": "j2", "jobs": 1, "task": "t"}


def test_what_a_program_repeats_is_no_operators_action(redis: Redis) -> None:
    STORE.enqueue_jobs([with_fields(row("j2"), {"rerun_of": "j1"})]).run(redis)
    assert redis.exists(KEYS.audit) == 0
