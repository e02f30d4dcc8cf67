"""``taskengine reencrypt`` while workers are busy: nothing is lost or completed twice, each job gets its secret."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from redis import Redis

from support.crowd import assert_nothing_is_left_open
from support.jobs import COMPLETED, KEYS, READS, STORE
from support.safe import define, digest
from support.waiting import wait_until
from support.workers import WorkerProcess, worker_env
from taskengine import Settings, TaskEngine
from taskengine.encryption import Keyring
from taskengine.reads import total_of
from taskengine.reencryption.walk import Reencryption
from taskengine.results import Result
from taskengine.rules import Kind

NEW, OLD = "A" * 43 + "=", "b" * 42 + "A="
CALLS, AFTER_EACH = 150, 2
KINDS = ("OK", "FAIL_ONCE", "SNOOZE_ONCE")


def test_keys_are_changed_while_two_workers_are_busy(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    engine = TaskEngine("test", url=redis_url, settings=Settings(encryption_key=(OLD,)))
    define(engine)
    first, second = (
        WorkerProcess(
            "support.safe:engine",
            redis_url,
            data_dir=tmp_path / mode,
            mode=mode,
            namespace="test",
            lease_seconds=1,
            encryption_key=f"{NEW},{OLD}",
        )
        for mode in ("thread", "process")
    )
    expected = [pair for number in range(CALLS) for pair in enqueue(engine, number)]
    # So that much is to be done still when the old key is retired:
    STORE.pause(Kind.TASK, "follow", by="", reason="").run(redis)
    with first, second:
        wait_until(lambda: completed(redis) > 10, 60, "jobs are being done")
        assert go(redis, NEW, OLD).changed == CALLS, "all that was enqueued, for what follows it is under the new key"
        first.kill()
        with WorkerProcess(
            "support.safe:engine",
            redis_url,
            data_dir=tmp_path / "new",
            namespace="test",
            lease_seconds=1,
            encryption_key=NEW,
        ):
            STORE.resume(Kind.TASK, "follow").run(redis)
            wait_until(lambda: is_clean(redis) and completed(redis) == len(expected), 120, "all is done")
    assert [result.get(preserve=True) for result, _ in expected] == [what for _, what in expected]
    assert_each_was_completed_once(redis, len(expected))
    assert_nothing_is_left_open(redis)
    command = [sys.executable, "-m", "taskengine", "reencrypt"]
    env = worker_env(redis_url, data_dir=tmp_path / "command", namespace="test", encryption_key=NEW)
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert told.endswith("0 encrypted anew, 0 unreadable, 0 still need another key than the first\n")
    engine.job_storage.close()


def enqueue(engine: TaskEngine, number: int) -> list[tuple[Result[str], str]]:
    """Enqueue a job under the old key, and others that follow it; return what each is to return."""
    indiscreet, follow = engine.tasks["indiscreet"], engine.tasks["follow"]
    secret, *after = [f"secret-{number}-{place}" for place in range(AFTER_EACH + 1)]
    call = indiscreet.s(secret, do=KINDS[number % len(KINDS)])
    for one in after:
        call = call.then(follow, password=one)
    results = engine.enqueue(call)
    return list(zip(results, [digest(secret, "", ""), *map(digest, after)], strict=True))


def go(redis: Redis, *keys: str) -> Reencryption:
    going = Reencryption(redis, KEYS, Keyring(keys))
    list(going.work())
    return going


def is_clean(redis: Redis) -> bool:
    """Nothing came back under the old key, and no job failed; anything else would stay so."""
    again = go(redis, NEW, OLD)
    assert (again.changed, again.left, again.unreadable) == (0, 0, 0)
    assert total_of(READS.count_jobs().run(redis)).failed == 0
    return True


def completed(redis: Redis) -> int:
    return total_of(READS.count_jobs().run(redis)).completed


def assert_each_was_completed_once(redis: Redis, jobs: int) -> None:
    """Its events say how often a job got there, whatever its record says."""
    told = [event for _, event in redis.xrange(KEYS.events) or [] if event.get("to") == COMPLETED]
    ends = Counter(str(event["job"]) for event in told)
    assert (len(ends), set(ends.values())) == (jobs, {1})
