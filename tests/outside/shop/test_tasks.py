"""The shop's own tests, as its author wrote them with taskengine's fixtures."""

import threading
from datetime import timedelta

import pytest
from huey.exceptions import TaskException

from shop.orders import Item
from shop.tasks import Receipt, reserve, send_mail, weigh
from taskengine import Options, TaskEngine
from taskengine.jobs import JobState
from taskengine.testing import Clock, assert_enqueued, assert_not_enqueued, drain, engine_in_place, enqueued, move_time


def test_in_place_a_call_has_run_when_it_returns(taskengine_in_place: TaskEngine) -> None:
    assert taskengine_in_place.immediate
    assert send_mail("a@example.org", "Hello").get() == Receipt(to="a@example.org", subject="Hello", length=0)


def test_in_place_an_error_is_raised_when_the_result_is_read() -> None:
    with engine_in_place(send_mail.huey):
        result = reserve("KIT-1007", 99)
        with pytest.raises(TaskException, match=r"shop\.tasks\.OutOfStock: 99 of KIT-1007"):
            result.get()


def test_what_was_enqueued_can_be_asserted(taskengine_engine: TaskEngine) -> None:
    item = Item(sku="KIT-1007", quantity=2, unit_price=1)
    weigh([item], {"KIT-1007": 7})
    send_mail.enqueue("a@example.org", "Hello", options=Options(delay=60, tags=("order-7",)))
    assert_enqueued(weigh, args=([item], {"KIT-1007": 7}))
    assert_enqueued(send_mail, args={"to": "a@example.org"}, queue="mail", priority=8, delay=60, tags=("order-7",))
    assert_not_enqueued(reserve)
    with pytest.raises(AssertionError, match=r"expected 2 jobs of mail\.send\(queue='mail'\), found 1"):
        assert_enqueued(send_mail, queue="mail", times=2)
    with pytest.raises(AssertionError, match=r"expected no job of weigh, found 1"):
        assert_not_enqueued(weigh)


def test_a_drained_queue_has_run_with_real_records(taskengine_engine: TaskEngine) -> None:
    result = weigh([Item(sku="a", unit_price=1)], {"a": 3})
    later = send_mail("a@example.org", "Hello")
    (job,) = drain(taskengine_engine, queue="default")
    assert (job.state, job.result, job.attempt_count) == (JobState.COMPLETED, 3, 1)
    assert result.get() == 3
    assert later.get() is None
    assert [job.task for job in drain(taskengine_engine)] == ["mail.send"]


def test_moved_time_makes_due_what_was_for_later(taskengine_engine: TaskEngine) -> None:
    send_mail.enqueue("a@example.org", "Hello", options=Options(delay=3600))
    assert drain(taskengine_engine) == []
    assert move_time(taskengine_engine, timedelta(minutes=59)) == 1
    assert drain(taskengine_engine) == []
    move_time(taskengine_engine, 61)
    assert [job.state for job in drain(taskengine_engine)] == [JobState.COMPLETED]
    assert enqueued(send_mail) == []


def test_frozen_time_stands_until_it_is_moved(taskengine_clock: Clock) -> None:
    send_mail.enqueue("a@example.org", "Hello", options=Options(delay=1))
    threading.Event().wait(1.2)  # real time passes; a second is more than a busy machine takes to drain nothing
    assert taskengine_clock.drain() == []
    taskengine_clock.move(1)
    assert [job.task for job in taskengine_clock.drain()] == ["mail.send"]


def test_every_test_begins_with_an_empty_redis(taskengine_engine: TaskEngine) -> None:
    assert taskengine_engine.pending_count() + taskengine_engine.scheduled_count() == 0
    assert taskengine_engine.result_count() == 0
