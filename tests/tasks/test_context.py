"""``current_job``: what a running task can say and ask."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import COMPLETED, KEYS, STORE, expire_leases, get, moves
from taskengine import Backoff, JobCancelled, Options, TaskEngine, current_job
from taskengine.errors import InvalidInput, LeaseLost, RedisUnavailable, TooLarge
from taskengine.records import ClaimedJob
from taskengine.store import Answer, Said
from taskengine.worker import context as contexts
from taskengine.worker.context import MAX_CHECKPOINT_BYTES, JobContext, NoCurrentJob

T = TypeVar("T")

JOB = ClaimedJob(
    id="j1",
    lease="7",
    task="mail.send",
    queue="mail",
    priority=5,
    attempt=2,
    max_attempts=3,
    run=4,
    created_us=1,
    args="{}",
    timeout_ms=None,
    tags=("a", "b"),
)


class Wire:
    """Takes what a context sends."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.said: list[Said] = []
        self.saved = ""
        self.away = False

    def report_progress(self, job: ClaimedJob, progress: str) -> Answer:
        self.sent.append(self._taken(job, progress))
        return Answer.OK

    def append_logs(self, job: ClaimedJob, lines: Sequence[Said]) -> Answer:
        self.said += self._taken(job, lines)
        return Answer.OK

    def save_checkpoint(self, job: ClaimedJob, data: str) -> Answer:
        self.saved = self._taken(job, data)
        return Answer.OK

    def load_checkpoint(self, job: ClaimedJob) -> str | None:
        return self._taken(job, self.saved or None)

    def _taken(self, job: ClaimedJob, value: T) -> T:
        assert job is JOB
        if self.away:
            raise RedisUnavailable("away")
        return value


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def context(wire: Wire) -> Iterator[JobContext]:
    """The context of a job that runs here."""
    context = JobContext(JOB, wire)
    token = contexts.enter(context)
    yield context
    contexts.leave(token)


@pytest.fixture
def _an_hour_between_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "PROGRESS_SECONDS", 3600.0)


@pytest.fixture
def _no_time_between_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "PROGRESS_SECONDS", 0.0)


# Facts


@pytest.mark.usefixtures("context")
def test_a_task_can_ask_what_it_is() -> None:
    assert (current_job.id, current_job.task, current_job.queue) == ("j1", "mail.send", "mail")
    assert (current_job.attempt, current_job.max_attempts, current_job.tags) == (2, 3, ("a", "b"))


@pytest.mark.parametrize("fact", ["id", "task", "queue", "attempt", "max_attempts", "tags"])
def test_outside_a_job_there_are_no_facts(fact: str) -> None:
    with pytest.raises(NoCurrentJob, match="there is no current job"):
        getattr(current_job, fact)


def test_outside_a_job_progress_and_checks_do_nothing() -> None:
    current_job.progress(1, total=2, message="half")
    current_job.check()
    assert not current_job.cancelled


# Progress


@pytest.mark.usefixtures("context")
def test_the_first_word_goes_out_at_once(wire: Wire) -> None:
    current_job.progress(1, total=3, message="connected")
    assert wire.sent == ['{"current":1,"total":3,"message":"connected"}']


@pytest.mark.usefixtures("context")
def test_what_is_not_said_is_not_sent(wire: Wire) -> None:
    current_job.progress(0.5)
    assert wire.sent == ['{"current":0.5}']


@pytest.mark.usefixtures("context", "_an_hour_between_reports")
def test_what_comes_too_soon_waits(wire: Wire) -> None:
    for number in range(1000):
        current_job.progress(number)
    assert wire.sent == ['{"current":0}']


@pytest.mark.usefixtures("_an_hour_between_reports")
def test_only_the_last_word_that_waited_is_sent(wire: Wire, context: JobContext) -> None:
    for number in range(1000):
        current_job.progress(number)
    context.send_progress()
    assert wire.sent == ['{"current":0}', '{"current":999}']


