"""``check_chord.lua``: whether a chord waits for as many as have not reported."""

import pytest
from redis import Redis

from support.jobs import KEYS, get, writes
from support.oddities import CHORD, CHORD_RECORDS, CHORDS, furnish, half_a_chord, is_left, is_mended
from taskengine.check import check


@pytest.mark.parametrize("name", sorted(CHORDS))
def test_what_is_odd_is_named_and_mended(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, CHORDS[name])


@pytest.mark.parametrize("name", sorted(CHORD_RECORDS))
def test_a_chord_that_is_damaged_itself_is_named_and_left(redis: Redis, name: str) -> None:
    furnish(redis)
    is_left(redis, CHORD_RECORDS[name])


def test_when_all_have_reported_the_callback_follows(redis: Redis) -> None:
    half_a_chord(redis)
    redis.hset(CHORD, mapping={"1": "2"})
    with writes(redis, "check_chord"):
        assert [one.is_mended for one in check(redis, KEYS, mend=True)] == [True]
    assert get(redis, "after").args == {"values": [1, 2]}
    assert redis.exists(CHORD) == 0
