"""``revoke_api_key.lua``: a key opens nothing any more."""

from redis import Redis

from support.api_keys import API_KEYS, SECRET, create
from support.jobs import KEYS, writes
from taskengine.api_keys import digest_of
from taskengine.audit import list_entries


def test_nothing_is_left_of_it_but_the_word_of_who_did_it(redis: Redis) -> None:
    create(redis)
    API_KEYS.find(digest_of(SECRET)).run(redis)
    with writes(redis, "revoke_api_key") as written:
        assert API_KEYS.revoke("ci", by="adam").run(redis) == 0
    assert written == {"api_keys", "api_keys_used", "audit"}
    assert redis.exists(KEYS.api_keys, KEYS.api_keys_used) == 0
    entry = list_entries(KEYS, cursor=None, limit=1).run(redis).entries[0]
    assert (entry.by, entry.action, entry.subject) == ("adam", "revoke_api_key", "ci")


def test_others_stay_and_are_counted(redis: Redis) -> None:
    create(redis)
    create(redis, "other", "te_another")
    assert API_KEYS.revoke("ci", by="").run(redis) == 1
    assert API_KEYS.find(digest_of("te_another")).run(redis).key is not None


def test_a_name_that_is_none_changes_nothing(redis: Redis) -> None:
    create(redis)
    with writes(redis) as written:
        assert API_KEYS.revoke("nobody", by="adam").run(redis) == -1
    assert written == set()
