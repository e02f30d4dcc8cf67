"""``list_jobs.lua``: pages of jobs by creation, exact while jobs move."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    QUEUED,
    READS,
    RUNNING,
    STORE,
    a_job,
    enqueue,
    finish,
    get,
    register,
    row,
    take,
    writes,
)
from taskengine.filters import JobFilter, JobOrder, JobOrderField
from taskengine.jobs import JobPage, JobState, cursor_of, order_of
from taskengine.listing import Look, Place, page_of
from taskengine.records import with_fields
from taskengine.rules import KEEP, Kind


def page(
    redis: Redis,
    wanted: JobFilter | None = None,
    *,
    cursor: int | None = None,
    limit: int = 10,
    newest_first: bool = True,
    backward: bool = False,
) -> JobPage:
    look = Look.for_(wanted or JobFilter(), JobOrder(descending=newest_first))
    behind = None if cursor is None else Place(cursor)
    return page_of(
        look, READS.list_jobs(look, behind=behind, limit=limit, backward=backward).run(redis), backward=backward
    )


def ids(found: JobPage) -> str:
    return "".join(job.id for job in found.jobs)


def order(redis: Redis, job_id: str) -> int:
    return get(redis, job_id).order


def test_no_jobs_are_an_empty_page(redis: Redis) -> None:
    assert page(redis) == JobPage(jobs=(), has_next=False, has_previous=False, total=0)


def test_the_newest_come_first(redis: Redis) -> None:
    enqueue(redis, *"abc")
    assert ids(page(redis)) == "cba"


def test_or_the_oldest(redis: Redis) -> None:
    enqueue(redis, *"abc")
    assert ids(page(redis, newest_first=False)) == "abc"


def test_jobs_of_all_queues_tasks_and_states_are_in_one_order(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, FAILED, "b", queue="q2")
    a_job(redis, RUNNING, "c", task="u")
    enqueue(redis, "d")
    assert ids(page(redis)) == "dcba"


def test_the_next_page_begins_behind_the_cursor(redis: Redis) -> None:
    enqueue(redis, *"abcde")
    found = page(redis, cursor=order(redis, "d"), limit=2)
    assert ids(found) == "cb"
    assert (found.has_next, found.has_previous) == (True, True)


def test_the_first_and_the_last_page_know_that_they_are(redis: Redis) -> None:
    enqueue(redis, *"abcde")
    first = page(redis, limit=3)
    last = page(redis, cursor=first.jobs[-1].order, limit=3)
    assert (ids(first), first.has_next, first.has_previous) == ("edc", True, False)
    assert (ids(last), last.has_next, last.has_previous) == ("ba", False, True)


def test_a_page_that_just_fits_has_no_next(redis: Redis) -> None:
    enqueue(redis, *"abc")
    assert not page(redis, limit=3).has_next


def test_backward_gives_the_page_that_ends_before_the_cursor_in_the_same_order(redis: Redis) -> None:
    enqueue(redis, *"abcdef")
    found = page(redis, cursor=order(redis, "b"), limit=2, backward=True)
    assert ids(found) == "dc"
    assert (found.has_next, found.has_previous) == (True, True)


def test_backward_without_a_cursor_is_the_last_page(redis: Redis) -> None:
    enqueue(redis, *"abcde")
    found = page(redis, limit=2, backward=True)
    assert ids(found) == "ba"
    assert (found.has_next, found.has_previous) == (False, True)


def test_the_total_is_of_all_that_match(redis: Redis) -> None:
    enqueue(redis, *"abcde")
    assert page(redis, limit=2).total == 5
    assert page(redis, limit=2, cursor=order(redis, "a")).total == 5


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (JobFilter(states=(COMPLETED,)), "a"),
        (JobFilter(states=(QUEUED, COMPLETED)), "eda"),
        (JobFilter(queues=("q2",)), "eb"),
        (JobFilter(tasks=("u",)), "ec"),
        (JobFilter(queues=("q2",), tasks=("u",)), "e"),
        (JobFilter(queues=("q2", "nowhere"), states=(FAILED,)), "b"),
        (JobFilter(tasks=("nothing",)), ""),
    ],
)
def test_a_filter_leaves_what_it_names(redis: Redis, wanted: JobFilter, expected: str) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, FAILED, "b", queue="q2")
    a_job(redis, RUNNING, "c", task="u")
    enqueue(redis, "d")
    enqueue(redis, "e", queue="q2", task="u")
    found = page(redis, wanted)
    assert (ids(found), found.total) == (expected, len(expected))


def test_names_that_begin_alike_are_told_apart(redis: Redis) -> None:
    enqueue(redis, "a", queue="mail")
    enqueue(redis, "b", queue="mail-bulk")
    enqueue(redis, "c", queue="bulk.mail", task="mail")
    assert ids(page(redis, JobFilter(queues=("mail",)))) == "a"


def test_more_queues_than_a_page_has_jobs(redis: Redis) -> None:
    for number, job_id in enumerate("abcdefghij"):
        enqueue(redis, job_id, queue=f"q{number}")
    assert ids(page(redis, limit=3)) == "jih"
    assert ids(page(redis, limit=3, cursor=order(redis, "h"))) == "gfe"


def test_a_cursor_holds_when_its_job_is_gone(redis: Redis) -> None:
    enqueue(redis, *"abcde")
    cursor = order(redis, "c")
    STORE.delete_job("c").run(redis)
    assert ids(page(redis, cursor=cursor)) == "ba"


def test_there_is_no_page_before_when_all_that_was_there_is_gone(redis: Redis) -> None:
    enqueue(redis, *"abc")
    cursor = order(redis, "c")
    assert page(redis, cursor=cursor).has_previous
    STORE.delete_job("c").run(redis)
    assert not page(redis, cursor=cursor).has_previous


def test_a_job_that_moves_keeps_its_place(redis: Redis) -> None:
    register(redis)
    enqueue(redis, *"abcde")
    first = page(redis, limit=2)
    for job in take(redis, 3).jobs:  # a, b and c: of the next page
        finish(redis, job)
    assert ids(page(redis, cursor=first.jobs[-1].order, limit=3)) == "cba"


def test_new_jobs_do_not_shift_the_next_page(redis: Redis) -> None:
    enqueue(redis, *"abcd")
    first = page(redis, limit=2)
    enqueue(redis, *"xyz")
    assert ids(page(redis, cursor=first.jobs[-1].order, limit=2)) == "ba"


def test_the_whole_job_is_in_the_page(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a", args='{"x":1}', tags=("one",))
    assert page(redis).jobs == (get(redis, "a"),)


def by_priority(redis: Redis, wanted: JobFilter | None = None) -> tuple[str, int | None]:
    look = Look.for_(wanted or JobFilter(), JobOrder(JobOrderField.PRIORITY))
    found = page_of(look, READS.list_jobs(look, behind=None, limit=10).run(redis), backward=False)
    return ids(found), found.total


def test_by_priority_those_come_first_that_run_first_also_when_they_are_parked(redis: Redis) -> None:
    STORE.set_limits(Kind.TASK, "t", concurrency=KEEP, rate=KEEP, per_key=1).run(redis)
    register(redis)
    for job_id, priority in zip("abcd", (9, 8, 7, 8), strict=True):
        STORE.enqueue_jobs([with_fields(row(job_id, priority=priority), {"key": "k"})]).run(redis)
    assert by_priority(redis) == ("abdc", 4)
    assert [job.id for job in take(redis, 3).jobs] == ["a"]  # the others are parked
    assert by_priority(redis) == ("bdc", 3)
    assert by_priority(redis, JobFilter(priority=(8, 8))) == ("bd", 2)


def test_with_aging_priorities_are_looked_up_and_not_counted(redis: Redis) -> None:
    for job_id, priority in zip("abc", (3, 5, 4), strict=True):
        enqueue(redis, job_id, priority=priority)
    STORE.set_aging(3600).run(redis)
    while STORE.rescore_jobs(limit=100).run(redis):
        pass
    assert by_priority(redis) == ("bca", 3)
    assert by_priority(redis, JobFilter(priority=(4, 5))) == ("bc", None)


LOOKS: dict[str, tuple[JobFilter, JobOrder]] = {
    "all": (JobFilter(), JobOrder()),
    "a state": (JobFilter(states=(CANCELLED,)), JobOrder()),
    "a tag": (JobFilter(tags=("x",)), JobOrder()),
    "a tag and a state": (JobFilter(tags=("x",), states=(CANCELLED,)), JobOrder()),
    "by finish": (JobFilter(), JobOrder(JobOrderField.FINISHED_AT)),
    "by priority": (JobFilter(priority=(5, None)), JobOrder(JobOrderField.PRIORITY)),
    "by run time": (JobFilter(), JobOrder(JobOrderField.RUN_AT)),
    "a text": (JobFilter(text="nowhere"), JobOrder()),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_page_asks_as_much_of_redis_with_many_jobs_as_with_few(redis: Redis, name: str) -> None:
    look = Look.for_(*LOOKS[name])

    def calls() -> int:
        READS.list_jobs(look, behind=None, limit=20).run(redis)  # it knows the script from here on
        redis.config_resetstat()
        READS.list_jobs(look, behind=None, limit=20).run(redis)
        asked = {command: int(facts["calls"]) for command, facts in redis.info("commandstats").items()}
        return sum(asked.values()) - asked["cmdstat_evalsha"]

    def put_more(start: int, count: int) -> None:
        names = [f"j{number}" for number in range(start, start + count)]
        STORE.enqueue_jobs([row(job_id, tags=("x",)) for job_id in names]).run(redis)
        STORE.enqueue_jobs([row(f"s{job_id}", delay=60) for job_id in names]).run(redis)
        for job_id in names[::2]:
            STORE.cancel_job(job_id, terminate=False, reason="").run(redis)

    put_more(0, 450)
    few = calls()
    put_more(450, 1_500)
    # Ties of one millisecond are found by halving: that, and nothing else, may take some more.
    assert few - 5 <= calls() <= few + 5


def test_looking_changes_nothing(redis: Redis) -> None:
    enqueue(redis, *"abc")
    with writes(redis, "list_jobs") as written:
        page(redis, limit=2)
    assert written == set()


# Any jobs, any filter, any page size: walking the pages is the sorted list, also while jobs move.

QUEUES, TASKS, STATES = ("q1", "q2"), ("t1", "t2"), (QUEUED, CANCELLED)
jobs = st.lists(st.tuples(st.sampled_from(QUEUES), st.sampled_from(TASKS), st.booleans()), max_size=25)


def some_of(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True).map(tuple)


filters = st.builds(JobFilter, states=some_of(STATES), queues=some_of(QUEUES), tasks=some_of(TASKS))
walks = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def put(redis: Redis, number: int, queue: str, task: str, cancelled: bool) -> tuple[JobState, str, str]:
    enqueue(redis, f"j{number}", queue=queue, task=task)
    if cancelled:
        STORE.cancel_job(f"j{number}", terminate=False, reason="").run(redis)
    return CANCELLED if cancelled else QUEUED, queue, task


def walk(redis: Redis, wanted: JobFilter, *, limit: int, newest_first: bool, backward: bool) -> Iterator[JobPage]:
    """Every page, by the cursors that a reader would have."""
    cursor: int | None = None
    while True:
        found = page(redis, wanted, cursor=cursor, limit=limit, newest_first=newest_first, backward=backward)
        yield found
        if not (found.has_previous if backward else found.has_next):
            return
        cursor = order_of(cursor_of(found.jobs[0 if backward else -1]))


@walks
@given(made=jobs, wanted=filters, limit=st.integers(1, 7), newest_first=st.booleans(), backward=st.booleans())
def test_all_pages_together_are_the_sorted_list(
    redis: Redis,
    made: list[tuple[str, str, bool]],
    wanted: JobFilter,
    *,
    limit: int,
    newest_first: bool,
    backward: bool,
) -> None:
    redis.flushall()
    facts = [put(redis, number, *one) for number, one in enumerate(made)]
    expected = [
        f"j{number}"
        for number, (state, queue, task) in enumerate(facts)
        if wanted.matches_facts(job_id=f"j{number}", state=state, queue=queue, task=task)
    ]
    pages = list(walk(redis, wanted, limit=limit, newest_first=newest_first, backward=backward))
    in_order = [job.id for found in (pages[::-1] if backward else pages) for job in found.jobs]
    assert in_order == (expected[::-1] if newest_first else expected)
    assert {found.total for found in pages} == {len(expected)}


@walks
@given(made=jobs.filter(bool), limit=st.integers(1, 5), data=st.data())
def test_a_walk_sees_each_old_job_once_while_others_come_go_and_move(
    redis: Redis, made: list[tuple[str, str, bool]], limit: int, data: st.DataObject
) -> None:
    redis.flushall()
    old = {f"j{number}" for number, _ in enumerate(made)}
    for number, one in enumerate(made):
        put(redis, number, *one)
    seen: list[str] = []
    deleted: set[str] = set()
    number = len(made)
    for found in walk(redis, JobFilter(), limit=limit, newest_first=True, backward=False):
        seen += [job.id for job in found.jobs]
        action = data.draw(st.sampled_from(["add", "cancel", "delete", "nothing"]))
        if action == "add":
            put(redis, number, "q3", "t1", False)
            number += 1
        elif action == "cancel":
            STORE.cancel_job(data.draw(st.sampled_from(sorted(old - deleted))), terminate=False, reason="").run(redis)
        elif action == "delete" and len(old - deleted) > 1:
            gone = data.draw(st.sampled_from(sorted(old - deleted)))
            STORE.delete_job(gone).run(redis)
            deleted.add(gone)
    assert len(seen) == len(set(seen))
    assert old - deleted <= set(seen) <= old
