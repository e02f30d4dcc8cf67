"""Values of secrets are found in words however they are written there, and nothing else is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from taskengine.masks import Mask, leaves, secrets_of
from taskengine.secrets import MARKER, Secret

TEXTS = st.text(min_size=4, max_size=12).filter(lambda text: text.strip() == text)
WORDS: list[Callable[[str], str]] = [
    str,
    repr,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(repr(text)),
    lambda text: repr({"a": [repr(text)]}),
    lambda text: repr(f"both ' and \" beside {text}"),
    lambda text: repr(text.encode()),
    lambda text: quote(text, safe=""),
    lambda text: urlencode({"q": text}),
    lambda text: str(KeyError(text)),
]


@given(TEXTS, st.sampled_from(WORDS))
@example(text="000Ã", write=lambda text: repr(text.encode()))
def test_a_text_is_found_however_it_is_quoted(text: str, write: Callable[[str], str]) -> None:
    words = write(text)
    masked = Mask([text])(f"before {words} after")
    assert MARKER in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert len(masked.replace(MARKER, "")) <= len(f"before {write('')} after") + 2


@pytest.mark.parametrize(
    "text", ["\\" * 40 + "a", "\\'" * 40 + "a", "\\\n" * 40 + "a", "é\\" * 40 + "a", "'" * 40 + "a"]
)
def test_a_text_of_backslashes_that_is_not_there_is_soon_not_found(text: str) -> None:
    almost = [repr(text[:-1]) + "a b", repr(text)[:-2] + "b", "\\" * 2_000 + "'a b"]
    assert [Mask([text])(words) for words in almost] == almost


@pytest.mark.parametrize(
    ("value", "words", "masked"),
    [
        (1234, "pin 1234, not 12345 nor 91234 nor 1234.5", f"pin {MARKER}, not 12345 nor 91234 nor 1234.5"),
        (1234, "it was 1234.", f"it was {MARKER}."),
        (12.75, "12.75 of 112.75", f"{MARKER} of 112.75"),
        ("abc", "abc is too short to be looked for", "abc is too short to be looked for"),
        ("secret", "a secretary has a secret", f"a {MARKER}ary has a {MARKER}"),
        (["four", {"k": "five5"}], "four five5 k", f"{MARKER} {MARKER} k"),
        (True, "True", "True"),
        (None, "None", "None"),
        ("-----BEGIN-----\nabcdefgh\n", "line: abcdefgh", f"line: {MARKER}"),
        (["long-secret", "long-secret-er"], "long-secret-er", MARKER),
    ],
)
def test_what_is_found_and_what_is_not(value: Any, words: str, masked: str) -> None:
    assert Mask([value])(words) == masked


def test_in_json_of_any_shape() -> None:
    mask = Mask(["hunter2", 4711])
    value = {"a hunter2": ["hunter2", 4711, 4712, {"b": None, "c": True}]}
    assert mask.plain(value) == {f"a {MARKER}": [MARKER, MARKER, 4712, {"b": None, "c": True}]}


def test_a_mask_of_nothing_changes_nothing() -> None:
    assert Mask([])("anything") == "anything"
    assert Mask(["", None, "x"])("x") == "x"


@pytest.mark.parametrize("write", [str, repr, json.dumps, lambda text: json.dumps({"a": text}, ensure_ascii=False)])
def test_a_very_long_text_is_found_too(write: Callable[[str], str]) -> None:
    text = "'quoted' \"twice\" ö\\\n" * 5_000
    masked = Mask([text])(f"before {write(text)} after")
    assert MARKER in masked
    assert len(masked) < 50


@dataclass(slots=True)
class Login:
    password: Secret[str]
    tries: int = 7


class Account(BaseModel):
    login: Login
    codes: tuple[bytes, ...] = (b"code",)


def test_leaves_of_what_a_task_is_given() -> None:
    account = Account(login=Login(Secret("hunter2")))
    assert list(leaves({"account": [account]})) == ["hunter2", 7, "code"]
    assert list(secrets_of({"account": [account], "more": (Secret(1),)})) == [Secret("hunter2"), Secret(1)]
