"""The short way for plain fields: the same answers and the same errors as the long one."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry
from hypothesis import given
from hypothesis import strategies as st

from taskengine_api.execution import Execution, note_plain_fields, plain_fields
from taskengine_api.schema.build import Schema


@strawberry.enum
class Colour(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.type
class Thing:
    number: int
    ratio: float
    text: str
    flag: bool
    colour: Colour
    at: datetime
    tags: list[str]
    maybe: int | None

    @strawberry.field
    def made(self) -> str:
        return f"made of {self.number}"


DOCUMENT = """
query ($leave: Boolean = false) {
  thing { __typename number n: number ratio text @skip(if: $leave) flag colour at tags maybe made }
  things { number maybe colour }
}
"""
GOOD: dict[str, Any] = {
    "number": 1,
    "ratio": 0.5,
    "text": "x",
    "flag": True,
    "colour": Colour.RED,
    "at": datetime(2030, 1, 31, tzinfo=UTC),
    "tags": ["a"],
    "maybe": None,
}
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.sampled_from(Colour), st.just([1])
)


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, info: strawberry.Info) -> Thing | None:
        return info.context

    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing | None]:
        return [info.context, info.context]


SHORT = strawberry.Schema(Query, execution_context_class=Execution)
LONG = strawberry.Schema(Query)
note_plain_fields(SHORT._schema)


def answers(thing: Thing, **variables: Any) -> tuple[Any, Any]:
    """What the short way answers, and the long way."""
    short, long = (schema.execute_sync(DOCUMENT, variables, context_value=thing) for schema in (SHORT, LONG))
    return told(short), told(long)


def told(result: Any) -> tuple[Any, list[Any]]:
    return result.data, [error.formatted for error in result.errors or []]


def test_the_answer_is_the_same_with_aliases_and_directives() -> None:
    for leave in (False, True):
        short, long = answers(Thing(**GOOD), leave=leave)
        assert short == long
        assert short[1] == []
        assert short[0]["thing"]["colour"] == "RED"


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), anything))
def test_whatever_a_field_holds_the_answer_and_the_errors_are_the_same(odd: dict[str, Any]) -> None:
    short, long = answers(Thing(**{**GOOD, **odd}))
    assert repr(short) == repr(long)  # NaN is not NaN, but reads the same


def test_a_null_that_may_not_be_is_told_with_its_place() -> None:
    (data, errors), _ = answers(Thing(**{**GOOD, "number": None}))
    assert data == {"thing": None, "things": [None, None]}
    assert errors[0]["path"] == ["thing", "number"]


def test_an_attribute_that_raises_is_told_with_its_place() -> None:
    class Odd(Thing):
        @property
        def number(self) -> int:
            raise ValueError("no number today")

        @number.setter
        def number(self, value: int) -> None:
            pass

    short, long = answers(Odd(**GOOD))
    assert short == long
    assert short[1][0]["message"] == "no number today"


def test_what_is_plain_is_known_and_what_is_not_is_left_alone() -> None:
    types = Schema().core.type_map
    of_a_job: Any = types["Job"]
    found = plain_fields(of_a_job)
    assert {"id", "state", "priority", "args", "createdAt"} <= set(found)
    assert not {"task", "attempts", "tags", "waiting"} & set(found)