@pytest.mark.usefixtures("_no_time_between_reports")
def test_what_comes_late_enough_goes_out_at_once(wire: Wire, context: JobContext) -> None:
    current_job.progress(1)
    current_job.progress(2)
    assert wire.sent == ['{"current":1}', '{"current":2}']


def test_nothing_new_is_not_sent_again(wire: Wire, context: JobContext) -> None:
    current_job.progress(1)
    context.send_progress()
    assert len(wire.sent) == 1
    assert context.take_unsent_progress() == ""


@pytest.mark.usefixtures("_an_hour_between_reports")
def test_the_last_word_goes_with_the_outcome(wire: Wire, context: JobContext) -> None:
    current_job.progress(1)
    current_job.progress(2)
    assert context.take_unsent_progress() == '{"current":2}'
    context.send_progress()
    assert len(wire.sent) == 1


def test_progress_that_redis_did_not_take_is_kept_for_the_next_time(wire: Wire, context: JobContext) -> None:
    wire.away = True
    current_job.progress(1)
    wire.away = False
    context.send_progress()
    assert wire.sent == ['{"current":1}']


@pytest.mark.usefixtures("context")
def test_a_long_message_is_cut(wire: Wire) -> None:
    current_job.progress(1, message="x" * 10_000)
    assert len(wire.sent[0]) < 600


@pytest.mark.usefixtures("context")
def test_a_message_that_is_not_utf_8_can_be_sent(wire: Wire) -> None:
    current_job.progress(1, message="caf\udce9")
    assert wire.sent[0].encode() == rb'{"current":1,"message":"caf\\udce9"}'


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None])
def test_progress_is_a_finite_number(wire: Wire, value: Any) -> None:
    with pytest.raises(InvalidInput, match="current: expected a finite number, got"):
        current_job.progress(value)
    assert wire.sent == []


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "1"])
def test_so_is_the_total(wire: Wire, value: Any) -> None:
    with pytest.raises(InvalidInput, match="total: expected a finite number, got"):
        current_job.progress(1, total=value)
    assert wire.sent == []


# Being stopped


def test_a_task_that_is_to_stop_learns_of_it_at_its_next_checkpoint(context: JobContext) -> None:
    current_job.check()
    context.stop_with(JobCancelled("j1"))
    assert current_job.cancelled
    with pytest.raises(JobCancelled):
        current_job.check()


def test_progress_is_a_checkpoint_and_is_noted_all_the_same(wire: Wire, context: JobContext) -> None:
    context.stop_with(JobCancelled("j1"))
    with pytest.raises(JobCancelled):
        current_job.progress(1)
    assert len(wire.sent) == 1


def test_the_first_reason_to_stop_counts(context: JobContext) -> None:
    context.stop_with(LeaseLost("j1"))
    context.stop_with(JobCancelled("j1"))
    with pytest.raises(LeaseLost):
        current_job.check()


# In a worker


