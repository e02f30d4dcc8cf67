"""``list_audit_entries.lua``: pages of what operators did, and what the scripts write down of it."""

from typing import Any

import pytest
from redis import Redis

from support.jobs import CANCELLED, COMPLETED, FAILED, KEYS, QUEUED, RUNNING, STORE, a_job, enqueue, writes
from taskengine.audit import KEPT, AuditEntry, AuditPage, list_entries
from taskengine.bulk import BulkKind, Bulks, look_for
from taskengine.errors import IllegalMove
from taskengine.filters import JobFilter
from taskengine.rules import KEEP, Kind


def page(redis: Redis, *, cursor: str | None = None, limit: int = 10, backward: bool = False) -> AuditPage:
    return list_entries(KEYS, cursor=cursor, limit=limit, backward=backward).run(redis)


def told(redis: Redis) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [(entry.by, entry.action, entry.subject, entry.details) for entry in page(redis).entries]


# What is written down


def test_a_cancel(redis: Redis) -> None:
    a_job(redis, QUEUED)
    STORE.cancel_job("j1", terminate=False, reason="enough", by="eve").run(redis)
    assert told(redis) == [("eve", "cancel_job", "j1", {"reason": "enough", "state": "QUEUED"})]


def test_asking_a_running_job_to_stop(redis: Redis) -> None:
    a_job(redis, RUNNING)
    STORE.cancel_job("j1", terminate=True, reason="", by="eve").run(redis)
    assert told(redis) == [("eve", "cancel_job", "j1", {"reason": "", "state": "RUNNING"})]


def test_a_retry(redis: Redis) -> None:
    a_job(redis, FAILED)
    STORE.retry_job("j1", attempts=2, by="eve").run(redis)
    assert told(redis) == [("eve", "retry_job", "j1", {"attempts": 2})]


def test_a_retry_with_the_tasks_own_number(redis: Redis) -> None:
    a_job(redis, FAILED)
    STORE.retry_job("j1", attempts=None, by="eve").run(redis)
    assert told(redis) == [("eve", "retry_job", "j1", {})]


