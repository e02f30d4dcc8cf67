"""What is secret in arguments, and where an error's path leads."""

from typing import Any

import pytest
from pydantic import BaseModel

from taskengine import Secret
from taskengine.signatures import Signature
from taskengine_dashboard.views.enqueue.schemas import masked, placed, revealed


class Login(BaseModel):
    user: str
    password: Secret[str]


class Sum(BaseModel):
    left: "Sum | Product | None" = None
    word: Secret[str] | None = None


class Product(BaseModel):
    left: "Sum | Product | None" = None


class Card(BaseModel):
    number: str


def pay(
    login: Login,
    logins: list[Login],
    by_name: dict[str, Login],
    pair: tuple[str, Secret[str]],
    how: Login | Card,
    cards: list[Card],
    pin: Secret[int] | None = None,
) -> None: ...


SCHEMA = Signature("pay", pay, redact=("cards.*.number",)).args_schema
LOGIN = {"user": "ada", "password": "hunter2"}
HIDDEN = {"user": "ada", "password": "********"}


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        ({"login": LOGIN}, {"login": HIDDEN}),
        ({"logins": [LOGIN, LOGIN]}, {"logins": [HIDDEN, HIDDEN]}),
        ({"by_name": {"a": LOGIN}}, {"by_name": {"a": HIDDEN}}),
        ({"pair": ["a", "hunter2"]}, {"pair": ["a", "********"]}),
        ({"how": LOGIN}, {"how": HIDDEN}),
        ({"how": {"number": "1"}}, {"how": {"number": "1"}}),
        ({"cards": [{"number": "42"}]}, {"cards": [{"number": "********"}]}),
        ({"pin": 42}, {"pin": "********"}),
        ({"pin": None}, {"pin": None}),
        ("no object", "no object"),
    ],
)
def test_secrets_are_masked_wherever_they_are(args: Any, shown: Any) -> None:
    assert masked(args, SCHEMA) == shown


def test_a_mask_is_again_what_it_was() -> None:
    before = {"logins": [LOGIN], "pin": 42}
    now = {"logins": [{"user": "eve", "password": "********"}], "pin": "********", "login": HIDDEN}
    assert revealed(now, before, SCHEMA) == {
        "logins": [{"user": "eve", "password": "hunter2"}],
        "pin": 42,
        "login": HIDDEN,
    }


def test_a_mask_where_no_secret_is_stays_a_text() -> None:
    assert revealed({"login": {"user": "********"}}, {"login": LOGIN}, SCHEMA) == {"login": {"user": "********"}}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("login", "user"), ("login", "user")),
        (("how", "Card", "number"), ("how", "number")),
        (("pin", "int"), ("pin",)),
        (("logins", "0", "user"), ("logins", "0", "user")),
        (("nobody", "x"), ("nobody", "x")),
    ],
)
def test_the_name_of_a_branch_is_no_step(path: tuple[str, ...], place: tuple[str, ...]) -> None:
    assert placed(path, SCHEMA) == place


def test_models_that_hold_each_other_are_masked_however_deep() -> None:
    def reckon(what: Sum | Product) -> None: ...

    schema = Signature("reckon", reckon).args_schema
    value: dict[str, Any] = {"word": "hunter2"}
    for _ in range(60):
        value = {"left": value}
    shown = str(masked({"what": value}, schema))
    assert "********" in shown
    assert "hunter2" not in shown
