"""What workers publish of a task, and arguments checked against it without the task's code."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from taskengine.catalogue import MAX_PROBLEMS, check_args, check_size, describe
from taskengine.errors import InvalidInput, InvalidInputs, TooLarge
from taskengine.jobs import StateCounts, TaskInfo
from taskengine.reads import read_task
from taskengine.signatures import Signature


class Line(BaseModel):
    sku: Annotated[str, Field(min_length=1)]
    count: Annotated[int, Field(ge=1, le=99)] = 1


def order(
    lines: Annotated[list[Line], Field(min_length=1, max_length=3)],
    when: datetime | None = None,
    day: date = date(2025, 1, 1),
    kind: Literal["retail", "bulk"] = "retail",
    code: Annotated[str, Field(pattern="^[A-Z]+$")] = "A",
    discount: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    ref: UUID | int | None = None,
    total: Decimal = Decimal(0),
) -> None: ...


INFO = TaskInfo(name="order", args_schema=Signature("order", order).args_schema)
FINE: dict[str, Any] = {"lines": [{"sku": "a"}]}


def check(args: Any, max_bytes: int = 10_000) -> str:
    return check_args(INFO, args, max_bytes=max_bytes)


def problems(args: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        check(args)
    found = caught.value.problems if isinstance(caught.value, InvalidInputs) else (caught.value,)
    return {".".join(problem.path): problem.message for problem in found}


def test_a_description_says_all_that_others_need() -> None:
    info = TaskInfo(
        name="order",
        args_schema={"type": "object"},
        queue="mail",
        priority=7,
        max_attempts=3,
        timeout_seconds=1.5,
        description="Send one.",
    )
    assert read_task("order", json.loads(describe(info)), StateCounts()) == info


def test_arguments_that_fit_are_returned_as_json() -> None:
    assert json.loads(check(FINE)) == FINE


@pytest.mark.parametrize(
    ("argument", "path", "message"),
    [
        ({"lines": "a"}, "args.lines", 'expected array, got "a"'),
        ({"lines": []}, "args.lines", "expected at least 1 items, got []"),
        ({"lines": [{"sku": "a"}] * 4}, "args.lines", "expected at most 3 items"),
        ({"lines": [{"sku": ""}]}, "args.lines.0.sku", 'expected at least 1 characters, got ""'),
        ({"lines": [{"sku": "a", "count": 0}]}, "args.lines.0.count", "expected at least 1, got 0"),
        ({"lines": [{"sku": "a", "count": 100}]}, "args.lines.0.count", "expected at most 99, got 100"),
        ({"lines": [{"sku": "a", "count": 1.5}]}, "args.lines.0.count", "expected integer, got 1.5"),
        ({"lines": [{"count": 1}]}, "args.lines.0.sku", "is required"),
        ({"when": "tomorrow"}, "args.when", 'expected string or null, got "tomorrow"'),
        ({"day": "2025-02-30"}, "args.day", 'expected a date, got "2025-02-30"'),
        ({"kind": "wholesale"}, "args.kind", "expected one of ['retail', 'bulk'], got \"wholesale\""),
        ({"code": "abc"}, "args.code", 'expected text that matches ^[A-Z]+$, got "abc"'),
        ({"discount": 0}, "args.discount", "expected more than 0, got 0"),
        ({"discount": 1}, "args.discount", "expected less than 1, got 1"),
        ({"ref": []}, "args.ref", "expected string or integer or null, got []"),
        ({"discout": 1}, "args.discout", "there is no such parameter"),
    ],
)
def test_what_does_not_fit_says_where_what_was_expected_and_what_came(
    argument: dict[str, Any], path: str, message: str
) -> None:
    found = problems(FINE | argument)
    assert found.keys() == {path}
    assert found[path].startswith(message)


def test_a_missing_argument_is_named() -> None:
    assert problems({}) == {"args.lines": "is required"}


def test_every_missing_argument_is_named() -> None:
    def mail(to: str, subject: str, body: str) -> None: ...

    info = TaskInfo(name="mail", args_schema=Signature("mail", mail).args_schema)
    with pytest.raises(InvalidInputs) as caught:
        check_args(info, {"subject": "Hi"}, max_bytes=1000)
    assert [problem.path for problem in caught.value.problems] == [("args", "to"), ("args", "body")]


def test_every_wrong_argument_is_reported_at_once() -> None:
    assert problems({"kind": 1, "more": 1}).keys() == {"args.lines", "args.kind", "args.more"}


def test_there_is_an_end_to_the_complaints() -> None:
    assert len(problems(FINE | {f"x{number}": 1 for number in range(1000)})) == MAX_PROBLEMS


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(problems(FINE | {"kind": "x" * 9000})["args.kind"]) < 150


@pytest.mark.parametrize("args", [None, 1, "{}", [FINE]])
def test_arguments_are_an_object(args: Any) -> None:
    assert problems(args) == {
        "args": f"expected a JSON object of arguments by name, got {type(args).__name__}",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, "caf\udce9"])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    assert problems(FINE | {"ref": value})["args"].startswith("cannot be written as JSON")


def test_nesting_without_end_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert problems(FINE | {"ref": deep})["args"].startswith("cannot be written as JSON")


class Sum(BaseModel):
    left: "Sum | Product | None" = None
    word: str | None = None


class Product(BaseModel):
    left: "Sum | Product | None" = None
    word: str | None = None


def test_what_is_wrong_deep_in_models_that_hold_each_other_is_found_without_trying_all_ways() -> None:
    def task(term: Sum) -> None: ...

    info = TaskInfo(name="t", args_schema=Signature("t", task).args_schema)
    term: dict[str, Any] = {"word": 7}
    for _ in range(60):  # two ways a level: to try them all would take for ever
        term = {"left": term}
    with pytest.raises(InvalidInputs) as refused:
        check_args(info, {"term": term}, max_bytes=10_000)
    assert [(problem.path, problem.message[:33]) for problem in refused.value.problems] == [
        (("args", "term", "left"), "expected Sum or Product or null, ")
    ]


@pytest.mark.parametrize(("value", "fits"), [(3, True), (5, True), (15, False), ("x", False)])
def test_of_a_one_of_exactly_one_has_to_fit(value: Any, fits: bool) -> None:
    one_of = {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]}
    info = TaskInfo(name="t", args_schema={"type": "object", "properties": {"n": one_of}})
    if fits:
        assert json.loads(check_args(info, {"n": value}, max_bytes=100)) == {"n": value}
    else:
        with pytest.raises(InvalidInputs, match="args.n: "):
            check_args(info, {"n": value}, max_bytes=100)


def test_too_many_bytes_are_refused_with_both_numbers() -> None:
    with pytest.raises(TooLarge, match="args: expected at most 100 bytes of JSON, got 1,0") as caught:
        check(FINE | {"code": "A" * 1000}, max_bytes=100)
    assert caught.value.limit == 100


def test_bytes_are_counted_not_characters() -> None:
    check_size('"éé"', 6)
    with pytest.raises(TooLarge):
        check_size('"éé"', 5)
