"""Workers killed with SIGKILL in the middle of 200 jobs: nothing is lost, and soon."""

import os
import signal
from pathlib import Path

from redis import Redis

from support.crowd import assert_nothing_is_left_open, enqueue_universal, jobs, ledger_in, states, wait_for_end
from support.ledger import Ledger
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.jobs import JobState

JOBS, BEFORE_THE_KILL = 200, 40
LEASE_SECONDS = 1.0
SWEEP_SECONDS = 1.0
SLACK_SECONDS = 3.0
"""For a machine that is busy with other tests."""


def worker(redis_url: str, directory: Path, **options: object) -> WorkerProcess:
    return WorkerProcess(
        "support.universal:engine",
        redis_url,
        data_dir=directory,
        namespace="test",
        lease_seconds=LEASE_SECONDS,
        **options,  # pyright: ignore[reportArgumentType]
    )


def wait_for_ends(ledger: Ledger, count: int) -> None:
    wait_until(lambda: len(ledger.ends()) >= count, 60, f"{count} jobs have ended")


def orphans_of(ledger: Ledger) -> set[str]:
    """Jobs that have started and not ended."""
    return {entry.job_id for entry in ledger.starts()} - {entry.job_id for entry in ledger.ends()}


def assert_all_done(redis: Redis, job_ids: list[str], ledger: Ledger) -> None:
    wait_for_end(redis, job_ids)
    assert states(redis, job_ids) == {JobState.COMPLETED: JOBS}
    assert ledger.never_ended(set(job_ids)) == set()
    assert_nothing_is_left_open(redis)


def test_jobs_of_a_killed_thread_worker_run_again_on_another(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    job_ids = enqueue_universal(redis, JOBS, ledger=ledger, ms=100)
    with worker(redis_url, tmp_path / "first", concurrency=10) as first:
        wait_for_ends(ledger, BEFORE_THE_KILL)
        first.kill()
    orphans, killed_at = orphans_of(ledger), max(entry.at for entry in ledger.entries())

    with worker(redis_url, tmp_path / "second", concurrency=10):
        assert_all_done(redis, job_ids, ledger)

    reruns = [entry.at for entry in ledger.starts() if entry.job_id in orphans and entry.at > killed_at]
    assert len(reruns) >= len(orphans) > 0
    # Nothing that ended before the kill and was told to Redis ran again; what had not been told may have.
    assert len(ledger.started_more_than_once()) <= 20
    assert max(reruns) - killed_at < LEASE_SECONDS + SWEEP_SECONDS + SLACK_SECONDS


def test_jobs_of_a_killed_child_run_again_at_once(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    job_ids = enqueue_universal(redis, JOBS, ledger=ledger, ms=50)
    # A lease so long that only the parent's word can have freed the job.
    with WorkerProcess(
        "support.universal:engine",
        redis_url,
        data_dir=tmp_path / "worker",
        namespace="test",
        lease_seconds=60,
        mode="process",
        concurrency=4,
    ):
        wait_for_ends(ledger, BEFORE_THE_KILL)
        victim = ledger.starts()[-1].pid
        os.kill(victim, signal.SIGKILL)
        assert_all_done(redis, job_ids, ledger)
    assert victim not in {entry.pid for entry in ledger.entries()[-20:]}


def test_jobs_of_a_killed_parent_run_again_on_another(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    job_ids = enqueue_universal(redis, JOBS, ledger=ledger, ms=100)
    with worker(redis_url, tmp_path / "first", mode="process", concurrency=4) as first:
        wait_for_ends(ledger, BEFORE_THE_KILL)
        children = first.children
        first.kill()
        wait_until(lambda: not any(_runs(child) for child in children), 10, "the children ended with their parent")
    with worker(redis_url, tmp_path / "second", mode="process", concurrency=4):
        assert_all_done(redis, job_ids, ledger)


def test_a_job_that_kills_its_worker_fails_after_three(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    (poison,) = enqueue_universal(redis, do="KILL")
    healthy = enqueue_universal(redis, 5)
    with worker(redis_url, tmp_path / "worker", mode="process", concurrency=2):
        wait_for_end(redis, [poison, *healthy])
    job = jobs(redis, [poison])[0]
    assert (job.state, job.worker_losses) == (JobState.FAILED, 3)
    assert job.error is not None
    assert job.error.exception == "WorkerLost"
    assert states(redis, healthy) == {JobState.COMPLETED: 5}
    assert_nothing_is_left_open(redis)


def test_a_job_whose_worker_died_once_is_finished_by_another_run(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    (job_id,) = enqueue_universal(redis, do="KILL_ONCE", ledger=ledger, value="done")
    with worker(redis_url, tmp_path / "worker", mode="process", concurrency=1):
        wait_for_end(redis, [job_id])
    job = jobs(redis, [job_id])[0]
    assert (job.state, job.result, job.attempt_count, job.worker_losses) == (JobState.COMPLETED, "done", 1, 1)


def test_c_code_that_keeps_the_interpreter_keeps_its_lease_in_process_mode(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    ledger = ledger_in(tmp_path)
    (job_id,) = enqueue_universal(redis, do="HOG", ms=3 * int(LEASE_SECONDS * 1000), ledger=ledger, value="held")
    with worker(redis_url, tmp_path / "worker", mode="process", concurrency=2):
        wait_for_end(redis, [job_id])
    assert jobs(redis, [job_id])[0].result == "held"
    assert len(ledger.starts()) == 1


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
