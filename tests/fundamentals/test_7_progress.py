"""7. A task tells how far it is, in units of its own, as often as it likes."""

from support.bench import Bench
from taskengine import TaskEngine, current_job


def test_progress_can_be_read_while_the_job_runs(engine: TaskEngine, worker: Bench) -> None:
    seen: list[object] = []

    @engine.task()
    def copy(files: int) -> None:
        current_job.progress(0, total=files, message="connected")
        seen.append(worker.job(current_job.id).progress)

    copy(3)
    worker.run()
    assert "current=0, total=3, message='connected'" in str(seen[0])


def test_it_may_be_told_a_million_times_a_second_and_the_last_word_is_kept(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def copy(files: int) -> None:
        for number in range(1, files + 1):
            current_job.progress(number, total=files)

    copy(10_000)
    progress = worker.run().progress
    assert progress is not None
    assert progress.current == 10_000


def test_outside_a_worker_it_does_nothing(engine: TaskEngine) -> None:
    @engine.task()
    def copy(files: int) -> int:
        current_job.progress(files)
        return files

    assert copy.call_local(3) == 3
