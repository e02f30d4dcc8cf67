"""A function's hints -> what a caller may send, what the function gets, and what is refused where it is defined."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from typing_extensions import TypedDict

from taskengine.errors import InvalidInput, InvalidInputs, InvalidTask, UnusableResult
from taskengine.signatures import Signature


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Shape(Enum):
    ROUND = "round"
    FLAT = 3


@dataclass
class Point:
    x: float
    y: float = 0.0
    label: bytes = b""


class Price(NamedTuple):
    amount: Decimal
    currency: str


class Address(TypedDict):
    street: str
    number: int


class Order(BaseModel):
    id: UUID = Field(default_factory=uuid4)
    lines: list[Point] = []
    placed_at: datetime | None = None
    colours: dict[Colour, int] = {}


def signature(function: Callable[..., Any], name: str = "mail.send") -> Signature:
    return Signature(name, function)


def dumped(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return json.loads(signature(function).dump(args, kwargs))


def passed_on(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What the function gets when it runs."""
    its = signature(function)
    return its.load(its.dump(args, kwargs))


def problems(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, str]:
    """What is wrong with a call, by path."""
    with pytest.raises(InvalidInput) as caught:
        signature(function).dump(args, kwargs)
    found = caught.value.problems if isinstance(caught.value, InvalidInputs) else (caught.value,)
    return {".".join(problem.path): problem.message for problem in found}


def send(to: str, subject: str = "Hello", *, copies: int = 1) -> None: ...


# Calls


def test_arguments_are_kept_by_name_however_they_were_given() -> None:
    assert dumped(send, "a@b", "Hi", copies=2) == {"to": "a@b", "subject": "Hi", "copies": 2}
    assert dumped(send, subject="Hi", copies=2, to="a@b") == {"to": "a@b", "subject": "Hi", "copies": 2}


def test_what_was_not_given_is_not_kept_and_the_default_holds_when_it_runs() -> None:
    assert dumped(send, "a@b") == {"to": "a@b"}
    assert passed_on(send, "a@b") == {"to": "a@b", "subject": "Hello", "copies": 1}


def test_what_equals_its_default_is_kept_when_it_was_given() -> None:
    assert dumped(send, "a@b", copies=1) == {"to": "a@b", "copies": 1}


def test_a_mutable_default_is_not_shared_between_runs() -> None:
    def collect(into: list[int] = []) -> None: ...  # noqa: B006 - what users write

    its = signature(collect)
    its.load("{}")["into"].append(1)
    assert its.load("{}") == {"into": []}


def test_a_missing_argument_is_named() -> None:
    assert problems(send, subject="Hi") == {"args.to": "is required"}


def test_an_unknown_argument_is_named_with_those_that_there_are() -> None:
    assert problems(send, "a@b", copy=2) == {
        "args.copy": "there is no such parameter; mail.send takes (to, subject, copies)"
    }


def test_too_many_positions_are_refused() -> None:
    assert problems(send, "a@b", "Hi", 3) == {
        "args": "too many positional arguments; mail.send takes (to, subject, copies)"
    }


def test_an_argument_given_twice_is_refused() -> None:
    assert "multiple values for argument 'to'" in problems(send, "a@b", to="c@d")["args"]


def test_a_wrong_type_says_what_came() -> None:
    message = problems(send, 7)["args.to"]
    assert message == "input should be a valid string, got 7"


def test_every_wrong_argument_is_reported_at_once() -> None:
    assert problems(send, 7, copies="many").keys() == {"args.to", "args.copies"}


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(problems(send, "a@b", copies="many" * 1000)["args.copies"]) < 200


def test_the_path_leads_into_nested_values() -> None:
    def plot(points: list[Point], order: Order) -> None: ...

    found = problems(plot, [{"x": 1.0}, {"x": "?"}], {"colours": {"green": 1}})
    assert found.keys() == {"args.points.1.x", "args.order.colours.green.[key]"}


def test_what_fits_after_a_harmless_conversion_is_converted_at_once() -> None:
    def report(day: date, copies: int) -> None: ...

    assert dumped(report, "2025-01-31", "3") == {"day": "2025-01-31", "copies": 3}


def test_a_constraint_of_the_author_is_checked() -> None:
    def resize(width: Annotated[int, Field(gt=0)]) -> None: ...

    assert problems(resize, 0) == {"args.width": "input should be greater than 0, got 0"}


