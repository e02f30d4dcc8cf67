"""The specification of GraphQL over HTTP, by the audits of npm's graphql-http."""

import json

from support.node import run_node


async def test_all_61_audits_pass(address: str) -> None:
    audits = json.loads(await run_node("audits.mjs", f"http://{address}/graphql"))
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len({audit["id"] for audit in audits}) == 61
