"""``check_entries.lua``: what an index holds and no record asks for, named and taken out."""

import pytest
from redis import Redis

from support.damage import EXTRA, full_house
from support.jobs import KEYS, QUEUED, STORE, a_job, get, now_ms, take
from support.oddities import LISTED, furnish, is_mended
from taskengine.check import check
from taskengine.store import Ending, Outcome


@pytest.mark.parametrize("name", sorted(EXTRA))
def test_what_should_not_be_there_is_named_and_taken_out(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = EXTRA[name]
    damage.do(redis)
    assert [one.outcome for one in check(redis, KEYS) if damage.names(one)] == [""]
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    assert check(redis, KEYS) == []


def test_an_entry_of_a_record_that_is_damaged_itself_stays(redis: Redis) -> None:
    a_job(redis, QUEUED)
    redis.hset(KEYS.job("j1"), "state", "LOST")
    assert [one.key for one in check(redis, KEYS, mend=True)] == [KEYS.events, KEYS.job("j1")]
    assert redis.zcard(KEYS.lane("q", "t", "QUEUED")) == 1
    redis.hset(KEYS.job("j1"), "state", "QUEUED")


def test_a_holder_that_is_gone_gives_its_place_back(redis: Redis) -> None:
    full_house(redis)
    lease = redis.hget(KEYS.job("keyed1"), "lease")
    redis.sadd(KEYS.keyed("k", "c:1"), "ghost")
    outcome = Outcome(job_id="keyed1", lease=str(lease), ending=Ending.COMPLETED, value="1")
    STORE.finish_jobs([outcome], "w", "*", 0, lease_ms=60_000).run(redis)
    assert redis.zscore(KEYS.ready("q", "k"), "keyed2") is None
    check(redis, KEYS, mend=True)
    assert "keyed2" in [job.id for job in take(redis, 10).jobs]
    assert get(redis, "keyed2").state == "RUNNING"


@pytest.mark.parametrize("name", sorted(LISTED))
def test_lists_of_what_is_no_job_agree_with_their_records(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, LISTED[name])


def test_a_group_that_ended_by_itself_is_listed_until_the_next_one_comes(redis: Redis) -> None:
    redis.zadd(KEYS.failures, {"fail_old": now_ms(redis) * 1000 - 31 * 86_400_000_000})
    redis.expire(KEYS.failures, 60)
    assert check(redis, KEYS) == []
