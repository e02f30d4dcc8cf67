"""What a task says, kept with its job: ``current_job.log`` and the standard ``logging``."""

import asyncio
import json
import logging
import threading
from collections.abc import Generator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, KEYS, QUEUED, READS, STORE
from taskengine import Backoff, Client, InvalidInput, JobCancelled, JobNotFound, Snooze, TaskEngine, current_job
from taskengine.errors import RedisUnavailable
from taskengine.events import Logged
from taskengine.jobs import LogLevel, LogLine
from taskengine.store import Said
from taskengine.worker import logs as logs_module
from taskengine.worker.consumer import keeper
from taskengine.worker.logs import LINES_KEPT, MAX_FIELDS, MAX_MESSAGE, LogBuffer, keeping_logs, line_json


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.fixture
def _standard_logging() -> Generator[None]:
    """As in a worker: what a task says by ``logging`` is kept with its job."""
    with keeping_logs(keeper):
        yield


def lines(job_id: str, redis: Redis) -> tuple[LogLine, ...]:
    page = READS.list_logs(job_id, min_level=LogLevel.DEBUG, after="", before="", limit=1000, backward=False)
    return page.run(redis).lines


def last_lines(bench: Bench) -> list[tuple[str, str, dict[str, Any]]]:
    """What the next job says."""
    job = bench.run()
    return [(line.level.value, line.message, line.fields) for line in lines(job.id, bench.redis)]


# By current_job.log


def test_a_line_has_a_level_a_message_and_fields(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        current_job.log.debug("looked", at=1)
        current_job.log.info("sent", to="ann@example.org", copies=[1, 2])
        current_job.log.warning("slow")
        current_job.log.error("lost", why=None)

    work()
    assert last_lines(bench) == [
        ("DEBUG", "looked", {"at": 1}),
        ("INFO", "sent", {"to": "ann@example.org", "copies": [1, 2]}),
        ("WARNING", "slow", {}),
        ("ERROR", "lost", {"why": None}),
    ]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), Snooze(after=60)])
def test_nothing_is_lost_however_the_attempt_ends(bench: Bench, engine: TaskEngine, error: BaseException) -> None:
    @engine.task()
    def work() -> None:
        for number in range(500):
            current_job.log.info(str(number))
        raise error

    result = work()
    bench.run()
    assert [line.message for line in lines(result.id, bench.redis)] == [str(number) for number in range(500)]


def test_lines_of_every_attempt_are_there_with_their_run(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=2, backoff=Backoff(base_seconds=0))
    def work() -> None:
        current_job.log.info("here")
        if current_job.attempt == 1:
            raise ValueError

    result = work()
    bench.run()
    bench.run()
    assert [line.attempt for line in lines(result.id, bench.redis)] == [1, 2]


