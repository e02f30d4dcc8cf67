"""4. Later: after some seconds, or at a time."""

from datetime import UTC, datetime, timedelta

from support.bench import Bench
from support.waiting import wait_until
from taskengine import Options, TaskEngine


def test_a_delayed_job_waits_for_its_time(engine: TaskEngine) -> None:
    @engine.task()
    def remind(who: str) -> None: ...

    job = remind.enqueue("Ann", options=Options(delay=3600)).job()
    assert job.state == "SCHEDULED"
    assert job.run_at is not None
    assert job.run_at > datetime.now(UTC) + timedelta(minutes=59)


def test_it_may_wait_for_a_time_of_day(engine: TaskEngine) -> None:
    @engine.task()
    def remind(who: str) -> None: ...

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    assert remind.enqueue("Ann", options=Options(run_at=tomorrow)).job().run_at == tomorrow


def test_then_it_runs_as_others_do(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def remind(who: str) -> str:
        return f"reminded {who}"

    result = remind.enqueue("Ann", options=Options(delay=0.02))
    worker.publish()
    task = wait_until(engine.dequeue)
    engine.execute(task)
    worker.dispatcher.flush()
    assert result.get() == "reminded Ann"
