"""``taskengine demo``: what it draws, and that it enqueues it, trickles, and stops when told to."""

import asyncio
import signal
import statistics
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from support.waiting import wait_until
from support.workers import WorkerProcess, worker_env
from taskengine import demo
from taskengine.client import Client
from taskengine.demo import Wave, gap_seconds, next_wave, opening_mix
from taskengine.errors import InvalidInput, RedisUnavailable
from taskengine.jobs import Job, JobState, StateCounts
from taskengine.settings import Settings

T = TypeVar("T")


# What it draws


@pytest.mark.parametrize("jobs", [10, 11, 57, 120, 1_000])
def test_the_mix_has_as_many_jobs_as_asked_for(jobs: int) -> None:
    assert sum(len(wave.calls) for wave in opening_mix(Random(1), jobs)) == jobs
    assert sum(len(wave.calls) for wave in opening_mix(Random(1), jobs, trouble=True)) == jobs


def test_the_mix_has_something_of_everything() -> None:
    waves = opening_mix(Random(1), 120)
    assert {_name(wave) for wave in waves} == {
        "campaign.send",
        "images.render",
        "mail.send",
        "report.build",
        "sync.import_csv",
        "trial.fail_as_told",
    }
    assert any(wave.options.priority == 10 for wave in waves)
    assert any(wave.options.delay for wave in waves)
    assert any(call.get("failure_rate") for wave in waves for call in wave.calls)


def test_a_seed_gives_the_same_again() -> None:
    assert _said(opening_mix(Random(7), 50)) == _said(opening_mix(Random(7), 50))
    assert _said(opening_mix(Random(7), 50)) != _said(opening_mix(Random(8), 50))


def test_no_worker_is_harmed_unless_trouble_is_asked_for() -> None:
    dice = Random(1)
    waves = [*opening_mix(dice, 1_000), *(next_wave(dice) for _ in range(2_000))]
    assert not [call for wave in waves for call in wave.calls if "crash" in call or "hang" in call]


def test_trouble_is_one_crash_that_happens_once_and_one_hang() -> None:
    calls = [call for wave in opening_mix(Random(1), 120, trouble=True) for call in wave.calls]
    assert [call["crash"] for call in calls if "crash" in call] == ["ONCE"]
    assert [call["hang"] for call in calls if "hang" in call] == [True]


def test_every_call_is_one_that_its_task_takes() -> None:
    dice = Random(1)
    for wave in [*opening_mix(dice, 500, trouble=True), *(next_wave(dice) for _ in range(500))]:
        for call in wave.calls:
            wave.task.task_class.signature.dump((), call)


def test_the_trickle_brings_everything_but_mostly_mail() -> None:
    dice = Random(1)
    drawn = Counter(_name(next_wave(dice)) for _ in range(1_000))
    assert len(drawn) == 6
    assert drawn.most_common(1)[0][0] == "mail.send"


def test_the_trickle_is_calm_and_comes_in_bursts() -> None:
    dice = Random(1)
    gaps = [gap_seconds(dice) for _ in range(2_000)]
    assert 6 < statistics.mean(gaps) < 10
    assert sum(gap < 3 for gap in gaps) > 1_000
    assert max(gaps) < 30


@pytest.mark.parametrize("jobs", [9, 10_001])
def test_a_number_of_jobs_that_makes_no_sense_is_refused(jobs: int) -> None:
    with pytest.raises(InvalidInput, match=f"jobs: expected 10 to 10,000 jobs, got {jobs}"):
        demo.run(Settings(), jobs=jobs)


# The trickle, with its time in our hands


