"""``taskengine reencrypt``: afterwards the first key opens all that is kept, and jobs went on meanwhile."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import pytest
from huey.api import chord
from redis import Redis

from support.bench import Bench
from support.jobs import COMPLETED, KEYS, STORE, finish, register, take
from support.schedules import SCHEDULES, due, get_schedule, jobs_of, make_due, tick_as_seen
from taskengine import Client, Secret, Settings, current_job
from taskengine.cli import main
from taskengine.encryption import Keyring
from taskengine.jobs import TaskInfo
from taskengine.records import SEALED, dumps
from taskengine.reencryption import walk
from taskengine.reencryption.walk import PASSES, Reencryption
from taskengine.schedule_store import Saved
from taskengine.schedules import Definition
from taskengine.store import Answer
from taskengine.worker.sweep import sweep

NEW, OLD = "A" * 43 + "=", "b" * 42 + "A="


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    bench = Bench(redis_url, encryption_key=(OLD,))

    @bench.engine.task()
    def pay(given: object = None, *, pin: Secret[str]) -> str:
        current_job.checkpoint("here")
        return pin.reveal()

    @bench.engine.task()
    def tell(given: object = None, error: object = None) -> None: ...

    bench.publish()
    yield bench
    bench.close()


def reencrypt(redis: Redis, *keys: str, dry_run: bool = False) -> Reencryption:
    going = Reencryption(redis, KEYS, Keyring(keys or (NEW, OLD)), dry_run=dry_run)
    list(going.work())
    return going


def fill(bench: Bench) -> None:
    """Have something encrypted in every place."""
    pay, tell = bench.engine.tasks["pay"], bench.engine.tasks["tell"]
    bench.engine.enqueue(tell.s().then(pay, pin="after").error(pay.s(pin="broken")))
    bench.engine.enqueue(chord([tell.s()], pay.s(pin="sum")))
    pay(pin="one")


def test_afterwards_the_first_key_opens_all(bench: Bench, redis: Redis) -> None:
    fill(bench)
    assert reencrypt(redis, dry_run=True).left == 3
    done = reencrypt(redis)
    assert (done.changed, done.unreadable, done.left) == (3, 0, 0)
    alone = reencrypt(redis, NEW, dry_run=True)
    assert (alone.unreadable, alone.left) == (0, 0)


def test_counting_changes_nothing_and_a_second_go_finds_nothing(bench: Bench, redis: Redis) -> None:
    job = bench.engine.tasks["pay"](pin="one")
    before = redis.hgetall(KEYS.job(job.id))
    reencrypt(redis, dry_run=True)
    assert redis.hgetall(KEYS.job(job.id)) == before
    assert [reencrypt(redis).changed for _ in range(2)] == [1, 0]


def test_what_no_key_opens_is_told_and_left(bench: Bench, redis: Redis) -> None:
    job = bench.engine.tasks["pay"](pin="one")
    before = redis.hgetall(KEYS.job(job.id))
    going = Reencryption(redis, KEYS, Keyring((NEW,)))
    (told,) = going.work()
    assert told.key == KEYS.job(job.id)
    assert (going.unreadable, going.changed) == (1, 0)
    assert redis.hgetall(KEYS.job(job.id)) == before


def test_a_job_that_is_encrypted_anew_before_it_runs_still_gets_its_secret(
    bench: Bench, redis: Redis, redis_url: str
) -> None:
    job = bench.engine.tasks["pay"](pin="one")
    reencrypt(redis)
    bench.engine.keyring = Keyring((NEW, OLD))
    done = bench.run()
    assert (done.id, done.state, done.result) == (job.id, COMPLETED, "one")


def test_a_job_that_is_claimed_meanwhile_goes_on_and_its_checkpoint_is_turned_too(bench: Bench, redis: Redis) -> None:
    job = bench.engine.tasks["pay"](pin="one")
    register(redis, "pay")
    claimed = take(redis).jobs[0]
    sealed = SEALED + dumps(Keyring((OLD,)).seal('"here"'))
    STORE.save_checkpoint(job.id, claimed.lease, sealed).run(redis)
    assert reencrypt(redis).changed == 2
    assert finish(redis, claimed, value='"one"') is Answer.OK
    alone = reencrypt(redis, NEW, dry_run=True)
    assert (alone.unreadable, alone.left) == (0, 0)


def saved_checkpoints(bench: Bench, redis: Redis) -> tuple[str, Callable[[str], Any]]:
    """Have a job run, and a checkpoint saved under the old key; return its id, and what saves another one."""
    job = bench.engine.tasks["pay"](pin="one")
    register(redis, "pay")
    claimed = take(redis).jobs[0]

    def save(text: str) -> None:
        STORE.save_checkpoint(job.id, claimed.lease, SEALED + dumps(Keyring((OLD,)).seal(text))).run(redis)

    save('"here"')
    return job.id, save


def opened_checkpoint(redis: Redis, job_id: str, key: str) -> str:
    return Keyring((key,)).open(*json.loads(str(redis.get(KEYS.checkpoint(job_id))).removeprefix(SEALED)))


def before_each_replacement(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> None:
    """Do something between the reading of a record and its replacement, told how often that was before."""
    real, times = walk.call, count()

    def call(*given: Any, **rows: Any) -> Any:
        act(next(times))
        return real(*given, **rows)

    monkeypatch.setattr(walk, "call", call)


def after_each_page(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> None:
    """Do something between the finding of keys and the reading of records, told the pass: few keys are one page."""
    real, times = walk.key_pages, count()

    def key_pages(*given: Any) -> Iterator[list[tuple[str, str]]]:
        for page in real(*given):
            act(next(times))
            yield page

    monkeypatch.setattr(walk, "key_pages", key_pages)


def test_what_changed_since_it_was_read_is_read_again_and_not_written_over(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, save = saved_checkpoints(bench, redis)
    reencrypt(redis)
    save('"read"')
    before_each_replacement(monkeypatch, lambda times: save('"saved since"') if times == 0 else None)
    done = reencrypt(redis)
    assert (done.changed, done.left) == (1, 0)
    assert opened_checkpoint(redis, job_id, NEW) == '"saved since"'


def test_what_changes_before_every_try_stays_and_counts_as_left(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, save = saved_checkpoints(bench, redis)
    reencrypt(redis)
    save('"read"')
    before_each_replacement(monkeypatch, lambda times: save(f"{times}"))
    done = reencrypt(redis)
    assert (done.changed, done.left) == (0, 1)
    assert opened_checkpoint(redis, job_id, OLD) == str((PASSES - 1) * (walk.TRIES - 1) - 1)


def test_what_is_deleted_since_it_was_read_does_not_come_back(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.engine.tasks["pay"](pin="one")
    job = bench.run()
    before_each_replacement(monkeypatch, lambda _: STORE.delete_job(job.id).run(redis))
    done = reencrypt(redis)
    assert (done.changed, done.left) == (0, 0)
    assert not redis.exists(KEYS.job(job.id))


def test_a_call_that_follows_before_its_chord_is_looked_at_is_found_in_the_next_pass(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay, tell = bench.engine.tasks["pay"], bench.engine.tasks["tell"]
    bench.engine.enqueue(chord([tell.s()], pay.s(pin="sum")))
    after_each_page(monkeypatch, lambda number: bench.run() if number == 0 else None)
    done = reencrypt(redis)
    assert (done.changed, done.left) == (1, 0)
    bench.engine.keyring = Keyring((NEW,))
    assert bench.run().result == "sum"


def test_what_is_still_encrypted_with_another_key_after_the_last_pass_counts_as_left(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = bench.engine.tasks["pay"]
    after_each_page(monkeypatch, lambda _: pay(pin="one"))
    done = reencrypt(redis)
    assert (done.changed, done.left, done.unreadable) == (PASSES - 2, 1, 0)


def test_what_a_running_job_holds_of_calls_to_follow_is_under_the_first_key_too(bench: Bench, redis: Redis) -> None:
    pay, tell = bench.engine.tasks["pay"], bench.engine.tasks["tell"]
    last = pay.s(pin="last").error(pay.s(pin="broken"))
    bench.engine.enqueue(tell.s().then(tell).then(last))
    bench.engine.keyring = Keyring((NEW, OLD))
    running = bench.claim()
    reencrypt(redis)
    bench.engine.execute(running)
    bench.dispatcher.flush()
    alone = reencrypt(redis, NEW, dry_run=True)
    assert (alone.unreadable, alone.left) == (0, 0)
    bench.engine.keyring = Keyring((NEW,))
    assert [bench.run().state for _ in "ab"] == [COMPLETED] * 2


# Schedules


@pytest.fixture
async def client(bench: Bench, redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test", settings=Settings(encryption_key=(OLD,)))
    await client.create_schedule("s", "pay", {"pin": "one"}, every_seconds=60)
    yield client
    await client.close()


async def test_a_schedule_whose_old_key_is_retired_has_its_next_job_run_with_its_secret(
    bench: Bench, redis: Redis, client: Client
) -> None:
    assert reencrypt(redis).changed == 1
    bench.engine.keyring = Keyring((NEW,))
    make_due(redis)
    sweep(bench.engine.job_storage, bench.engine.settings, {})
    done = bench.run()
    assert (jobs_of(redis), done.state, done.result) == ([done.id], COMPLETED, "one")


def reencrypt_before_it_saves(client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Between the reading and the saving the client asks for the time; return what tells how often it did."""
    real, asked = client._now_ms, Counter[str]()  # pyright: ignore[reportPrivateUsage]: nothing else lies between

    async def now_ms() -> int:
        asked["now"] += 1
        if asked["now"] == 1:
            assert reencrypt(redis).changed == 1
        return await real()

    monkeypatch.setattr(client, "_now_ms", now_ms)
    return lambda: asked["now"]


