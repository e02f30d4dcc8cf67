"""What operators did, as the client writes and tells it."""

from collections.abc import AsyncIterator

import pytest
from redis import Redis

from support.jobs import CANCELLED, COMPLETED, FAILED, QUEUED, a_job
from taskengine import Client, InvalidInput
from taskengine.audit import MAX_NAME


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


async def test_every_action_is_told_newest_first(client: Client, redis: Redis) -> None:
    a_job(redis, QUEUED, "a")
    await client.cancel_job("a", reason="enough", by="eve")
    await client.retry_job("a", by="adam")
    await client.cancel_job("a", by="eve")
    await client.delete_job("a", by="adam")
    entries = (await client.list_audit_entries()).entries
    assert [(entry.by, entry.action, entry.subject) for entry in entries] == [
        ("adam", "delete_job", "a"),
        ("eve", "cancel_job", "a"),
        ("adam", "retry_job", "a"),
        ("eve", "cancel_job", "a"),
    ]
    assert entries[-1].details == {"reason": "enough", "state": "QUEUED"}


async def test_clearing_tells_what_went(client: Client, redis: Redis) -> None:
    for job_id, state in zip("abc", (COMPLETED, FAILED, CANCELLED), strict=True):
        a_job(redis, state, job_id)
    operation = await client.clear_history([COMPLETED, FAILED], by="eve")
    (entry,) = (await client.list_audit_entries()).entries
    assert (entry.action, entry.subject) == ("clear_history", "COMPLETED,FAILED")
    facts = {"operation": operation.id, "kind": "DELETE", "matched": 2, "states": ["COMPLETED", "FAILED"]}
    assert entry.details == facts


async def test_what_programs_do_on_their_own_account_is_not_written_down(client: Client, redis: Redis) -> None:
    a_job(redis, QUEUED)
    await client.cancel_job("j1")
    await client.delete_job("j1")
    assert (await client.list_audit_entries()).entries == ()


async def test_pages_go_on_behind_an_entry_and_back(client: Client, redis: Redis) -> None:
    for job_id in "abcd":
        a_job(redis, QUEUED, job_id)
        await client.delete_job(job_id, by="eve")
    first = await client.list_audit_entries(first=3)
    rest = await client.list_audit_entries(after=first.entries[-1].id)
    back = await client.list_audit_entries(last=2, before=rest.entries[0].id)
    assert ["".join(entry.subject for entry in page.entries) for page in (first, rest, back)] == ["dcb", "a", "cb"]
    assert (first.has_next, rest.has_next, back.has_previous) == (True, False, True)


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME + 1), "\ud800"])
async def test_a_name_that_cannot_be_kept_is_refused_and_nothing_is_done(
    client: Client, redis: Redis, name: str
) -> None:
    a_job(redis, QUEUED)
    with pytest.raises(InvalidInput) as refused:
        await client.delete_job("j1", by=name)
    assert refused.value.path == ("by",)
    assert await client.get_job("j1") is not None


@pytest.mark.parametrize("cursor", ["", "1", "x-1", "1-1; DEL"])
async def test_a_cursor_that_no_entry_has_is_refused(client: Client, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="expected a cursor that a page returned"):
        await client.list_audit_entries(after=cursor)
