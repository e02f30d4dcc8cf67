"""``register_worker.lua``: a worker is here, and this is what it can run."""

from redis import Redis

from support.jobs import KEYS, STORE, now_ms, writes

TASKS = {"mail.send": '{"queue":"mail"}', "report": "{}"}


def register(redis: Redis, worker: str = "w", tasks: dict[str, str] | None = None) -> None:
    STORE.register_worker(worker, '{"pid":7}', TASKS if tasks is None else tasks).run(redis)


def version(redis: Redis) -> int:
    return int(redis.get(KEYS.catalogue_version) or 0)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    with writes(redis, "register_worker") as written:
        register(redis)
    assert written == {"workers", "heartbeats", "knows:w", "catalogue", "catalogue_version"}


def test_the_worker_is_listed_with_its_facts(redis: Redis) -> None:
    before = now_ms(redis)
    register(redis)
    assert redis.hgetall(KEYS.workers) == {"w": '{"pid":7}'}
    assert before <= redis.zscore(KEYS.heartbeats, "w") <= now_ms(redis)


def test_its_tasks_are_in_the_catalogue(redis: Redis) -> None:
    register(redis)
    assert redis.hgetall(KEYS.catalogue) == TASKS


def test_what_it_can_run_is_forgotten_with_it(redis: Redis) -> None:
    register(redis)
    assert redis.smembers(KEYS.knows("w")) >= TASKS.keys()
    assert 0 < redis.ttl(KEYS.knows("w")) <= 86_400


def test_a_second_worker_with_the_same_tasks_changes_no_version(redis: Redis) -> None:
    register(redis, "w1")
    first = version(redis)
    register(redis, "w2")
    assert version(redis) == first == 1


def test_a_task_that_changed_changes_the_version_once(redis: Redis) -> None:
    register(redis)
    register(redis, tasks={"mail.send": '{"queue":"post"}', "report": '{"queue":"post"}'})
    assert version(redis) == 2
    assert redis.hget(KEYS.catalogue, "report") == '{"queue":"post"}'


def test_tasks_of_others_stay(redis: Redis) -> None:
    register(redis, "w1", {"a": "{}"})
    register(redis, "w2", {"b": "{}"})
    assert redis.hkeys(KEYS.catalogue) == ["a", "b"]


def test_a_worker_without_tasks_is_registered_too(redis: Redis) -> None:
    register(redis, tasks={})
    assert redis.exists(KEYS.knows("w"))
    assert STORE.renew_leases("w", [], "{}", lease_ms=1).run(redis).registered