def test_a_validator_of_a_model_is_asked() -> None:
    class Mail(BaseModel):
        to: str

        @field_validator("to")
        @classmethod
        def has_an_at(cls, value: str) -> str:
            if "@" not in value:
                raise ValueError("there is no @ in it")
            return value

    def post(mail: Mail) -> None: ...

    assert problems(post, {"to": "nobody"}) == {"args.mail.to": "value error, there is no @ in it, got 'nobody'"}


def test_what_a_model_made_up_for_itself_reaches_the_task() -> None:
    def place(order: Order) -> None: ...

    order = Order()
    assert passed_on(place, order)["order"].id == order.id


def test_a_model_whose_fields_were_broken_after_it_was_made_is_refused() -> None:
    def place(order: Order) -> None: ...

    order = Order()
    order.lines = "none"  # pyright: ignore[reportAttributeAccessIssue]
    assert problems(place, order).keys() == {"args"}


def test_a_parameter_without_a_hint_takes_any_json() -> None:
    def note(what) -> None: ...

    value = {"a": [1, 2.5, None, True, "é"]}
    assert passed_on(note, value) == {"what": value}


def test_without_a_hint_what_json_cannot_say_is_refused() -> None:
    def note(what) -> None: ...

    assert problems(note, object())["args"].startswith("cannot be written as JSON")


def test_text_that_utf_8_cannot_hold_is_refused() -> None:
    assert problems(send, "caf\udce9")["args"].startswith("cannot be written as JSON")


def test_what_cannot_be_read_back_is_refused_at_once_and_not_by_the_worker() -> None:
    class Odd(BaseModel):
        x: float = Field(0.0, serialization_alias="y")
        model_config = ConfigDict(extra="forbid")

    def plot(cells: dict[tuple[int, int], str], odd: Odd | None = None) -> None: ...

    assert problems(plot, {(1, 2): "a"})["args"].startswith("cannot be read back from JSON: args.cells.1,2.[key]: ")
    assert problems(plot, {}, Odd(x=1))["args"].startswith("cannot be read back from JSON: args.odd.y: ")


def test_a_number_that_a_model_cannot_write_is_refused() -> None:
    def place(order: Order) -> None: ...

    order = Order(lines=[Point(x=float("inf"))])
    assert problems(place, order)["args"].startswith("cannot be read back from JSON: args.order.lines.0.x: ")


def test_nesting_without_end_is_refused() -> None:
    def note(what: Any) -> None: ...

    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    assert problems(note, deep)["args"].startswith("cannot be written as JSON")


def test_parameters_may_have_the_names_that_pydantic_uses() -> None:
    def awkward(json: int, schema: int, copy: int, model_dump: int, _x: int, class_: int, self_: int = 7) -> None: ...

    names = ["json", "schema", "copy", "model_dump", "_x", "class_"]
    assert passed_on(awkward, **dict.fromkeys(names, 1)) == {**dict.fromkeys(names, 1), "self_": 7}


def test_a_hidden_parameter_is_not_the_callers() -> None:
    def work(to: str, task: object) -> None: ...

    its = Signature("mail.send", work, hidden=frozenset({"task"}))
    assert its.parameters == {"to"}
    assert json.loads(its.dump(("a@b",), {})) == {"to": "a@b"}


def test_no_parameters_are_no_arguments() -> None:
    def tick() -> None: ...

    assert signature(tick).dump((), {}) == "{}"
    assert problems(tick, 1) == {"args": "too many positional arguments; mail.send takes ()"}


# At run


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"to":7}', "{}", '{"to":"a","more":1}', '{"to":NaN}'])
def test_arguments_are_checked_again_at_run(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        signature(send).load(text)
    assert caught.value.path[0] == "args"


def test_hints_are_read_though_they_are_text() -> None:
    def later(order: "Order", point: "Optional[Point]" = None) -> None: ...  # noqa: UP045 - what older code has

    assert isinstance(passed_on(later, {})["order"], Order)


# Values of every type come out as they went in

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(timezones=st.none() | offsets)
texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False)

SIMPLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, st.integers()),
    (float, numbers),
    (str, texts),
    (bytes, st.binary(max_size=20)),
    (datetime, instants),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas(timedelta(days=-36_500), timedelta(days=36_500))),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (UUID, st.uuids()),
    (Path, texts.map(Path)),
    (Colour, st.sampled_from(Colour)),
    (Size, st.sampled_from(Size)),
    (Shape, st.sampled_from(Shape)),
    (Literal["a", 1, True], st.sampled_from(["a", 1])),
    (Point, st.builds(Point, x=numbers, y=numbers, label=st.binary(max_size=5))),
    (Address, st.fixed_dictionaries({"street": texts, "number": st.integers()})),
    (Price, st.builds(Price, st.decimals(allow_nan=False, allow_infinity=False), texts)),
    (
        Order,
        st.builds(
            Order,
            id=st.uuids(),
            # A model says itself how it is written, and by default that no number is infinite.
            lines=st.lists(st.builds(Point, x=st.floats(-1e9, 1e9)), max_size=2),
            placed_at=st.none() | instants,
            colours=st.dictionaries(st.sampled_from(Colour), st.integers(), max_size=2),
        ),
    ),
]


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Any, Any]:
    """A hint, plain or within a container, and a value that it allows."""
    hint, values = draw(st.sampled_from(SIMPLE))
    wrap = draw(st.sampled_from(["plain", "optional", "list", "tuple", "dict", "by date", "nested"]))
    if wrap == "optional":
        return hint | None, draw(st.none() | values)
    if wrap == "list":
        return list[hint], draw(st.lists(values, max_size=3))
    if wrap == "tuple":
        return tuple[hint, int], (draw(values), draw(st.integers()))
    if wrap == "dict":
        return dict[str, hint], draw(st.dictionaries(texts, values, max_size=3))
    if wrap == "by date":
        return dict[date, hint], draw(st.dictionaries(st.dates(), values, max_size=3))
    if wrap == "nested":
        return dict[str, list[hint | None]], {"a": draw(st.lists(st.none() | values, max_size=3))}
    return hint, draw(values)


@settings(max_examples=150, deadline=None)
@given(typed_values())
def test_a_value_reaches_the_task_as_it_was_given(typed: tuple[Any, Any]) -> None:
    hint, value = typed

    def task(value): ...

    task.__annotations__["value"] = hint
    got = passed_on(task, value)["value"]
    assert got == value
    assert type(got) is type(value)


@settings(max_examples=150, deadline=None)
@given(typed_values())
def test_a_result_comes_back_as_it_was_returned(typed: tuple[Any, Any]) -> None:
    hint, value = typed

    def task(): ...

    task.__annotations__["return"] = hint
    its = signature(task)
    text = its.dump_result(value)
    got = its.load_result(json.loads(text)) if text else None
    assert got == value
    assert type(got) is type(value)


@settings(max_examples=60, deadline=None)
@given(st.lists(typed_values(), max_size=4))
def test_the_schema_allows_what_the_task_takes(typed: list[tuple[Any, Any]]) -> None:
    names = [f"p{number}" for number in range(len(typed))]
    namespace: dict[str, Any] = {}
    exec(f"def task({', '.join(names)}): ...", namespace)
    task = namespace["task"]
    task.__annotations__ = {name: hint for name, (hint, _) in zip(names, typed, strict=True)}
    its = signature(task)
    Draft202012Validator.check_schema(its.args_schema)
    arguments = json.loads(its.dump([value for _, value in typed], {}))
    # Numbers that JSON cannot say travel as text, which only pydantic knows to read.
    if "Infinity" not in json.dumps(arguments):
        Draft202012Validator(its.args_schema).validate(arguments)


# The schema that is published


