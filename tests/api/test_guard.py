"""What one document may ask for, and that finding out costs next to nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from support.api import Api
from support.attacks import doubling
from taskengine_api.documents import Documents
from taskengine_api.guard import Limits, Measure, excess, measure

LIMITS = Limits()


MAX_CALLS = 40_000
"""Calls of Python functions that refusing a document may take: some tens of milliseconds, on any machine."""


@contextmanager
def little_work() -> Iterator[None]:
    """Count what this thread calls inside the block, which other load cannot change, and fail when it is much."""
    calls = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert calls < MAX_CALLS


def test_fields_are_counted_through_fragments() -> None:
    document = parse("{ ...a ...a } fragment a on Query { counts { queued } counts { ...b } } fragment b on X { c d }")
    assert measure(document) == Measure(depth=2, fields=10)


def test_aliases_and_directives_are_counted_through_fragments() -> None:
    document = parse("query @x { ...a @skip(if: true) ...a } fragment a on Query { b: c @skip(if: true) { d } }")
    assert measure(document) == Measure(depth=2, fields=4, aliases=2, directives=4)


def test_each_operation_is_measured_by_itself() -> None:
    assert measure(parse("query A { a } query B { b { c } }")) == Measure(depth=2, fields=2)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{ a " * 16 + "}" * 16, "nests 16 deep; at most 15"),
        ("{" + "a b c d e " * 201 + "}", "asks for 1,005 fields; at most 1,000"),
        ("{" + " ".join(f"x{n}: a" for n in range(51)) + "}", "asks for 51 aliases; at most 50"),
        ("{ a " + "@include(if: true) " * 51 + "}", "asks for 51 directives; at most 50"),
        (doubling(60), "more than a thousand million fields"),
        ("{" + "a " * 46 + "}", "the same fields over and over"),
        ("{" + ("a {" + "b " * 10 + "}") * 5 + "}", "the same fields over and over"),
        ("{ ...f ...g }" + "".join(f" fragment {n} on X {{ a {{" + "b " * 30 + "} }" for n in "fg"), "the same fields"),
    ],
    ids=["depth", "fields", "aliases", "directives", "bomb", "repeated", "repeated below", "repeated in fragments"],
)
def test_what_is_past_a_limit_says_which_and_how_much(document: str, words: str) -> None:
    error = excess(parse(document), LIMITS)
    assert error is not None
    assert words in error.message
    assert error.extensions == {"code": "QUERY_TOO_COMPLEX"}


def test_what_every_client_asks_first_is_within_the_limits() -> None:
    query = get_introspection_query(descriptions=True, specified_by_url=True, input_value_deprecation=True)
    assert excess(parse(query), LIMITS) is None


async def test_a_document_that_would_be_compared_with_itself_for_long_is_refused_at_once(api: Api) -> None:
    with little_work():
        error = await api.error("{" + ("jobs { nodes {" + "id " * 30 + "} }") * 20 + "}")
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_fragments_that_double_each_other_are_refused_at_once(api: Api) -> None:
    with little_work():
        error = await api.error(doubling(100))
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_a_document_with_too_many_words_is_not_read_to_its_end(api: Api) -> None:
    error = await api.error("{" + "a " * 30_000 + "}")
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert "2000 tokens" in error["message"]


async def test_the_schema_is_not_told_over_and_over(api: Api) -> None:
    error = await api.error("{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(4)) + "}")
    assert error["message"] == "the document asks for the schema over and over; at most 3 times are allowed"
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}


async def test_fragments_that_nobody_uses_are_refused_unread(api: Api) -> None:
    with little_work():
        error = await api.error("{ counts { queued } } fragment a on Query {" + "counts { queued } " * 300 + "}")
    assert error["message"] == "fragment 'a' is never used"


async def test_fragments_in_circles_are_refused_whatever_they_hold(api: Api) -> None:
    fields = "".join(f"f{n} {{ ...a }} " for n in range(50))
    with little_work():
        error = await api.error(f"{{ ...a }} fragment a on Query {{ {fields} }}")
    assert error["message"] == "fragment 'a' spreads itself"


@pytest.mark.parametrize(
    "document",
    [
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ ...nowhere }",
        "{ ...a }" + "".join(f" fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(240)),
    ],
    ids=["itself", "circle", "unknown", "chain"],
)
async def test_fragments_that_lead_nowhere_are_refused_in_words(api: Api, document: str) -> None:
    for error in (await api.answer(document))["errors"]:
        assert error["extensions"]["code"] in {"BAD_REQUEST", "QUERY_TOO_COMPLEX"}


async def test_several_operations_need_a_name(api: Api) -> None:
    document = "query A { counts { queued } } query B { counts { running } }"
    assert "operationName" in (await api.error(document))["message"]
    assert (await api.answer(document, "B"))["data"] == {"counts": {"running": 0}}


async def test_the_name_of_an_operation_that_is_not_there_is_refused(api: Api) -> None:
    answer = await api.answer("query A { counts { queued } }", "B")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_documents_are_kept_by_the_length_of_their_text() -> None:
    documents = Documents(max_chars=25)
    for text in ("{ aaaaaa }", "{ bbbbbb }", "{ cccccc }"):
        documents.keep(text, parse(text))
    assert documents.get("{ aaaaaa }") is None
    assert documents.get("{ bbbbbb }") is not None


def test_a_document_that_was_asked_for_again_stays_longer() -> None:
    documents = Documents(max_chars=25)
    documents.keep("{ aaaaaa }", parse("{ a }"))
    documents.keep("{ bbbbbb }", parse("{ b }"))
    documents.get("{ aaaaaa }")
    documents.keep("{ cccccc }", parse("{ c }"))
    assert documents.get("{ aaaaaa }") is not None
    assert documents.get("{ bbbbbb }") is None


async def test_a_document_is_validated_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    from taskengine_api import guard

    real = guard.validate
    monkeypatch.setattr(guard, "validate", lambda *args, **named: calls.append(args) or real(*args, **named))
    for _ in range(3):
        await api.data("{ counts { scheduled } }")
        await api.error("{ counts { nothing } }")
    assert len(calls) == 2
