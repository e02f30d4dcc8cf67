"""``count_found_jobs.lua``: how many of the next jobs a filter finds, by looking at each."""

from redis import Redis

from support.jobs import READS, enqueue, get, writes
from taskengine.filters import NEWEST_FIRST, OLDEST_FIRST, JobFilter
from taskengine.listing import RECORDS, SEARCHED_BYTES, Look, Place


def count(redis: Redis, wanted: JobFilter, behind: Place | None = None) -> tuple[int, int, Place | None]:
    return READS.count_found_jobs(Look.for_(wanted, OLDEST_FIRST), behind=behind).run(redis)


def test_it_counts_what_matches_and_what_it_looked_at(redis: Redis) -> None:
    enqueue(redis, *"abc", args='{"x":"yes"}')
    enqueue(redis, "d")
    assert count(redis, JobFilter(text="YES")) == (3, 4, None)


def test_it_looks_at_so_many_records_and_says_where_to_go_on(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(RECORDS + 5)), args='{"x":"yes"}')
    found, looked, behind = count(redis, JobFilter(text="yes"))
    assert (found, looked, behind) == (RECORDS, RECORDS, Place(get(redis, f"j{RECORDS - 1}").order, f"j{RECORDS - 1}"))
    assert count(redis, JobFilter(text="yes"), behind) == (5, 5, None)


def test_it_looks_at_so_much_text(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(10)), args=f'{{"x":"{"y" * (SEARCHED_BYTES // 4)}"}}')
    found, looked, behind = count(redis, JobFilter(text="nowhere"))
    assert (found, looked) == (0, 4)
    assert behind is not None


def test_a_job_with_several_of_the_tags_counts_once(redis: Redis) -> None:
    enqueue(redis, "a", tags=("x", "y"))
    enqueue(redis, "b", tags=("y",))
    assert Look.for_(JobFilter(tags=("x", "y")), NEWEST_FIRST).count_by == ""
    assert count(redis, JobFilter(tags=("x", "y")))[0] == 2


def test_looking_changes_nothing(redis: Redis) -> None:
    enqueue(redis, "a")
    with writes(redis, "count_found_jobs") as written:
        count(redis, JobFilter(text="x"))
    assert written == set()
