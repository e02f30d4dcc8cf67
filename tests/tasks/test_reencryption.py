"""``taskengine reencrypt``: afterwards the first key opens all that is kept, and jobs went on meanwhile."""

from collections.abc import Iterator

import pytest
from huey.api import chord
from redis import Redis

from support.bench import Bench
from support.jobs import COMPLETED, KEYS, STORE, finish, register, take
from taskengine import Secret, current_job
from taskengine.cli import main
from taskengine.encryption import Keyring
from taskengine.records import SEALED, dumps
from taskengine.reencryption.walk import Reencryption
from taskengine.store import Answer

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