def test_the_last_progress_is_in_the_record_of_a_job_that_ended(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def count() -> None:
        for number in range(1, 101):
            current_job.progress(number, total=100)

    count()
    job = bench.run()
    assert job.state is COMPLETED
    assert job.progress is not None
    assert (job.progress.current, job.progress.total) == (100, 100)


def test_progress_can_be_seen_while_the_job_runs(bench: Bench, engine: TaskEngine) -> None:
    seen: list[Any] = []

    @engine.task()
    def count() -> None:
        current_job.progress(3, message="three")
        seen.append(bench.job(current_job.id).progress)

    count()
    bench.run()
    assert [(progress.current, progress.message) for progress in seen] == [(3, "three")]


def test_a_hundred_words_are_few_events(bench: Bench, engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def count() -> None:
        for number in range(100):
            current_job.progress(number)

    count()
    bench.run()
    events = [fields["kind"] for _, fields in redis.xrange("te:{test}:events")]
    assert 1 <= events.count("PROGRESS") < 20


def test_a_cancelled_job_hears_of_it_with_its_next_progress(bench: Bench, engine: TaskEngine, redis: Redis) -> None:
    reached: list[int] = []

    @engine.task()
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(redis)
        reached.append(1)
        current_job.progress(1)
        reached.append(2)

    result = work()
    bench.run()
    assert reached == [1]
    assert moves(redis, result.id)[-1] == ("RUNNING", "CANCELLED")


def test_the_jobs_options_can_be_asked_for(bench: Bench, engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def who() -> list[Any]:
        return [current_job.queue, current_job.tags, current_job.max_attempts, current_job.attempt]

    result = who.enqueue(options=Options(queue="bulk", tags=("x",), max_attempts=4))
    bench.run()
    assert get(redis, result.id).result == ["bulk", ["x"], 4, 1]


# Checkpoints


@pytest.mark.usefixtures("context")
def test_where_a_task_is_can_be_saved_and_read(wire: Wire) -> None:
    current_job.checkpoint({"page": 7})
    assert wire.saved == '{"page":7}'
    assert current_job.checkpointed == {"page": 7}


@pytest.mark.usefixtures("context")
def test_a_task_that_saved_nothing_begins_at_the_beginning() -> None:
    assert current_job.checkpointed is None


@pytest.mark.usefixtures("context")
def test_nothing_forgets_what_was_saved(wire: Wire) -> None:
    current_job.checkpoint(7)
    current_job.checkpoint(None)
    assert (wire.saved, current_job.checkpointed) == ("", None)


def test_outside_a_job_checkpoints_do_nothing() -> None:
    current_job.checkpoint(7)
    assert current_job.checkpointed is None


@pytest.mark.usefixtures("context")
def test_a_checkpoint_that_redis_did_not_take_is_not_passed_over(wire: Wire) -> None:
    wire.away = True
    with pytest.raises(RedisUnavailable):
        current_job.checkpoint(7)


@pytest.mark.usefixtures("context")
def test_a_checkpoint_that_is_too_large_is_refused_with_both_numbers(wire: Wire) -> None:
    with pytest.raises(TooLarge, match="checkpoint: expected at most 262,144 bytes of JSON, got 262,145"):
        current_job.checkpoint("x" * (MAX_CHECKPOINT_BYTES - 1))
    current_job.checkpoint("x" * (MAX_CHECKPOINT_BYTES - 2))
    assert len(wire.saved) == MAX_CHECKPOINT_BYTES


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, "caf\udce9"])
def test_so_is_what_json_cannot_say(wire: Wire, value: Any) -> None:
    with pytest.raises(InvalidInput, match="checkpoint: expected what JSON can say"):
        current_job.checkpoint(value)
    assert wire.saved == ""


def test_a_checkpoint_is_one_where_the_task_may_stop_and_it_is_saved(wire: Wire, context: JobContext) -> None:
    context.stop_with(JobCancelled("j1"))
    with pytest.raises(JobCancelled):
        current_job.checkpoint(7)
    assert wire.saved == "7"


def test_a_retry_goes_on_where_the_last_attempt_was(bench: Bench, engine: TaskEngine) -> None:
    taken: list[int] = []

    @engine.task(max_attempts=3, backoff=Backoff(base_seconds=0))
    def walk() -> None:
        for step in range(current_job.checkpointed or 0, 6):
            taken.append(step)
            current_job.checkpoint(step + 1)
            if step in {1, 3}:
                raise ValueError

    walk()
    assert [bench.run().state for _ in range(3)][-1] is COMPLETED
    assert taken == list(range(6))


def test_an_attempt_that_lost_its_lease_saves_nothing_and_stops(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        expire_leases(bench.redis, KEYS, *bench.dispatcher.held())
        STORE.rescue_jobs(max_losses=9, limit=9).run(bench.redis)
        with pytest.raises(LeaseLost):
            current_job.checkpoint(1)

    result = work()
    bench.run()
    assert bench.redis.get(KEYS.checkpoint(result.id)) is None