def test_a_line_is_a_checkpoint(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        current_job.log.info("here")
        current_job.log.info("never")

    result = work()
    assert bench.run().state is CANCELLED
    assert [line.message for line in lines(result.id, bench.redis)] == ["here"]


def test_a_task_that_knows_may_say_what_it_does_about_it(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        try:
            current_job.check()
        except JobCancelled:
            current_job.log.info("closing the file")
            current_job.log.info("closed")
            raise

    result = work()
    assert bench.run().state is CANCELLED
    assert [line.message for line in lines(result.id, bench.redis)] == ["closing the file", "closed"]


@pytest.mark.usefixtures("_standard_logging")
def test_by_the_standard_logging_too_a_task_learns_that_it_is_to_stop(
    bench: Bench, engine: TaskEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("shop")

    @engine.task()
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        logger.warning("here")
        logger.warning("never")

    result = work()
    assert bench.run().state is CANCELLED
    assert [line.message for line in lines(result.id, bench.redis)] == ["here"]
    assert "Logging error" not in capsys.readouterr().err


def test_a_job_that_says_nothing_costs_nothing(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None: ...

    result = work()
    bench.run()
    record = bench.redis.hgetall(KEYS.job(result.id))
    assert not {"log_lines", "log_bytes", "log_number"} & record.keys()
    assert bench.redis.exists(KEYS.logs(result.id)) == 0


def test_what_waits_is_sent_while_the_job_runs(
    bench: Bench, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "LOG_SECONDS", 0.0)
    seen: list[str] = []

    @engine.task()
    def work() -> None:
        current_job.log.info("a")
        bench.dispatcher.tend()
        seen.extend(line.message for line in lines(current_job.id, bench.redis))
        current_job.log.info("b")

    result = work()
    bench.run()
    assert seen == ["a"]
    assert [line.message for line in lines(result.id, bench.redis)] == ["a", "b"]


def test_outside_a_job_a_line_goes_to_the_standard_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        current_job.log.info("sent", to="ann")
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("taskengine.job", "sent to='ann'")]


# By the standard logging


@pytest.mark.usefixtures("_standard_logging")
def test_what_any_module_says_inside_a_task_is_kept(
    bench: Bench, engine: TaskEngine, caplog: pytest.LogCaptureFixture
) -> None:
    @engine.task()
    def work() -> None:
        logging.getLogger("shop.mail").info("sent %d of %d", 1, 2, extra={"to": "ann"})
        logging.getLogger("shop.mail").critical("on fire")

    result = work()
    with caplog.at_level(logging.INFO):
        bench.run()
    first, second = lines(result.id, bench.redis)
    assert (first.level, first.message, first.logger, first.fields) == (
        LogLevel.INFO,
        "sent 1 of 2",
        "shop.mail",
        {"to": "ann"},
    )
    assert second.level is LogLevel.ERROR


@pytest.mark.usefixtures("_standard_logging")
def test_an_exception_that_is_logged_is_kept_with_its_traceback(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("shop").exception("failed")

    work()
    ((level, message, fields),) = last_lines(bench)
    assert (level, message) == ("ERROR", "failed")
    assert fields["traceback"].endswith("ValueError: no\n")


@pytest.mark.usefixtures("_standard_logging")
def test_a_coroutine_and_its_threads_are_heard_and_others_are_not(bench: Bench, engine: TaskEngine) -> None:
    logger = logging.getLogger("shop")

    @engine.task()
    async def work() -> None:
        await asyncio.to_thread(logger.warning, "in a thread")
        stranger = threading.Thread(target=logger.warning, args=("a stranger",))
        stranger.start()
        stranger.join()

    work()
    assert [message for _, message, _ in last_lines(bench)] == ["in a thread"]
    logger.warning("nobody")


@pytest.mark.usefixtures("_standard_logging")
def test_what_the_worker_says_itself_is_not_the_jobs(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        logging.getLogger("taskengine.worker").warning("ours")
        logging.getLogger("huey.consumer").warning("its")

    work()
    assert last_lines(bench) == []


# What is kept of a line


def test_what_json_cannot_say_is_kept_in_words() -> None:
    fields = {"when": {1, 2}, "shy": Shy(), "nan": float("nan"), "bytes": b"x", "deep": {"a": [None, True]}}
    assert json.loads(line_json("m", fields, None))["fields"] == {
        "when": "{1, 2}",
        "shy": "(Shy: its repr raised RuntimeError)",
        "nan": "nan",
        "bytes": "b'x'",
        "deep": {"a": [None, True]},
    }


def test_a_long_message_is_cut_and_says_so() -> None:
    message = json.loads(line_json("x" * 100_000, {}, None))["message"]
    assert message == "x" * MAX_MESSAGE + " ..."


def test_fields_that_are_too_long_are_cut_the_longest_first() -> None:
    fields = json.loads(line_json("m", {"short": "s", "long": "x" * 100_000, "list": list(range(9_999))}, None))[
        "fields"
    ]
    assert fields["short"] == "s"
    assert fields["long"].endswith(" ...")
    assert len(json.dumps(fields)) <= MAX_FIELDS + 100


def test_ten_thousand_fields_are_no_way_around() -> None:
    assert len(line_json("m", {f"field{number}": number for number in range(10_000)}, None)) < MAX_FIELDS + 100


@pytest.mark.parametrize("text", ["caf\udce9", "\x00", "\u2028", '"\\', "😀"])
def test_any_text_can_be_kept(text: str) -> None:
    line = line_json(text, {text: [text]}, text)
    assert json.loads(line.encode().decode())["message"] == text.encode("utf-8", "backslashreplace").decode()


# On the way


class Wire:
    def __init__(self) -> None:
        self.sent: list[Said] = []
        self.away = False

    def __call__(self, lines: Sequence[Said]) -> None:
        if self.away:
            raise RedisUnavailable("away")
        self.sent += lines


def test_lines_that_redis_did_not_take_wait_in_their_order() -> None:
    wire = Wire()
    buffer = LogBuffer(wire)
    wire.away = True
    buffer.add(LogLevel.INFO, "a", {})
    buffer.send()
    buffer.add(LogLevel.INFO, "b", {})
    wire.away = False
    buffer.send()
    assert [line.number for line in wire.sent] == [1, 2]
    assert buffer.take() == []


def test_what_comes_too_soon_waits() -> None:
    wire = Wire()
    buffer = LogBuffer(wire)
    buffer.add(LogLevel.INFO, "a", {})
    buffer.flush()
    assert wire.sent == []
    assert len(buffer.take()) == 1


def test_no_more_wait_than_are_kept_and_the_oldest_go() -> None:
    buffer = LogBuffer(Wire())
    for _ in range(LINES_KEPT + 10):
        buffer.add(LogLevel.INFO, "a", {})
    waiting = buffer.take()
    assert (waiting[0].number, waiting[-1].number) == (11, LINES_KEPT + 10)


def test_what_is_said_after_the_end_is_said_too_late() -> None:
    buffer = LogBuffer(Wire())
    buffer.take()
    buffer.add(LogLevel.INFO, "late", {})
    assert buffer.take() == []


def test_what_is_sent_while_the_attempt_ends_is_neither_lost_nor_sent_twice() -> None:
    sending, go_on = threading.Event(), threading.Event()
    wire = Wire()

    def slow(lines: Sequence[Said]) -> None:
        sending.set()
        assert go_on.wait(5)
        wire(lines)

    buffer = LogBuffer(slow)
    buffer.add(LogLevel.INFO, "a", {})
    sender = threading.Thread(target=buffer.send)
    sender.start()
    assert sending.wait(5)
    buffer.add(LogLevel.INFO, "b", {})
    taken: list[Said] = []
    ending = threading.Thread(target=lambda: taken.extend(buffer.take()))
    ending.start()
    go_on.set()
    ending.join(5)
    sender.join(5)
    assert [line.number for line in wire.sent + taken] == [1, 2]


# From outside


@pytest.fixture
def said_by(bench: Bench, engine: TaskEngine) -> str:
    """The id of a job that said 0 to 9."""

    @engine.task()
    def work() -> None:
        for number in range(10):
            current_job.log.info(str(number))

    result = work()
    assert bench.run().state is COMPLETED
    return result.id


@pytest.fixture
async def client(redis_url: str) -> Any:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


async def test_a_client_reads_page_by_page(client: Client, said_by: str) -> None:
    first = await client.list_logs(said_by, first=4)
    then = await client.list_logs(said_by, first=4, after=first.lines[-1].cursor)
    assert "".join(line.message for line in (*first.lines, *then.lines)) == "01234567"
    last = await client.list_logs(said_by, last=2, before=then.lines[0].cursor)
    assert [line.message for line in last.lines] == ["2", "3"]
    assert (first.total, first.said, first.has_next, first.has_previous) == (10, 10, True, False)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"first": 0}, "first"),
        ({"last": 101}, "last"),
        ({"first": 1, "last": 1}, "last"),
        ({"after": "nonsense"}, "after"),
        ({"before": "1-x"}, "before"),
    ],
)
async def test_what_cannot_be_meant_is_refused(client: Client, options: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await client.list_logs("j1", **options)
    assert refused.value.path == (path,)


async def test_a_job_that_is_not_there_has_no_log(client: Client) -> None:
    with pytest.raises(JobNotFound):
        await client.list_logs("gone")


async def test_subscribers_hear_that_something_was_said_and_where(client: Client, said_by: str) -> None:
    async with aclosing(client.events(after="0-0")) as events, asyncio.timeout(10):  # pyright: ignore[reportArgumentType]
        async for event in events:
            if isinstance(event, Logged):
                break
    page = await client.list_logs(said_by)
    assert (event.job_id, event.count) == (said_by, 10)
    assert (event.first, event.last) == (page.lines[0].cursor, page.lines[-1].cursor)


async def test_a_checkpoint_can_be_read_from_outside(client: Client, bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        current_job.checkpoint({"page": 7})
        raise KeyboardInterrupt

    result = work()
    assert bench.run().state is QUEUED
    assert await client.get_checkpoint(result.id) == {"page": 7}
    assert await client.get_checkpoint("gone") is None
