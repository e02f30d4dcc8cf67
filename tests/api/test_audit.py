"""``auditEntries``: what operators did, newest first."""

from typing import Any

import pytest

from support.api import Api

ENTRIES = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  auditEntries(first: $first, after: $after, last: $last, before: $before) {
    pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node { id } }
    nodes { id at viewer action subject details }
  }
}
"""
CANCEL = 'mutation ($id: ID!) { cancelJob(input: { id: $id, reason: "by hand" }) { errors { message } } }'


async def entries(api: Api, **page: Any) -> Any:
    return (await api.data(ENTRIES, **page))["auditEntries"]


async def cancel(api: Api) -> str:
    job_id = await api.enqueue()
    await api.data(CANCEL, id=job_id)
    return job_id


async def test_a_mutation_is_written_down_with_its_viewer(api: Api) -> None:
    job_id = await cancel(api)
    (entry,) = (await entries(api))["nodes"]
    assert (entry["viewer"], entry["action"], entry["subject"]) == ("local", "cancel_job", job_id)
    assert entry["details"]["reason"] == "by hand"


async def test_entries_come_by_page_newest_first(api: Api) -> None:
    done = [await cancel(api) for _ in range(3)]
    first = await entries(api, first=2)
    assert [entry["subject"] for entry in first["nodes"]] == [done[2], done[1]]
    assert first["pageInfo"]["hasNextPage"] is True
    second = await entries(api, first=2, after=first["pageInfo"]["endCursor"])
    assert [entry["subject"] for entry in second["nodes"]] == [done[0]]


async def test_an_entry_is_a_node(api: Api) -> None:
    job_id = await cancel(api)
    (entry,) = (await entries(api))["nodes"]
    document = "query ($id: ID!) { node(id: $id) { id ... on AuditEntry { subject } } }"
    assert (await api.data(document, id=entry["id"]))["node"] == {"id": entry["id"], "subject": job_id}
    assert await api.data(document, id="audit_1-1") == {"node": None}


@pytest.mark.parametrize("after", ["x", "99999999999999999999-0"])
async def test_a_cursor_that_no_page_had_is_refused(api: Api, after: str) -> None:
    assert (await api.error(ENTRIES, after=after))["extensions"] == {"code": "BAD_USER_INPUT", "path": ["after"]}
