"""Tools that read the schema as it is served: a linter, Relay's compiler, a generator of typed clients."""

import json
from pathlib import Path

import pytest

from support.api import Api
from support.node import run_node
from taskengine.samples import engine
from taskengine_api.schema.build import Schema

COMMITTED = Path(__file__).parents[2] / "api" / "schema.graphql"


@pytest.fixture
def typed_schema(tmp_path: Path) -> Path:
    """The schema with the mutations of the sample tasks, as a file."""
    file = tmp_path / "typed.graphql"
    file.write_text(Schema().with_tasks([task.info for task in engine.tasks.values()]).sdl(), "utf-8")
    return file


async def test_the_schema_passes_the_rules_of_graphql_eslint_for_schemas_and_for_relay() -> None:
    assert json.loads(await run_node("lint_schema.mjs", COMMITTED)) == []


async def test_so_do_the_mutations_that_come_from_tasks(typed_schema: Path) -> None:
    assert json.loads(await run_node("lint_schema.mjs", typed_schema)) == []


async def test_those_rules_find_what_breaks_them(tmp_path: Path) -> None:
    schema = tmp_path / "bad.graphql"
    text = COMMITTED.read_text("utf-8").replace("type JobEdge {", "type JobEdge {\n  undescribed_field: Int", 1)
    schema.write_text(text.replace("hasPreviousPage: Boolean!", "hasPreviousPage: Boolean"), "utf-8")
    rules = {problem["rule"] for problem in json.loads(await run_node("lint_schema.mjs", schema))}
    assert rules == {f"@graphql-eslint/{rule}" for rule in ("naming-convention", "relay-page-info")}


async def test_relay_compiles_a_paginated_list_and_loads_it_page_by_page(
    api: Api, address: str, tmp_path: Path
) -> None:
    jobs = [await api.enqueue() for _ in range(5)][::-1]
    output = await run_node("relay.mjs", f"http://{address}/graphql", COMMITTED, tmp_path)
    assert json.loads(output) == {
        "first": jobs[:2],
        "both": jobs[:4],
        "more": True,
        "refetched": {"id": jobs[0], "state": "QUEUED"},
    }
