"""Schedules while workers come, go and are killed: every tick is one job, and those that were missed are as decided."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

from redis import Redis

from support.crowd import jobs, wait_for_end
from support.jobs import KEYS, now_ms
from support.schedules import SCHEDULES, a_schedule, find_schedule, get_schedule, jobs_of, make_due
from support.waiting import wait_until
from support.workers import TESTS, WorkerProcess
from taskengine.check import check
from taskengine.jobs import JobState

HOUR_MS = 3_600_000


def worker(
    redis_url: str, directory: Path, target: str = "support.universal:engine", **options: object
) -> WorkerProcess:
    options = {"namespace": "test", "concurrency": 2, "lease_seconds": 1, **options}
    return WorkerProcess(target, redis_url, data_dir=directory, **options)  # pyright: ignore[reportArgumentType]


@contextmanager
def workers(redis_url: str, directory: Path, count: int) -> Iterator[list[WorkerProcess]]:
    with ExitStack() as stack:
        yield [stack.enter_context(worker(redis_url, directory / str(number))) for number in range(count)]


def ticks_of(redis: Redis, name: str) -> list[int]:
    """The seconds of the ticks that became jobs."""
    times = [job.run_at for job in jobs(redis, jobs_of(redis, name))]
    assert None not in times
    return [round(at.timestamp()) for at in times if at is not None]


def test_each_tick_is_one_job_with_three_workers_one_of_them_killed(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with workers(redis_url, tmp_path, 3) as three:
        for number in range(5):
            a_schedule(redis, f"s{number}", task="universal", every_seconds=1)
        wait_until(lambda: len(jobs_of(redis, "s0")) >= 3, 20, "it ticks")
        three[0].kill()
        wait_until(lambda: len(jobs_of(redis, "s0")) >= 8, 20, "it goes on")
        for number in range(5):
            was = get_schedule(redis, f"s{number}")
            SCHEDULES.save_schedule(was.name, was, revision=was.revision, enabled=False, next_ms=None).run(redis)
        for number in range(5):
            wait_for_end(redis, jobs_of(redis, f"s{number}"))
    for number in range(5):
        assert {later - earlier for earlier, later in pairwise(ticks_of(redis, f"s{number}"))} == {1}
    assert check(redis, KEYS) == []


def test_a_tick_that_comes_while_workers_look_at_once_is_one_job(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(100)]
    with workers(redis_url, tmp_path, 3):
        for name in names:
            a_schedule(redis, name, task="universal")
        for name in names:
            make_due(redis, name)
        wait_until(lambda: all(jobs_of(redis, name) for name in names), 20, "all have ticked")
        sweeps = now_ms(redis) + 2500
        wait_until(lambda: now_ms(redis) > sweeps, 10, "every worker has looked again")
    assert [len(jobs_of(redis, name)) for name in names] == [1] * 100
    assert check(redis, KEYS) == []


def test_what_was_missed_while_no_worker_was_there_is_as_decided(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    with worker(redis_url, tmp_path / "first") as first:
        a_schedule(redis, "skips", task="universal", cron="0 0 1 1 *")
        a_schedule(redis, "makes_up", task="universal", cron="0 0 1 1 *", missed="run_once")
        a_schedule(redis, "often", task="universal", cron="0 */2 * * *", missed="run_once")
        first.stop()
    for name in ("skips", "makes_up"):
        make_due(redis, name, ago_ms=HOUR_MS)
    make_due(redis, "often", ago_ms=48 * HOUR_MS)
    with worker(redis_url, tmp_path / "second"):
        wait_until(
            lambda: all(redis.zscore(KEYS.schedules, name) > now_ms(redis) for name in ("skips", "makes_up", "often")),
            20,
            "all are up to date",
        )
        wait_for_end(redis, jobs_of(redis, "makes_up"))
    assert [len(jobs_of(redis, name)) for name in ("skips", "makes_up", "often")] == [0, 1, 1]
    assert jobs(redis, jobs_of(redis, "makes_up"))[0].state is JobState.COMPLETED


CODE = """
from taskengine import TaskEngine
engine = TaskEngine.from_env()

{above}
@engine.task(name="report")
def report() -> str:
    return "ran"
"""


def deployed(redis_url: str, directory: Path, above: str) -> WorkerProcess:
    """A worker whose code has these lines above its task."""
    directory.mkdir()
    (directory / "reporting.py").write_text(CODE.format(above=above), encoding="utf-8")
    return worker(redis_url, directory, "reporting:engine", path=(directory, TESTS))


def test_deploys_change_what_code_declares_and_keep_what_operators_said(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with deployed(redis_url, tmp_path / "1", '@engine.schedule(cron="0 1 * * *", name="nightly")') as first:
        was = wait_until(lambda: find_schedule(redis, "nightly"), 10, "it is registered")
        assert (was.cron, was.enabled) == ("0 1 * * *", True)
        SCHEDULES.save_schedule("nightly", was, revision=was.revision, enabled=False, next_ms=None).run(redis)
        first.stop()

    with deployed(redis_url, tmp_path / "2", '@engine.schedule(cron="0 2 * * *", name="nightly")') as second:
        wait_until(lambda: get_schedule(redis, "nightly").cron == "0 2 * * *", 10, "it follows the code")
        now = get_schedule(redis, "nightly")
        assert (now.enabled, now.next_run_at) == (False, None)
        second.stop()

    with deployed(redis_url, tmp_path / "3", "") as third:
        wait_until(lambda: "is declared by no code any more" in third.log.read_text(), 10, "the worker says so")
        assert get_schedule(redis, "nightly").undeclared


def test_a_schedule_in_code_runs_in_process_mode_too(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "reporting.py").write_text(CODE.format(above="@engine.schedule(every_seconds=1)"), encoding="utf-8")
    options = {"mode": "process", "path": (tmp_path, TESTS)}
    with worker(redis_url, tmp_path / "worker", "reporting:engine", **options):
        wait_until(lambda: len(jobs_of(redis, "report")) >= 2, 20, "it ticks")
        wait_for_end(redis, jobs_of(redis, "report")[:2])
    assert jobs(redis, jobs_of(redis, "report")[:1])[0].result == "ran"
