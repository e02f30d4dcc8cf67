"""``rescore_jobs.lua``: ready jobs get the places that they have by now, after a change of aging."""

from redis import Redis

from support.jobs import KEYS, STORE, claim, enqueue, register, take, writes
from taskengine.check import check

STEP_US = 3_600_000_000
EPOCH_US = 1_735_689_600_000_000


def scores(redis: Redis, *job_ids: str, task: str = "t") -> list[float | None]:
    return [redis.zscore(KEYS.ready("q", task), job_id) for job_id in job_ids]


def aged(redis: Redis, job_id: str, priority: int) -> float:
    """The score of a job under an hour of aging."""
    return int(redis.hget(KEYS.job(job_id), "created")) - EPOCH_US - priority * STEP_US


def switch(redis: Redis, seconds: float | None = 3600) -> None:
    STORE.set_aging(seconds).run(redis)


def rescore(redis: Redis, limit: int = 100) -> bool:
    return STORE.rescore_jobs(limit=limit).run(redis)


def rescore_all(redis: Redis) -> None:
    while rescore(redis, 2):
        pass


def test_every_ready_job_gets_its_new_place(redis: Redis) -> None:
    enqueue(redis, "low", priority=1)
    enqueue(redis, "high", priority=10)
    switch(redis)
    rescore_all(redis)
    assert scores(redis, "low", "high") == [aged(redis, "low", 1), aged(redis, "high", 10)]
    assert check(redis, KEYS) == []


def test_one_that_becomes_ready_meanwhile_has_it_at_once(redis: Redis) -> None:
    switch(redis)
    enqueue(redis, "new", priority=7)
    assert scores(redis, "new") == [aged(redis, "new", 7)]


def test_a_step_looks_at_so_many_and_the_next_goes_on_behind_them(redis: Redis) -> None:
    ids = [f"j{number}" for number in range(5)]
    enqueue(redis, *ids, priority=3)
    before = scores(redis, *ids)
    switch(redis)
    assert rescore(redis, 2)
    new = [aged(redis, job_id, 3) for job_id in ids]
    assert scores(redis, *ids) == new[:2] + before[2:]
    assert rescore(redis, 2)
    assert scores(redis, *ids) == new[:4] + before[4:]
    assert not rescore(redis, 2)
    assert scores(redis, *ids) == new
    assert not redis.exists(KEYS.rescoring)


def test_all_lanes_have_their_turn(redis: Redis) -> None:
    for task in "abc":
        enqueue(redis, task, task=task, priority=2)
    switch(redis)
    rescore_all(redis)
    assert [scores(redis, task, task=task) for task in "abc"] == [[aged(redis, task, 2)] for task in "abc"]
    assert check(redis, KEYS) == []


def test_a_task_stands_in_its_queue_where_its_first_job_stands(redis: Redis) -> None:
    enqueue(redis, "low", priority=1)
    enqueue(redis, "high", task="u", priority=10)
    switch(redis)
    rescore_all(redis)
    assert redis.zrange(KEYS.heads("q"), 0, -1, withscores=True) == [
        ("u", aged(redis, "high", 10)),
        ("t", aged(redis, "low", 1)),
    ]


def test_a_job_that_is_claimed_meanwhile_does_not_come_back(redis: Redis) -> None:
    enqueue(redis, "j1", "j2", priority=3)
    switch(redis)
    claim(redis)
    rescore_all(redis)
    assert scores(redis, "j1", "j2") == [None, aged(redis, "j2", 3)]
    assert check(redis, KEYS) == []


def test_a_job_that_is_set_aside_gets_its_place_there(redis: Redis) -> None:
    STORE.declare_key_limits({"t": 1}).run(redis)
    register(redis)
    enqueue(redis, "j1", "j2", priority=3)
    for job_id in ("j1", "j2"):
        redis.hset(KEYS.job(job_id), "key", "c")
    assert [job.id for job in take(redis, 2).jobs] == ["j1"]
    switch(redis)
    rescore_all(redis)
    assert redis.zscore(KEYS.parked("t", "c"), "j2") == aged(redis, "j2", 3)
    assert scores(redis, "j2") == [None]
    assert check(redis, KEYS) == []


def test_a_change_in_the_middle_begins_anew(redis: Redis) -> None:
    enqueue(redis, "j1", "j2", "j3", priority=10)
    before = scores(redis, "j1", "j2", "j3")
    switch(redis)
    rescore(redis, 2)
    switch(redis, None)
    rescore_all(redis)
    assert scores(redis, "j1", "j2", "j3") == before
    assert check(redis, KEYS) == []


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    enqueue(redis, "j1", "j2")
    switch(redis)
    with writes(redis, "rescore_jobs") as written:
        rescore(redis, 1)
    assert written == {"ready:q:t", "heads:q", "rescoring"}


def test_with_nothing_to_do_it_writes_nothing(redis: Redis) -> None:
    enqueue(redis, "j1")
    with writes(redis) as written:
        assert not rescore(redis)
    assert written == set()
