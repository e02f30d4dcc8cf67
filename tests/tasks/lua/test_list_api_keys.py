"""``list_api_keys.lua``: every key, and nothing by which one could be used."""

from redis import Redis

from support.api_keys import API_KEYS, SECRET, create
from support.jobs import writes
from taskengine.api_keys import digest_of


def test_keys_are_told_by_name_with_their_last_use(redis: Redis) -> None:
    create(redis, "b")
    create(redis, "a", "te_another", expires_ms=60_000)
    API_KEYS.find(digest_of(SECRET)).run(redis)
    with writes(redis, "list_api_keys") as written:
        first, second = API_KEYS.list().run(redis)
    assert written == set()
    assert (first.name, first.last_used_at) == ("a", None)
    assert first.expires_at is not None
    assert (first.expires_at - first.created_at).total_seconds() == 60
    assert (second.name, second.expires_at, second.last_used_at is None) == ("b", None, False)


def test_without_keys_there_is_none(redis: Redis) -> None:
    assert API_KEYS.list().run(redis) == []