class FakeTime(threading.Event):
    """An event that is waited for without waiting, and set after ``turns`` waits."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "the trickle never waits without end"
        self.turns -= 1
        if self.turns < 0:
            self.set()
        return self.is_set()


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[Wave]:
    """Waves are kept here, and do not go to Redis."""
    waves: list[Wave] = []

    def keep(wave: Wave) -> None:
        waves.append(wave)

    monkeypatch.setattr(Wave, "enqueue", keep)
    return waves


def test_the_trickle_holds_back_while_too_many_wait(enqueued: list[Wave], monkeypatch: pytest.MonkeyPatch) -> None:
    _waiting(monkeypatch, [demo.FULL, demo.FULL, demo.FULL - 1])
    said = _run_trickle(turns=3)
    assert [line for line in said if "wait already" in line] == [
        f"{demo.FULL} jobs wait already, so no more until workers have caught up. Does one run?"
    ]
    assert len(enqueued) == _waves_of_the_mix() + 1


def test_the_trickle_outlives_a_redis_that_goes_away(enqueued: list[Wave], monkeypatch: pytest.MonkeyPatch) -> None:
    _waiting(monkeypatch, [RedisUnavailable("Redis does not answer"), 0])
    said = _run_trickle(turns=3)
    assert "Redis does not answer; trying again" in said
    assert len(enqueued) == _waves_of_the_mix() + 1


# For real


def test_the_mix_arrives_and_all_of_it_comes_to_a_good_end(redis_url: str, tmp_path: Path) -> None:
    with WorkerProcess("taskengine.samples:engine", redis_url, data_dir=tmp_path):
        done = subprocess.run(
            [*_DEMO, "--once", "--jobs", "40"],
            env=worker_env(redis_url, data_dir=tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Enqueued 40 jobs: ")

        def ended() -> bool:
            counts = _counts(redis_url)
            return counts.total == 40 and counts.queued == counts.running == counts.retrying == 0

        wait_until(ended, 90, "every job that is due has ended", every=0.2)
    counts = _counts(redis_url)
    assert counts.scheduled > 0, "some are for later"
    assert counts.completed + counts.failed + counts.scheduled == 40
    assert {job.task for job in _jobs(redis_url) if job.state is JobState.FAILED} <= {
        "campaign.send",
        "sync.import_csv",
        "trial.fail_as_told",
    }, "only what fails by chance may fail"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_trickles_until_it_is_told_to_stop(redis_url: str, tmp_path: Path, number: signal.Signals) -> None:
    with _demo(redis_url, tmp_path, "--jobs", "10") as process:
        wait_until(lambda: _counts(redis_url).total > 10, 60, "more than the mix arrived")
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert "Ctrl-C stops that" in output
    assert " x " in output.splitlines()[-1]


def test_without_redis_it_says_so_and_fails(tmp_path: Path) -> None:
    env = worker_env("redis://127.0.0.1:1/0", data_dir=tmp_path)
    done = subprocess.run([*_DEMO, "--once"], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("taskengine: ")
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


# Help

_DEMO = [sys.executable, "-m", "taskengine", "demo"]


@contextmanager
def _demo(redis_url: str, data_dir: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    env = worker_env(redis_url, data_dir=data_dir) | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([*_DEMO, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _run_trickle(*, turns: int) -> list[str]:
    said: list[str] = []
    assert demo.run(Settings(), jobs=20, seed=1, stop=FakeTime(turns), say=said.append) == 0
    return said


def _waiting(monkeypatch: pytest.MonkeyPatch, answers: list[int | RedisUnavailable]) -> None:
    left = iter(answers)

    async def count(_settings: Settings) -> int:
        answer = next(left)
        if isinstance(answer, RedisUnavailable):
            raise answer
        return answer

    monkeypatch.setattr(demo, "_count_waiting", count)


def _waves_of_the_mix() -> int:
    return len(opening_mix(Random(1), 20))


def _name(wave: Wave) -> str:
    return wave.task.info.name


def _said(waves: list[Wave]) -> list[Any]:
    return [(_name(wave), wave.calls, wave.options) for wave in waves]


def _counts(redis_url: str) -> StateCounts:
    return _ask(redis_url, lambda client: client.count_jobs())


def _jobs(redis_url: str) -> tuple[Job, ...]:
    async def page(client: Client) -> tuple[Job, ...]:
        return (await client.list_jobs(first=100)).jobs

    return _ask(redis_url, page)


def _ask(redis_url: str, question: Callable[[Client], Awaitable[T]]) -> T:
    async def ask() -> T:
        client = Client(redis_url)
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(ask())
