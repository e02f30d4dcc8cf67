"""``find_api_key.lua``: whose secret it is, and when it was last used."""

import json

from redis import Redis

from support.api_keys import API_KEYS, SECRET, create
from support.jobs import KEYS, writes
from taskengine.api_keys import digest_of
from taskengine.roles import Role


def test_a_secret_opens_what_its_key_says(redis: Redis) -> None:
    create(redis)
    with writes(redis, "find_api_key") as written:
        found = API_KEYS.find(digest_of(SECRET)).run(redis)
    assert written == {"api_keys_used"}
    assert found.key is not None
    assert (found.keys, found.key.name, found.key.role, found.key.prefix) == (1, "ci", Role.OPERATOR, "te_secret")


def test_another_secret_opens_nothing_and_leaves_no_trace(redis: Redis) -> None:
    create(redis)
    with writes(redis) as written:
        found = API_KEYS.find(digest_of("te_guess")).run(redis)
    assert (found.keys, found.key, written) == (1, None, set())


def test_without_a_secret_it_tells_how_many_keys_there_are(redis: Redis) -> None:
    assert API_KEYS.find("").run(redis).keys == 0
    create(redis)
    assert API_KEYS.find("").run(redis).keys == 1


def test_a_key_that_has_ended_opens_nothing_and_still_counts(redis: Redis) -> None:
    create(redis, expires_ms=60_000)
    digest = digest_of(SECRET)
    assert API_KEYS.find(digest).run(redis).key is not None
    facts = json.loads(str(redis.hget(KEYS.api_keys, digest)))
    redis.hset(KEYS.api_keys, digest, json.dumps(facts | {"expires_at": facts["created_at"]}))
    found = API_KEYS.find(digest).run(redis)
    assert (found.keys, found.key) == (1, None)


def test_its_use_is_noted_once_a_minute(redis: Redis) -> None:
    create(redis)
    digest = digest_of(SECRET)
    API_KEYS.find(digest).run(redis)
    with writes(redis) as written:
        API_KEYS.find(digest).run(redis)
    assert written == set()
    redis.hset(KEYS.api_keys_used, digest, 1)
    API_KEYS.find(digest).run(redis)
    assert int(str(redis.hget(KEYS.api_keys_used, digest))) > 1