async def test_who_read_a_schedule_before_and_changes_it_after_changes_what_there_is_by_then(
    redis: Redis, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = reencrypt_before_it_saves(client, redis, monkeypatch)
    assert (await client.update_schedule("s", every_seconds=120)).every_seconds == 120
    assert asked() == 2
    alone = reencrypt(redis, NEW, dry_run=True)
    assert (alone.unreadable, alone.left) == (0, 0)


async def test_asterisks_for_a_secret_that_was_read_before_keep_the_one_there_is_by_then(
    bench: Bench, redis: Redis, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reencrypt_before_it_saves(client, redis, monkeypatch)
    shown = (await client.update_schedule("s", args={"given": 1, "pin": "********"})).args
    assert shown == {"given": 1, "pin": "********"}
    bench.engine.keyring = Keyring((NEW,))
    await client.run_schedule("s")
    assert bench.run().result == "one"


async def test_who_read_a_schedule_before_and_runs_it_after_runs_it_as_it_is_by_then(
    bench: Bench, redis: Redis, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and the running the client asks for the task."""
    real, keys_changed = client._task, Counter[bool]()  # pyright: ignore[reportPrivateUsage]: nothing else lies between

    async def task(name: str) -> TaskInfo:
        keys_changed[reencrypt(redis).changed == 1] += 1
        return await real(name)

    monkeypatch.setattr(client, "_task", task)
    job = await client.run_schedule("s")
    assert (keys_changed, jobs_of(redis)) == ({True: 1, False: 1}, [job.id])
    bench.engine.keyring = Keyring((NEW,))
    assert bench.run().result == "one"


async def test_neither_an_old_reading_nor_a_tick_seen_before_puts_old_ciphertext_back(
    redis: Redis, client: Client
) -> None:
    make_due(redis)
    before, (seen,) = get_schedule(redis), due(redis)
    definition = Definition(task="pay", args=before.args, secrets=before.secrets, every_seconds=60)
    assert reencrypt(redis).changed == 1
    saved = SCHEDULES.save_schedule("s", definition, revision=before.revision, enabled=True, next_ms=None).run(redis)
    assert saved is Saved.NOT_AS_READ
    assert not tick_as_seen(redis, seen)
    assert jobs_of(redis) == []
    assert reencrypt(redis, NEW, dry_run=True).unreadable == 0


# The command


def test_the_command_says_how_it_went(
    bench: Bench, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.engine.tasks["pay"](pin="one")
    for name, value in {"REDIS_URL": redis_url, "NAMESPACE": "test", "ENCRYPTION_KEY": f"{NEW},{OLD}"}.items():
        monkeypatch.setenv(f"TASKENGINE_{name}", value)
    assert [main(["reencrypt", "--dry-run"]), main(["reencrypt"]), main(["reencrypt", "--dry-run"])] == [1, 0, 0]
    counted, done, _ = capsys.readouterr().out.splitlines()
    assert counted.endswith("0 encrypted anew, 0 unreadable, 1 still need another key than the first")
    assert done.endswith("1 encrypted anew, 0 unreadable, 0 still need another key than the first")


def test_without_a_key_it_is_refused(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("TASKENGINE_REDIS_URL", redis_url)
    assert main(["reencrypt"]) == 2
