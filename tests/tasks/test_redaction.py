"""Which parts of arguments are secret, and how they are kept apart and put together again."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, field_validator

from taskengine import redaction
from taskengine.encryption import Keyring
from taskengine.errors import InvalidInput, InvalidTask, UnreadableSecret
from taskengine.redaction import Before, Redaction, dotted, fingerprints, joined, opened, redacted_in
from taskengine.secrets import MARKER, Secret
from taskengine.signatures import Signature

KEY, OTHER = "A" * 43 + "=", "b" * 42 + "A="
PLAIN, LOCKED = Keyring(), Keyring([KEY])


NOTHING: Secret[int | None] = Secret(None)


class Card(BaseModel):
    number: str
    holder: str = "Ada"


class Safe(BaseModel):
    pin: Secret[int]
    inner: list["Safe"] = []


def signature(function: Any, *redact: str) -> Signature:
    return Signature("login", function, redact=redact)


def shown(of: Signature, **arguments: Any) -> Any:
    return json.loads(of.part(of.dump((), arguments), PLAIN).shown)


def a_login(user: str, password: Secret[str]) -> None: ...


def a_payment(card: Card, cards: list[Card] = [], headers: dict[str, str] = {}) -> None: ...  # noqa: B006


# What a hint says


def test_a_secret_is_shown_as_asterisks_of_one_length() -> None:
    assert shown(signature(a_login), user="ada", password="x") == {"user": "ada", "password": MARKER}
    assert shown(signature(a_login), user="ada", password=Secret("x" * 100))["password"] == MARKER


def test_the_task_gets_the_value_inside() -> None:
    of = signature(a_login)
    text = of.dump(("ada",), {"password": "hunter2"})
    password = of.load(joined(*of.part(text, PLAIN), PLAIN))["password"]
    assert password == Secret("hunter2")
    assert password.reveal() == "hunter2"
    assert f"{password} {password!r}" == f"{MARKER} {MARKER}"


def test_a_secret_prints_as_asterisks_inside_a_model_and_its_json() -> None:
    safe = Safe(pin=Secret(1234))
    assert repr(safe) == f"Safe(pin={MARKER}, inner=[])"
    assert safe.model_dump_json() == f'{{"pin":"{MARKER}","inner":[]}}'


def test_secrets_are_found_as_deep_as_a_model_holds_itself() -> None:
    def task(safe: Safe) -> None: ...

    args = {"pin": 1, "inner": [{"pin": 2}, {"pin": 3, "inner": [{"pin": 4}]}]}
    of = signature(task)
    parted = of.part(of.dump((args,), {}), PLAIN)
    assert redacted_in(parted.secrets) == (
        "safe.inner.0.pin",
        "safe.inner.1.inner.0.pin",
        "safe.inner.1.pin",
        "safe.pin",
    )
    assert [value for _, value in opened(parted.secrets, PLAIN)] == [2, 4, 3, 1]
    assert not set("1234") & set(parted.shown.replace(MARKER, ""))


class Sum(BaseModel):
    left: "Sum | Product | None" = None
    word: Secret[str] | None = None


class Product(BaseModel):
    left: "Sum | Product | None" = None
    word: Secret[str] | None = None


def test_models_that_hold_each_other_are_walked_once_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    def task(term: Sum) -> None: ...

    term: dict[str, Any] = {"word": "hunter2"}
    for _ in range(60):
        term = {"left": term}
    looks = 0

    def counted(node: Any, name: Any, really: Any = redaction._children) -> Any:
        nonlocal looks
        looks += 1
        return really(node, name)

    monkeypatch.setattr(redaction, "_children", counted)
    of = signature(task).redaction
    assert [len(place) for place in of.places({"term": term})] == [62]
    assert of.cut(["term", *["left"] * 60, "word", "0"]) == ("term", *["left"] * 60, "word")
    assert looks < 60 * 20


def test_a_model_may_be_a_secret_as_a_whole() -> None:
    def task(card: Secret[Card], other: Card) -> None: ...

    of = signature(task)
    card = Card(number="4111")
    assert shown(of, card=card, other=card) == {"card": MARKER, "other": {"number": "4111", "holder": "Ada"}}
    assert of.load(of.dump((card, card), {}))["card"].reveal() == card


def test_no_secret_given_is_no_secret() -> None:
    def task(password: Secret[str] | None = None, pin: Secret[int | None] = NOTHING) -> None: ...

    assert shown(signature(task)) == {}
    assert shown(signature(task), password=None, pin=None) == {"password": None, "pin": MARKER}


def test_the_schema_marks_secrets_for_forms_and_tells_no_default() -> None:
    class Settings(BaseModel):
        token: Secret[str] = Secret("from-the-code")

    def task(
        password: Secret[str] = Secret("hunter2"),  # noqa: B008
        settings: Settings = Settings(token=Secret("also-secret")),  # noqa: B008
        card: Secret[Card] = Secret(Card(number="4111")),  # noqa: B008
        plain: str = "default-secret",
    ) -> None: ...

    schema = signature(task, "plain").args_schema
    assert schema["properties"]["password"] == {
        "title": "Password",
        "type": "string",
        "format": "password",
        "writeOnly": True,
    }
    assert schema["properties"]["card"]["writeOnly"]
    assert schema["properties"]["plain"]["format"] == "password"
    text = json.dumps(schema)
    assert [
        said for said in ("hunter2", "also-secret", "4111", "from-the-code", "default-secret") if said in text
    ] == []


def test_asterisks_are_not_taken_for_a_secret() -> None:
    of = signature(a_login)
    with pytest.raises(InvalidInput, match=r"args.password: \*+ stands for a secret that is not shown"):
        of.part(of.dump(("ada", MARKER), {}), PLAIN)


class Limited(BaseModel):
    pin: Secret[int] = Field(gt=999)


@pytest.mark.parametrize(
    "hint",
    [
        Annotated[Secret[str], Field(min_length=8)],
        Annotated[Secret[str] | None, Field(max_length=8)],
        list[Annotated[Secret[str], Field(pattern="^a")]],
        dict[str, Limited],
    ],
)
def test_a_limit_outside_a_secret_is_refused_where_the_task_is_defined(hint: Any) -> None:
    def task(password) -> None: ...

    task.__annotations__["password"] = hint
    with pytest.raises(InvalidTask, match="a limit of a secret stands inside it, as in Secret"):
        signature(task)


def test_a_limit_inside_holds_and_a_validator_of_the_users_gets_the_secret() -> None:
    def even(pin: Secret[int]) -> Secret[int]:
        assert pin.reveal() % 2 == 0
        return pin

    def task(
        password: Secret[Annotated[str, Field(min_length=8)]], pin: Annotated[Secret[int], AfterValidator(even)]
    ) -> None: ...

    of = signature(task)
    assert of.load(of.dump(("long enough", 2), {}))["pin"].reveal() == 2
    with pytest.raises(InvalidInput) as caught:
        of.dump(("short", 3), {})
    problem = "args.password: string should have at least 8 characters; args.pin: is refused by its validator"
    assert str(caught.value) == problem


# What `redact` names


def test_a_path_leads_through_models_lists_and_dicts() -> None:
    of = signature(a_payment, "card.number", "cards.*.number", "headers.Authorization")
    cards = [{"number": "4222"}, {"number": "4333"}]
    headers = {"Authorization": "Bearer x", "Accept": "*/*"}
    assert shown(of, card={"number": "4111"}, cards=cards, headers=headers) == {
        "card": {"number": MARKER, "holder": "Ada"},
        "cards": [{"number": MARKER, "holder": "Ada"}] * 2,
        "headers": {"Authorization": MARKER, "Accept": "*/*"},
    }


def test_what_is_named_plainly_comes_to_the_task_plainly() -> None:
    def task(password: str) -> None: ...

    of = signature(task, "password")
    assert of.load(joined(*of.part(of.dump(("hunter2",), {}), LOCKED), LOCKED)) == {"password": "hunter2"}


def test_a_path_inside_what_any_json_may_be_is_taken() -> None:
    def task(payload: Any, more: dict[str, Any], rows: list[Any]) -> None: ...

    of = signature(task, "payload.a.0.b", "more.*.token", "rows.*.x")
    args = {"payload": {"a": [{"b": 1}]}, "more": {"k": {"token": 2}}, "rows": [{"x": 3}, 4]}
    assert shown(of, **args) == {
        "payload": {"a": [{"b": MARKER}]},
        "more": {"k": {"token": MARKER}},
        "rows": [{"x": MARKER}, 4],
    }


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("crad.number", "redact: 'crad.number' leads nowhere, there is no 'crad' of the task; did you mean 'card'?"),
        (
            "card.nubmer",
            "redact: 'card.nubmer' leads nowhere, there is no 'nubmer' of 'card'; did you mean 'card.number'?",
        ),
        (
            "cards.number",
            "redact: 'cards.number' leads nowhere, there is no 'number' of 'cards'; write * for the items of a list",
        ),
        ("card.number.x", "redact: 'card.number.x' leads nowhere, there is no 'x' of 'card.number'"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_where_the_task_is_defined(path: str, problem: str) -> None:
    with pytest.raises(InvalidTask) as caught:
        signature(a_payment, path)
    assert str(caught.value) == f"task 'login': {problem}"


def test_a_field_is_named_as_json_has_it() -> None:
    class Token(BaseModel):
        value: str = Field(alias="accessToken")

    def task(token: Token) -> None: ...

    assert shown(signature(task, "token.accessToken"), token={"accessToken": "x"}) == {"token": {"accessToken": MARKER}}


# What is kept


def test_with_a_key_nothing_of_a_value_is_kept_readable() -> None:
    of = signature(a_login)
    parted = of.part(of.dump(("ada", "hunter2"), {}), LOCKED)
    assert "hunter2" not in "".join(parted)
    assert redacted_in(parted.secrets) == ("password",)
    assert json.loads(joined(*parted, LOCKED)) == {"user": "ada", "password": "hunter2"}


def test_a_key_behind_another_still_opens_and_the_first_one_seals() -> None:
    of = signature(a_login)
    text = of.dump(("ada", "hunter2"), {})
    old = of.part(text, LOCKED)
    rotated = Keyring([OTHER, KEY])
    assert joined(*old, rotated) == text
    assert joined(*of.part(text, rotated), Keyring([OTHER])) == text


@pytest.mark.parametrize(
    ("keyring", "problem"),
    [
        (
            PLAIN,
            "the secret argument 'password' cannot be read: it is encrypted, and TASKENGINE_ENCRYPTION_KEY is not set",
        ),
        (
            Keyring([OTHER]),
            "none of the keys in TASKENGINE_ENCRYPTION_KEY opens it; a key that is replaced stays behind",
        ),
    ],
)
def test_without_the_key_the_setting_is_named(keyring: Keyring, problem: str) -> None:
    of = signature(a_login)
    parted = of.part(of.dump(("ada", "hunter2"), {}), LOCKED)
    with pytest.raises(UnreadableSecret) as caught:
        joined(*parted, keyring)
    assert problem in str(caught.value)


def test_secrets_that_are_sealed_twice_have_one_fingerprint() -> None:
    of = signature(a_login)
    one, two = (of.part(of.dump(("ada", "hunter2"), {}), LOCKED).secrets for _ in range(2))
    other = of.part(of.dump(("ada", "hunter3"), {}), LOCKED).secrets
    assert one != two
    assert fingerprints(one, LOCKED) == fingerprints(two, LOCKED) != fingerprints(other, LOCKED)


# What came before


def a_job_before(**arguments: Any) -> tuple[Signature, Before]:
    of = signature(a_payment, "card.number", "cards.*.number")
    parted = of.part(of.dump((), arguments), LOCKED)
    return of, Before(json.loads(parted.shown), parted.secrets)


def test_asterisks_in_changed_arguments_are_the_secret_as_before_also_without_the_key() -> None:
    of, before = a_job_before(card={"number": "4111"})
    parted = of.redaction.part(json.dumps({"card": {"number": MARKER, "holder": "Bob"}}), PLAIN, before)
    assert json.loads(joined(*parted, LOCKED)) == {"card": {"number": "4111", "holder": "Bob"}}


def test_asterisks_in_a_list_of_another_length_are_refused() -> None:
    of, before = a_job_before(card={"number": "4111"}, cards=[{"number": "4222"}, {"number": "4333"}])
    args = json.dumps({"card": {"number": MARKER}, "cards": [{"number": MARKER}]})
    with pytest.raises(InvalidInput, match=r"args.cards.0.number: \*+ stands for a secret"):
        of.redaction.part(args, LOCKED, before)


# Complaints


class Strict(BaseModel):
    number: Secret[str]

    @field_validator("number")
    @classmethod
    def _of_digits(cls, number: Secret[str]) -> Secret[str]:
        if not number.reveal().isdecimal():
            raise ValueError(f"{number.reveal()} has letters")
        return number


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"password": 12345678}, "args.password: input should be a valid string"),
        ({"strict": {"number": "hunter2"}}, f"args.strict.number: value error, {MARKER} has letters"),
        ({"strict": {"number": "x"}}, "args.strict.number: is refused by its validator"),
        ({"whole": {"hunter2": "hunter2"}}, "args.whole: is required; args.whole: extra inputs are not permitted"),
        ({"plain": ["hunter2"]}, "args.plain: input should be a valid string"),
    ],
)
def test_complaints_do_not_tell_the_value(arguments: dict[str, Any], problem: str) -> None:
    class Whole(BaseModel, extra="forbid"):
        x: int

    def task(
        password: Secret[str] = Secret(""),  # noqa: B008
        strict: Strict | None = None,
        whole: Secret[Whole] | None = None,
        plain: str = "",
    ) -> None: ...

    with pytest.raises(InvalidInput) as caught:
        signature(task, "plain").dump((), arguments)
    assert str(caught.value) == problem


# Any shape

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.integers() | st.text(max_size=5) | st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
ARGS = st.dictionaries(NAMES, VALUES, max_size=3)
PATHS = st.lists(st.lists(NAMES | st.sampled_from(["*", "0", "1"]), min_size=1, max_size=4).map(".".join), max_size=4)


def at(args: Any, place: tuple[str | int, ...]) -> Any:
    for name in place:
        args = args[name]
    return args


@given(ARGS, PATHS)
def test_what_is_parted_is_joined_as_it_was(args: dict[str, Any], paths: list[str]) -> None:
    redaction = Redaction({"properties": {"a": {}, "b": {}, "c": {}}, "redact": paths})
    parted = redaction.part(json.dumps(args), PLAIN)
    assert json.loads(joined(*parted, PLAIN)) == args
    places = redaction.places(args)
    assert redacted_in(parted.secrets) == tuple(map(dotted, places))
    assert all(at(json.loads(parted.shown), place) == MARKER for place in places)
    for path in paths:
        fitting = [place for place in all_places(args) if fits(path.split("."), place)]
        assert all(any(place[: len(p)] == p for p in places) for place in fitting)


def all_places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] * bool(place) + [each for name, part in parts for each in all_places(part, (*place, name))]


def fits(path: list[str], place: tuple[str | int, ...]) -> bool:
    return len(path) == len(place) and all(one in ("*", str(name)) for one, name in zip(path, place, strict=True))


Place = tuple[str | int, ...]


@st.composite
def a_marked_value(draw: st.DrawFn, defs: dict[str, Any], depth: int = 0) -> tuple[dict[str, Any], Any, list[Place]]:
    """Return a schema with secrets here and there, a value that it describes, and where its secrets are."""
    kind = draw(st.sampled_from(["plain", "secret"] if depth == 3 else ["plain", "secret", "object", "list", "dict"]))
    schema: dict[str, Any] = {"type": "integer"}
    value: Any = draw(st.integers())
    places: list[Place] = []
    if kind == "secret":
        schema, value, places = {"writeOnly": True}, draw(VALUES), [()]
    elif kind == "object":
        parts = {name: draw(a_marked_value(defs, depth + 1)) for name in draw(st.sets(NAMES))}
        schema = {"type": "object", "properties": {name: part[0] for name, part in parts.items()}}
        value = {name: part[1] for name, part in parts.items()}
        places = [(name, *place) for name, part in parts.items() for place in part[2]]
    elif kind != "plain":
        part = draw(a_marked_value(defs, depth + 1))
        names: list[str | int] = list(range(2)) if kind == "list" else ["x", "y"]
        schema = {"type": "array", "items": part[0]} if kind == "list" else {"additionalProperties": part[0]}
        value = [part[1]] * 2 if kind == "list" else dict.fromkeys(names, part[1])
        places = [(name, *place) for name in names for place in part[2]]
    wrapped = draw(st.sampled_from(["as it is", "by reference", "or null"]))
    if wrapped == "by reference":
        name = f"D{len(defs)}"
        defs[name] = schema
        return {"$ref": f"#/$defs/{name}"}, value, places
    if wrapped == "or null":
        schema = {"anyOf": [schema, {"type": "null"}]}
        return (schema, None, []) if value is None or draw(st.booleans()) else (schema, value, places)
    return schema, value, places


@given(st.data())
def test_what_a_schema_marks_is_found_through_references_unions_lists_and_dicts(data: st.DataObject) -> None:
    defs: dict[str, Any] = {}
    schema, value, places = data.draw(a_marked_value(defs))
    redaction = Redaction({"$defs": defs, "properties": {"p": schema}})
    assert sorted(map(dotted, redaction.places({"p": value}))) == sorted(dotted(("p", *place)) for place in places)
    parted = redaction.part(json.dumps({"p": value}), LOCKED)
    assert json.loads(joined(*parted, LOCKED)) == {"p": value}
    if places:
        assert redaction.parameters == {"p"}
