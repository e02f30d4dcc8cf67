"""What a token says of its end."""

import base64
import json

import pytest

from taskengine_dashboard.tokens import claims_of, ends_at, renew_at


def token(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{middle}.signature"


@pytest.mark.parametrize("text", ["", "te_key", "a.b.c", "..", "a.é.c", "a.W10.c", "a.bnVsbA.c"])
def test_what_is_no_token_says_nothing(text: str) -> None:
    assert claims_of(text) == {}
    assert ends_at(text) is None
    assert renew_at(text) == 0.0


@pytest.mark.parametrize("ends", [None, "soon", [1]])
def test_an_end_that_is_no_number_is_none(ends: object) -> None:
    assert ends_at(token(exp=ends)) is None


@pytest.mark.parametrize(
    ("claims", "at"),
    [
        ({"exp": 4_600, "iat": 1_000}, 4_540),  # a minute before
        ({"exp": 1_090, "iat": 1_000}, 1_060),  # what lasts for a short time: a third of it before
        ({"exp": 4_600}, 4_540),
        ({"exp": 1_000, "iat": 2_000}, 1_000),  # it ended before it began
    ],
)
def test_a_token_is_renewed_before_it_ends(claims: dict[str, object], at: float) -> None:
    assert renew_at(token(**claims)) == at