def test_a_delete_tells_what_is_gone(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    STORE.delete_job("j1", by="eve").run(redis)
    assert told(redis) == [("eve", "delete_job", "j1", {"task": "t", "state": "COMPLETED"})]


def test_a_clear(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, CANCELLED, "b")
    STORE.clear_jobs([COMPLETED, CANCELLED], before_ms=None, limit=9, by="eve").run(redis)
    STORE.clear_jobs([COMPLETED, CANCELLED], before_ms=None, limit=9, by="eve").run(redis)
    assert told(redis) == [("eve", "clear_history", "COMPLETED,CANCELLED", {"jobs": 2})]


def test_another_time_and_another_priority(redis: Redis) -> None:
    a_job(redis, QUEUED)
    STORE.reschedule_job("j1", run_at_ms=2**42, by="eve").run(redis)
    STORE.change_priority("j1", 9, by="eve").run(redis)
    assert told(redis) == [
        ("eve", "change_job_priority", "j1", {"was": 5, "priority": 9}),
        ("eve", "reschedule_job", "j1", {"run_at_ms": 2**42}),
    ]


def test_a_pause_and_its_end(redis: Redis) -> None:
    for _ in range(2):  # what is so already is no action
        STORE.pause(Kind.QUEUE, "mail", by="eve", reason="incident").run(redis)
    for _ in range(2):
        STORE.resume(Kind.QUEUE, "mail", by="adam").run(redis)
    assert told(redis) == [
        ("adam", "resume", "queue:mail", {}),
        ("eve", "pause", "queue:mail", {"reason": "incident"}),
    ]


def test_a_memory_budget_when_it_is_another(redis: Redis) -> None:
    for _ in range(2):
        STORE.set_budget(10**12, by="eve").run(redis)
    STORE.set_budget(None).run(redis)
    assert told(redis) == [("eve", "set_budget", "redis", {"bytes": str(10**12)})]


def test_limits(redis: Redis) -> None:
    STORE.set_limits(Kind.TASK, "t", concurrency=3, rate=KEEP, by="eve").run(redis)
    assert told(redis) == [("eve", "set_limits", "task:t", {"concurrency": 3})]


def test_a_change_to_many_jobs_once_whatever_its_size_and_its_stop(redis: Redis) -> None:
    bulks = Bulks(KEYS)
    enqueue(redis, *"abc")
    look = look_for(JobFilter(queues=("q",), priority=(3, None)))
    bulks.start("b1", BulkKind.DELETE, look, matched=3, by="eve").run(redis)
    bulks.stop("b1", by="adam").run(redis)
    bulks.stop("b1", by="adam").run(redis)
    facts = {"operation": "b1", "kind": "DELETE", "matched": 3, "queues": ["q"], "priority": [3, None]}
    assert told(redis) == [("adam", "stop_bulk", "b1", {}), ("eve", "start_bulk", "b1", facts)]


def test_nothing_when_nobody_says_who(redis: Redis) -> None:
    a_job(redis, QUEUED)
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    assert redis.exists(KEYS.audit) == 0


def test_nothing_when_nothing_was_done(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, CANCELLED, "b")
    with pytest.raises(IllegalMove):
        STORE.cancel_job("a", terminate=False, reason="", by="eve").run(redis)
    STORE.cancel_job("b", terminate=False, reason="", by="eve").run(redis)
    assert redis.exists(KEYS.audit) == 0


def test_the_newest_are_kept(redis: Redis) -> None:
    pipeline = redis.pipeline()
    for number in range(KEPT + 200):
        pipeline.xadd(KEYS.audit, {"by": "eve", "action": "x", "subject": str(number), "details": ""})
    pipeline.execute()
    a_job(redis, QUEUED)
    STORE.cancel_job("j1", terminate=False, reason="", by="eve").run(redis)
    assert KEPT <= redis.xlen(KEYS.audit) < KEPT + 200
    assert page(redis, limit=1).entries[0].action == "cancel_job"


# Pages


@pytest.fixture
def entries(redis: Redis) -> None:
    """Deletes of jobs a to e, in this order."""
    enqueue(redis, *"abcde")
    for job_id in "abcde":
        STORE.delete_job(job_id, by="eve").run(redis)


def subjects(page: AuditPage) -> str:
    return "".join(entry.subject for entry in page.entries)


def test_without_actions_there_is_none(redis: Redis) -> None:
    assert page(redis) == AuditPage(entries=(), has_next=False, has_previous=False)


@pytest.mark.usefixtures("entries")
def test_pages_go_on_behind_a_cursor(redis: Redis) -> None:
    first = page(redis, limit=2)
    second = page(redis, cursor=first.entries[-1].id, limit=2)
    third = page(redis, cursor=second.entries[-1].id, limit=2)
    assert [subjects(found) for found in (first, second, third)] == ["ed", "cb", "a"]
    assert [found.has_next for found in (first, second, third)] == [True, True, False]
    assert [found.has_previous for found in (first, second, third)] == [False, True, True]


@pytest.mark.usefixtures("entries")
def test_pages_go_backward_too(redis: Redis) -> None:
    last = page(redis, limit=2, backward=True)
    before = page(redis, cursor=last.entries[0].id, limit=2, backward=True)
    begin = page(redis, cursor=before.entries[0].id, limit=2, backward=True)
    assert [subjects(found) for found in (begin, before, last)] == ["e", "dc", "ba"]
    assert [found.has_previous for found in (begin, before, last)] == [False, True, True]
    assert [found.has_next for found in (begin, before, last)] == [True, True, False]


@pytest.mark.usefixtures("entries")
def test_an_entry_has_its_time_by_redis_clock(redis: Redis) -> None:
    newest: AuditEntry = page(redis, limit=1).entries[0]
    assert abs(newest.at.timestamp() - redis.time()[0]) < 5


@pytest.mark.usefixtures("entries")
def test_looking_changes_nothing(redis: Redis) -> None:
    with writes(redis, "list_audit_entries") as written:
        page(redis)
    assert written == set()
