"""The API's README: its operations are valid, its tables are the code."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from taskengine.samples import engine
from taskengine_api.errors import Code
from taskengine_api.guard import Limits
from taskengine_api.schema.build import Schema
from taskengine_api.schema.errors import UserErrorCode
from taskengine_api.settings import PREFIX, ApiSettings

README = (Path(__file__).parents[2] / "api" / "README.md").read_text("utf-8")
HERE = Path(__file__).parent
CONTRACT = HERE / "contract.graphql"
ROOTS = ("query_type", "mutation_type", "subscription_type")
BODIES = re.findall(r"<<'END'\n(.*?)\nEND\n", README, re.DOTALL)


@pytest.fixture(scope="module")
def schema() -> Schema:
    """The schema that its reader has: that of the sample tasks."""
    return Schema().with_tasks([task.info for task in engine.tasks.values()])


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_each_of_its_operations_is_valid(schema: Schema, body: str) -> None:
    # curl leaves line ends out of what it reads from a file.
    request = json.loads(body.replace("\n", ""))
    assert validate(schema.core, parse(request["query"])) == []


def test_it_has_every_mutation_and_subscription(schema: Schema) -> None:
    base = Schema().core
    assert base.mutation_type is not None
    assert base.subscription_type is not None
    for name in (*base.mutation_type.fields, *base.subscription_type.fields):
        assert f"{name}(" in "".join(BODIES), name


def test_its_table_of_settings_is_the_settings_with_their_defaults() -> None:
    table = dict(re.findall(r"^\| `(TASKENGINE_API_\w+)` \| `([^`]*)` \|", README, re.MULTILINE))
    assert table == {PREFIX + field.name.upper(): _shown(field.default) for field in fields(ApiSettings)}


def _shown(value: object) -> str:
    if value is True:
        return "on"
    if value in (None, ()):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_its_tables_of_codes_are_the_codes() -> None:
    section = README.split("## Errors")[1].split("\n## ")[0]
    data, top = section.split("Top-level")
    assert re.findall(r"^\| `([A-Z_]+)` \|", top, re.MULTILINE) == [code.value for code in Code]
    assert re.findall(r"^\| `\w+` \| `([A-Z_]+)` \|", data, re.MULTILINE) == [code.value for code in UserErrorCode]


def test_the_limits_that_it_names_are_the_limits() -> None:
    limits = Limits()
    assert (
        f"more than {limits.length // 1024} KiB, which is not read; "
        f"more than {limits.depth} levels, {limits.fields:,} fields, {limits.aliases} aliases, "
        f"{limits.directives} directives (each counted through fragments) or {limits.tokens:,} tokens"
    ) in README
    assert f"variables with more than {limits.values:,} values" in README


def test_every_module_that_it_names_is_there() -> None:
    package = Path(__file__).parents[2] / "api" / "taskengine_api"
    section = README.split("## Inside")[1]
    named = re.findall(r"`([\w/]+(?:\.py|/))`", section)
    assert [name for name in named if not (package / name).exists() and not (package / "schema" / name).exists()] == []
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py", "settings.py", "graphiql.py"}
    assert modules <= set(named)


def test_each_operation_of_the_contract_has_a_test_that_names_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(test_\w+\.py)` \|", README.split("## Each operation")[1], re.MULTILINE)
    contract = build_schema(CONTRACT.read_text("utf-8"))
    assert {name for name, _ in rows} == {name for root in ROOTS for name in getattr(contract, root).fields}
    unnamed = [name for name, file in rows if not re.search(rf"\b{name}\b", (HERE / file).read_text("utf-8"))]
    assert unnamed == []
