"""Keys of the API, as the client makes them and as ``taskengine keys`` does."""

import os
import re
from collections.abc import AsyncIterator

import pytest
from redis import Redis

from support.jobs import everything
from taskengine import Client, InvalidInput
from taskengine.api_keys import digest_of, new_secret
from taskengine.cli import main
from taskengine.errors import ApiKeyNotFound
from taskengine.key_commands import seconds_of
from taskengine.roles import Role


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


@pytest.fixture
def command(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works on the test's Redis."""
    for name in [name for name in os.environ if name.startswith("TASKENGINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TASKENGINE_REDIS_URL", redis_url)


def test_a_secret_is_32_random_bytes_and_known_by_its_beginning() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"te_[\w-]{43}", secret) for secret in secrets)


async def test_the_secret_of_a_key_opens_it(client: Client) -> None:
    secret = await client.create_api_key("ci", Role.OPERATOR, expires_seconds=60, by="eve")
    found = await client.find_api_key(digest_of(secret))
    assert found.key is not None
    assert (found.key.name, found.key.role) == ("ci", Role.OPERATOR)
    assert [key.name for key in await client.list_api_keys()] == ["ci"]


async def test_a_revoked_key_opens_nothing(client: Client) -> None:
    secret = await client.create_api_key("ci", Role.OPERATOR)
    await client.create_api_key("other", Role.VIEWER)
    assert await client.revoke_api_key("ci") == 1
    assert (await client.find_api_key(digest_of(secret))).key is None


async def test_making_and_revoking_is_written_down(client: Client) -> None:
    await client.create_api_key("ci", Role.ADMIN, by="eve")
    await client.revoke_api_key("ci", by="adam")
    entries = (await client.list_audit_entries()).entries
    assert [(entry.by, entry.action, entry.subject) for entry in entries] == [
        ("adam", "revoke_api_key", "ci"),
        ("eve", "create_api_key", "ci"),
    ]


async def test_a_key_that_is_none_cannot_be_revoked(client: Client) -> None:
    with pytest.raises(ApiKeyNotFound, match="there is no key 'ci'"):
        await client.revoke_api_key("ci")


@pytest.mark.parametrize("name", ["", "two words", "x" * 300, "local", "environment"])
async def test_a_name_that_no_key_may_have_is_refused(client: Client, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await client.create_api_key(name, Role.VIEWER)
    assert refused.value.path == ("name",)
    assert await client.list_api_keys() == []


async def test_a_name_that_is_taken_is_refused(client: Client) -> None:
    await client.create_api_key("ci", Role.VIEWER)
    with pytest.raises(InvalidInput, match="there is another key 'ci'"):
        await client.create_api_key("ci", Role.ADMIN)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 1e12])
async def test_a_time_that_no_key_may_have_is_refused(client: Client, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="expected 1 second to 10 years"):
        await client.create_api_key("ci", Role.VIEWER, expires_seconds=seconds)


async def test_a_budget_is_spent_and_then_refused(client: Client) -> None:
    first = await client.spend_budget("ci", 90, per_minute=100)
    second = await client.spend_budget("ci", 90, per_minute=100)
    assert (first.granted, first.left, first.retry_seconds) == (True, 10, 0)
    assert not second.granted
    assert 0 < second.retry_seconds < second.reset_seconds <= 60


# The command


@pytest.mark.usefixtures("command")
def test_the_command_prints_the_secret_alone_and_once(redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "ci", "--role", "operator", "--expires", "90d"]) == 0
    printed = capsys.readouterr()
    secret = printed.out.strip()
    assert re.fullmatch(r"te_[\w-]{43}", secret)
    assert "not shown again" in printed.err
    assert secret not in str(everything(redis))
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert secret not in listed
    assert re.search(rf"^ci +OPERATOR +{secret[:9]}… +\S+ \S+Z +\S+ \S+Z +never$", listed, re.MULTILINE)


@pytest.mark.usefixtures("command")
def test_the_command_revokes_and_says_what_it_means_that_no_key_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "create", "ci"])
    assert main(["keys", "revoke", "ci"]) == 0
    assert "No key is left" in capsys.readouterr().err
    main(["keys", "list"])
    assert "There is no key" in capsys.readouterr().out


@pytest.mark.usefixtures("command")
def test_what_the_command_does_is_written_down_under_the_name_of_who_runs_it(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "eve")
    main(["keys", "create", "ci"])
    ((_, entry),) = redis.xrange("te:{default}:audit")
    assert (entry["by"], entry["action"]) == ("eve", "create_api_key")


@pytest.mark.usefixtures("command")
def test_what_the_command_cannot_do_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "revoke", "nobody"]) == 1
    assert capsys.readouterr().err == "taskengine: there is no key 'nobody'\n"


@pytest.mark.parametrize("arguments", [["create", "a", "--role", "KING"], ["create", "a", "--expires", "soon"], []])
def test_what_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["keys", *arguments])
    assert left.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("90d", 7_776_000), ("12h", 43_200), ("30m", 1_800), ("1s", 1)])
def test_times_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "90", "-1d", "1.5h", "0d", "1y", "9" * 30 + "d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as"):
        seconds_of(text)
