"""The schema as text, committed, so that a change of it is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import GraphQLEnumType, build_schema, find_breaking_changes, is_specified_scalar_type

from taskengine_api.schema.build import Schema

COMMITTED = Path(__file__).parents[2] / "api" / "schema.graphql"
RELEASED = COMMITTED.with_name("schema.released.graphql")
"""The schema of the last release."""


def test_the_committed_schema_is_fresh() -> None:
    assert COMMITTED.read_text("utf-8") == Schema().sdl(), (
        "run: .venv/bin/python -m taskengine_api.schema > api/schema.graphql"
    )


def test_the_committed_schema_is_a_schema() -> None:
    assert build_schema(COMMITTED.read_text("utf-8")).query_type is not None


def parts_of(type_: Any) -> Iterator[tuple[str, Any]]:
    """Everything of a type that can have a description, with a name for it."""
    yield type_.name, type_
    if isinstance(type_, GraphQLEnumType):
        parts: dict[str, Any] = dict(type_.values)
    else:
        parts = dict(getattr(type_, "fields", {}))
    for name, part in parts.items():
        yield f"{type_.name}.{name}", part
        for argument, value in getattr(part, "args", {}).items():
            yield f"{type_.name}.{name}({argument}:)", value


BULK = ("cancelJobs", "retryJobs", "deleteJobs")


def test_everything_has_a_description() -> None:
    types = Schema().core.type_map.values()
    ours = [type_ for type_ in types if not type_.name.startswith("__") and not is_specified_scalar_type(type_)]
    assert [name for type_ in ours for name, part in parts_of(type_) if not (part.description or "").strip()] == []


def test_every_mutation_takes_one_input_and_answers_with_errors() -> None:
    mutation = Schema().core.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        capital = "BulkJobs" if name in BULK else name[0].upper() + name[1:]
        assert [str(argument.type) for argument in field.args.values()] == [f"{capital}Input!"]
        assert str(field.type) == f"{capital}Payload!"
        payload: Any = field.type.of_type
        assert str(payload.fields["errors"].type) == "[UserError!]!"


def test_nothing_changes_that_clients_of_the_last_release_rely_on() -> None:
    released = build_schema(RELEASED.read_text("utf-8"))
    broken = find_breaking_changes(released, build_schema(Schema().sdl()))
    assert [change.description for change in broken] == [], (
        "deprecate it instead; with a release: cp api/schema.graphql api/schema.released.graphql"
    )


def test_a_change_that_breaks_clients_is_noticed() -> None:
    released = build_schema(RELEASED.read_text("utf-8"))
    broken = find_breaking_changes(
        released, build_schema(RELEASED.read_text("utf-8").replace("  id: ID!\n", "  ID: ID!\n"))
    )
    assert any("Job.id was removed" in change.description for change in broken)
