"""``create_api_key.lua``: a new key of the API, of which only the digest is kept."""

from redis import Redis

from support.api_keys import SECRET, create
from support.jobs import KEYS, everything, writes
from taskengine.api_keys import Made, digest_of
from taskengine.audit import list_entries


def test_it_keeps_the_digest_and_never_the_secret(redis: Redis) -> None:
    with writes(redis, "create_api_key") as written:
        assert create(redis) is Made.YES
    assert written == {"api_keys", "audit"}
    assert list(redis.hgetall(KEYS.api_keys)) == [digest_of(SECRET)]
    assert SECRET not in str(everything(redis))


def test_it_is_written_down_who_made_it(redis: Redis) -> None:
    create(redis, expires_ms=1_000)
    (entry,) = list_entries(KEYS, cursor=None, limit=9).run(redis).entries
    assert (entry.by, entry.action, entry.subject, entry.details["role"]) == ("eve", "create_api_key", "ci", "OPERATOR")


def test_a_name_is_taken_once(redis: Redis) -> None:
    create(redis)
    with writes(redis) as written:
        assert create(redis, secret="te_another") is Made.NAME_TAKEN
    assert written == set()


def test_the_same_call_sent_twice_makes_one_key(redis: Redis) -> None:
    assert [create(redis), create(redis)] == [Made.YES, Made.YES]
    assert redis.xlen(KEYS.audit) == 1


def test_there_is_an_end_to_how_many_there_may_be(redis: Redis) -> None:
    redis.hset(KEYS.api_keys, mapping={str(number): f'{{"name": "k{number}"}}' for number in range(1_000)})
    assert create(redis) is Made.TOO_MANY
    redis.delete(KEYS.api_keys)  # they were made up