def test_the_schema_names_parameters_defaults_and_what_is_required() -> None:
    schema = signature(send).args_schema
    assert schema["type"] == "object"
    assert list(schema["properties"]) == ["to", "subject", "copies"]
    assert schema["required"] == ["to"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["subject"] == {"type": "string", "default": "Hello", "title": "Subject"}


def test_the_schema_has_what_the_author_said_of_a_parameter() -> None:
    def resize(width: Annotated[int, Field(gt=0, description="In pixels.")]) -> None: ...

    width = signature(resize).args_schema["properties"]["width"]
    assert (width["exclusiveMinimum"], width["description"]) == (0, "In pixels.")


def test_a_task_without_parameters_has_no_properties() -> None:
    def tick() -> None: ...

    assert signature(tick).args_schema["properties"] == {}


def test_the_schema_is_titled_after_the_task() -> None:
    assert signature(send).args_schema["title"] == "MailSendArgs"


# What is refused at definition, naming the parameter


def refused(function: Callable[..., Any]) -> InvalidTask:
    with pytest.raises(InvalidTask) as caught:
        signature(function)
    return caught.value


def test_star_args_are_refused() -> None:
    def task(*to: str) -> None: ...

    assert str(refused(task)) == (
        "task 'mail.send', parameter 'to': *to has no names to keep arguments by; take a list instead"
    )


def test_star_star_kwargs_are_refused() -> None:
    def task(**more: str) -> None: ...

    assert str(refused(task)) == (
        "task 'mail.send', parameter 'more': **more cannot be typed; take a dict or named parameters instead"
    )


def test_positional_only_parameters_are_refused() -> None:
    def task(to: str, /) -> None: ...

    assert str(refused(task)) == (
        "task 'mail.send', parameter 'to': cannot be given by name; drop the / from the signature"
    )


class Opaque: ...


@pytest.mark.parametrize("hint", [Opaque, list[Opaque], Callable[[], None], 5])
def test_a_hint_that_json_cannot_say_is_refused(hint: Any) -> None:
    def task(fine: int, what) -> None: ...

    task.__annotations__["what"] = hint
    error = refused(task)
    assert error.parameter == "what"
    assert "cannot be typed as JSON" in str(error)


@pytest.mark.parametrize("hint", ["Nowhere", "datetime.nothing", "1 +"])
def test_a_hint_that_cannot_be_read_is_refused(hint: str) -> None:
    def task(what) -> None: ...

    task.__annotations__["what"] = hint
    assert "a type hint cannot be read" in str(refused(task))


@pytest.mark.parametrize("hint", [SecretStr, list[SecretStr], SecretStr | None])
def test_a_secret_of_pydantics_is_refused_since_it_would_be_kept_as_asterisks(hint: Any) -> None:
    def task(password) -> None: ...

    task.__annotations__["password"] = hint
    error = refused(task)
    assert error.parameter == "password"
    assert "write Secret[str] with taskengine's Secret" in str(error)


def test_a_secret_of_pydantics_inside_a_model_is_refused_too() -> None:
    class Login(BaseModel):
        password: SecretStr

    def task(login: Login) -> None: ...

    assert refused(task).parameter == "login"


def test_names_that_are_one_in_camel_case_are_refused() -> None:
    def task(order_id: int, orderId: int) -> None: ...  # noqa: N803 - what the test is about

    assert str(refused(task)) == (
        "task 'mail.send', parameter 'orderId': is the same as 'order_id' where names are written in camelCase"
    )


def test_letters_that_graphql_has_not_are_refused() -> None:
    def task(größe: int) -> None: ...  # noqa: PLC2401 - what the test is about

    assert refused(task).parameter == "größe"


def test_a_default_that_json_cannot_say_is_refused() -> None:
    def task(what: Any = object()) -> None: ...  # noqa: B008 - what the test is about

    error = refused(task)
    assert error.parameter == "what"
    assert "its default cannot be written as JSON" in str(error)


def test_a_result_that_cannot_be_typed_is_no_reason_to_refuse() -> None:
    def task() -> Iterator[Opaque]: ...

    assert signature(task).load_result([1]) == [1]


def test_an_exact_number_is_told_from_one_that_may_also_be_text() -> None:
    def task(price: Decimal, either: float | str): ...

    properties = signature(task).args_schema["properties"]
    assert properties["price"]["anyOf"] == [{"type": "number"}, {"type": "string", "format": "decimal"}]
    assert properties["either"]["anyOf"] == [{"type": "number"}, {"type": "string"}]


# Results


def test_no_result_is_no_text() -> None:
    assert signature(send).dump_result(None) == ""
    assert signature(send).load_result(None) is None


@pytest.mark.parametrize("value", [object(), {"a": {1, object()}}, "caf\udce9"])
def test_a_result_that_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(UnusableResult, match="the result of task 'mail.send' cannot be kept"):
        signature(send).dump_result(value)


def test_without_a_hint_a_result_comes_back_as_json_has_it() -> None:
    def task(): ...

    its = signature(task)
    text = its.dump_result(Point(1, 2))
    assert its.load_result(json.loads(text)) == {"x": 1, "y": 2, "label": ""}
