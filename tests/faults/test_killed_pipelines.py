"""Workers killed again and again in the middle of pipelines and chords: each goes on to its end, once."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from huey.api import chord
from redis import Redis

from support.crowd import assert_nothing_is_left_open
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine import JobState, TaskEngine
from taskengine.keys import Keys

PIPELINES, LINKS, CHORDS, MEMBERS = 30, 4, 10, 6
TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture
def flowing(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> TaskEngine:
    """The engine of ``flowing.py`` in this process, in the namespace of ``support.jobs``."""
    monkeypatch.setenv("TASKENGINE_REDIS_URL", redis_url)
    monkeypatch.setenv("TASKENGINE_NAMESPACE", "test")
    monkeypatch.syspath_prepend(str(TESTS / "faults"))
    sys.modules.pop("flowing", None)
    import flowing  # pyright: ignore[reportMissingImports]

    return flowing.engine


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_whatever_is_killed_in_between_all_that_follows_is_done_once(
    flowing: TaskEngine, redis: Redis, redis_url: str, tmp_path: Path, mode: str
) -> None:
    step, total = flowing.tasks["step"], flowing.tasks["total"]
    pipelines = []
    for number in range(PIPELINES):
        call = step.s(number)
        for _ in range(LINKS):
            call.then(step, 10)
        pipelines.append(flowing.enqueue(call))
    chords = [
        flowing.enqueue(chord([step.s(n, n) for n in range(MEMBERS)], total.s().then(step))) for _ in range(CHORDS)
    ]

    ends = [list(pipeline)[-1] for pipeline in pipelines] + [one.last for one in chords]
    expected = PIPELINES * (LINKS + 1) + CHORDS * (MEMBERS + 2)
    for kill in (0.2, 0.5, 0.8):
        with a_worker(redis_url, tmp_path / str(kill), mode) as worker:
            wait_until(lambda kill=kill: completed(redis) >= expected * kill, 60, f"{kill:.0%} are done")
            worker.kill()
    with a_worker(redis_url, tmp_path / "last", mode):
        wait_until(lambda: all(end.is_ready() for end in ends), 60, "every pipeline and chord has ended")
        assert_nothing_is_left_open(redis)

    assert [end.get() for end in ends[:PIPELINES]] == [number + 1 + 10 * LINKS for number in range(PIPELINES)]
    assert {end.get() for end in ends[PIPELINES:]} == {sum(2 * n for n in range(MEMBERS)) + 1}
    states = Counter(job.state for end in ends for job in [end.job()])
    assert states == {JobState.COMPLETED: len(ends)}
    assert completed(redis) == expected
    flowing.storage.close()


def a_worker(redis_url: str, directory: Path, mode: str) -> WorkerProcess:
    return WorkerProcess(
        "flowing:engine",
        redis_url,
        data_dir=directory,
        mode=mode,  # pyright: ignore[reportArgumentType]
        concurrency=4,
        path=(TESTS / "faults",),
        namespace="test",
        lease_seconds=1.0,
    )


def completed(redis: Redis) -> int:
    """How many jobs have COMPLETED: one too many would be a call that followed twice."""
    return redis.zcard(Keys("test").finished(JobState.COMPLETED))
