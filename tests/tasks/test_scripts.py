"""The Lua scripts as things one calls by name."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from support.jobs import enqueue, everything, row
from support.redis_server import RedisServer
from taskengine.errors import IllegalMove, JobNotFound, LeaseLost, RedisUnavailable
from taskengine.keys import Keys
from taskengine.scripts import call, ours, script
from taskengine.store import Store

LUA = files("taskengine") / "lua"
NAMES = sorted(path.name.removesuffix(".lua") for path in LUA.iterdir() if path.name.endswith(".lua"))
PREFIX = Keys("test").prefix


def source(name: str) -> str:
    return (LUA / f"{name}.lua").read_text(encoding="utf-8")


# Every script


@pytest.mark.parametrize("name", NAMES)
def test_a_script_loads_and_redis_can_read_it(redis: Redis, name: str) -> None:
    loaded = script(name)
    assert redis.script_load(loaded.text) == loaded.sha


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_it_is_what_it_returns_and_what_it_writes(name: str) -> None:
    header = source(name).split("\n\n", 1)[0]
    assert header.startswith(f"-- {name}: ")
    assert re.search(r"^-- Returns  \S", header, re.MULTILINE)
    assert re.search(r"^-- Writes   \S", header, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_fits_a_screen(name: str) -> None:
    assert len(source(name).splitlines()) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_script_has_a_test_of_its_own(name: str) -> None:
    assert (Path(__file__).parent / "lua" / f"test_{name}.py").is_file()


CODES = {
    "not_found": "JOB_NOT_FOUND",
    "illegal_move": "ILLEGAL_MOVE",
    "lease_lost": "LEASE_LOST",
    "queue_full": "QUEUE_FULL",
    "no_dependency": "UNKNOWN_DEPENDENCY",
    "schedule_not_found": "SCHEDULE_NOT_FOUND",
    "schedule_declared": "SCHEDULE_DECLARED",
    "worker_not_found": "WORKER_NOT_FOUND",
    "worker_offline": "WORKER_OFFLINE",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_script_names_its_errors_in_its_header(name: str) -> None:
    header, _, body = source(name).partition("--@include")
    raised = {code for function, code in CODES.items() if re.search(rf"return {function}\(", body)}
    assert set(re.findall(r"^-- (?:Errors  )? +([A-Z_]{5,})  ", header, re.MULTILINE)) == raised


@pytest.mark.parametrize("name", NAMES)
def test_a_script_runs_alone_in_a_cluster_slot(name: str) -> None:
    assert set(re.findall(r"KEYS\[(\d+)\]", script(name).text)) == {"1"}


@pytest.mark.parametrize("name", NAMES)
def test_a_script_has_no_function_that_nothing_calls(name: str) -> None:
    text = script(name).text
    for function in re.findall(r"^(?:local )?function (\w+)", text, re.MULTILINE):
        assert len(re.findall(rf"\b{function}\b", text)) > 1


def test_a_function_is_left_in_when_one_that_is_called_calls_it() -> None:
    text = script("cancel_job").text
    assert "local function cancel(" in text
    assert "local function to_final(" in text
    assert "local function retry(" not in text


# Calling one


def test_arguments_go_by_name_in_the_order_of_the_script() -> None:
    bound = call("cancel_job", PREFIX, int, reason="enough", by="", id="j1", terminate=1)
    assert bound.argv == ["j1", 1, "enough", ""]


def test_rows_come_after_the_named_ones() -> None:
    bound = call("renew_leases", PREFIX, int, rows=["a", "b"], worker="w", lease_ms=1, facts="{}")
    assert bound.argv == ["w", 1, "{}", "a", "b"]


def test_a_wrong_name_fails_before_redis_is_asked() -> None:
    with pytest.raises(TypeError, match=r"cancel_job.lua takes \(id, terminate, reason, by\), got \(id, force\)"):
        call("cancel_job", PREFIX, int, id="j1", force=1)


def test_rows_for_a_script_that_takes_none_are_refused() -> None:
    with pytest.raises(TypeError, match="delete_job.lua takes"):
        call("delete_job", PREFIX, int, rows=["x"], id="j1")


def test_a_script_that_redis_does_not_know_is_sent_again(redis: Redis) -> None:
    redis.script_flush()
    assert enqueue(redis, "j1") == [True]
    redis.script_flush()
    assert enqueue(redis, "j2") == [True]


async def test_a_script_runs_on_an_asynchronous_connection_as_well(redis: Redis, redis_url: str) -> None:
    from redis import asyncio as aioredis

    redis.script_flush()
    async with aioredis.Redis.from_url(redis_url) as connection:
        assert await Store(Keys("test")).enqueue_jobs([row("j1")]).arun(connection) == [("j1", True)]
        with pytest.raises(JobNotFound):
            await Store(Keys("test")).delete_job("gone").arun(connection)


# Errors


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("JOB_NOT_FOUND j1", JobNotFound("j1")),
        ("ILLEGAL_MOVE j1 COMPLETED CANCELLED", IllegalMove("j1", "COMPLETED", "CANCELLED")),
        ("LEASE_LOST j1", LeaseLost("j1")),
    ],
)
def test_an_error_code_becomes_an_error_of_ours(said: str, expected: Exception) -> None:
    error = ours(ResponseError(said))
    assert type(error) is type(expected)
    assert error.args == expected.args


@pytest.mark.parametrize(
    "error", [RedisConnectionError("refused"), RedisTimeoutError(), BusyLoadingError("loading the dataset in memory")]
)
def test_a_redis_that_is_away_is_unavailable(error: RedisError) -> None:
    assert isinstance(ours(error), RedisUnavailable)
    assert str(ours(error)).startswith("Redis does not answer: ")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OutOfMemoryError("command not allowed", status_code="OOM"), "OOM command not allowed"),
        (ReadOnlyError("You can't write", status_code="READONLY"), "READONLY You can't write"),
        (MasterDownError("Link is down", status_code="MASTERDOWN"), "MASTERDOWN Link is down"),
        (ResponseError("MISCONF Redis cannot save"), "MISCONF Redis cannot save"),
        (ResponseError("Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You can't"),
         "READONLY You can't"),
    ],
)  # fmt: skip
def test_a_redis_that_refuses_is_unavailable_and_says_why(error: RedisError, message: str) -> None:
    assert isinstance(ours(error), RedisUnavailable)
    assert str(ours(error)) == f"Redis refuses: {message}"


def test_a_fault_in_a_script_stays_what_it_is() -> None:
    error = ResponseError("Error running script (call to f_1): @user_script:3: attempt to index a nil value")
    assert ours(error) is error


def test_a_full_redis_refuses_and_nothing_has_changed(redis: Redis) -> None:
    enqueue(redis, "j1")
    before = everything(redis)
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(RedisUnavailable, match="Redis refuses: OOM command not allowed"):
            enqueue(redis, "j2")
    finally:
        redis.config_set("maxmemory", 0)
    assert everything(redis) == before


def test_a_redis_that_went_away_is_unavailable(durable_redis: RedisServer) -> None:
    with durable_redis.client() as client:
        durable_redis.kill()
        with pytest.raises(RedisUnavailable, match="Redis does not answer"):
            enqueue(client, "j1")
