"""One widget for each kind of field that does not consist of others, holding what ``held.py`` says."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import Any

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.views.enqueue.held import EARLIEST, LATEST, PLAINLY
from taskengine_dashboard.views.enqueue.kinds import LARGEST, Field, Kind

_FEW = 4


def draw(field: Field, key: str, default: Any, zone: str) -> Any:
    """Draw a field's widget and return what it holds; ``default`` is what it holds first, ``None`` for nothing."""
    if field.kind is Kind.DATETIME:
        return _datetime(field, key, default, zone)
    return _WIDGETS[field.kind](field, key, default)


def choose_variant(field: Field, variants: Sequence[Field], key: str, first: int | None) -> int | None:
    """Draw the choice which of several fields a union is; return its number."""
    needed = not field.can_be_absent
    names = [variant.label for variant in variants]

    def name_of(number: int) -> str:
        return wording.plain(names[number])

    if len(names) <= _FEW and len("".join(names)) <= 48:
        return st.segmented_control(
            label(field),
            range(len(names)),
            default=0 if needed and first is None else first,
            required=needed,
            format_func=name_of,
            key=key,
            help=field.help,
        )
    return st.selectbox(
        label(field),
        range(len(names)),
        index=0 if needed and first is None else first,
        format_func=names.__getitem__,
        key=key,
        help=field.help,
        placeholder="Choose",
    )


def label(field: Field) -> str:
    """Return what stands over a field, with a star where it must be given."""
    return f"{field.label} *" if field.must_be_given else field.label  # screen readers get this as it is: no Markdown


def _text(field: Field, key: str, default: Any) -> Any:
    value = default or ""
    placeholder = field.example or (None if field.must_be_given or value else ("null" if field.nullable else None))
    if field.long:
        return st.text_area(
            label(field), value, key=key, help=field.help, max_chars=field.max_length, placeholder=placeholder
        )
    types: dict[Kind, Any] = {Kind.EMAIL: "email", Kind.URL: "url"}
    return st.text_input(
        label(field),
        value,
        key=key,
        type=types.get(field.kind, "default"),
        help=field.help,
        max_chars=field.max_length,
        placeholder=placeholder,
        autocomplete="off",
    )


def _secret(field: Field, key: str, default: Any) -> Any:
    plain = field.item in PLAINLY
    return st.text_input(
        label(field) if plain else f"{label(field)} (JSON)",
        default or "",
        key=key,
        type="password",
        help=field.help,
        autocomplete="new-password",
    )


def _digits(field: Field, key: str, default: Any) -> Any:
    return st.text_input(
        label(field), default or "", key=key, help=field.help, placeholder="A whole number", autocomplete="off"
    )


def _integer(field: Field, key: str, default: Any) -> Any:
    def bound(value: float | None) -> int | None:
        return None if value is None else int(max(-LARGEST, min(LARGEST, value)))

    draw: Any = st.number_input  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its type follows a value of any
    return draw(
        label(field),
        value=default,
        min_value=bound(field.minimum),
        max_value=bound(field.maximum),
        step=1,
        key=key,
        help=field.help,
        placeholder=_empty_number(field),
    )


def _number(field: Field, key: str, default: Any) -> Any:
    def real(value: float | None) -> float | None:
        return None if value is None else float(value)

    draw: Any = st.number_input  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its type follows a value of any
    return draw(
        label(field),
        value=default,
        min_value=real(field.minimum),
        max_value=real(field.maximum),
        format="%g",
        step=0.1,
        key=key,
        help=field.help,
        placeholder=_empty_number(field),
    )


def _empty_number(field: Field) -> str | None:
    return None if field.must_be_given else "null" if field.nullable else "not given"


def _boolean(field: Field, key: str, default: Any) -> Any:
    if not field.can_be_absent:
        return st.toggle(field.label, value=bool(default), key=key, help=field.help)
    return st.segmented_control(
        field.label,
        (True, False),
        default=default,
        format_func=lambda yes: "Yes" if yes else "No",
        key=key,
        help=field.help,
    )


def _choice(field: Field, key: str, default: Any) -> Any:
    if len(field.choices) <= _FEW and len("".join(map(str, field.choices))) <= 48:
        return st.segmented_control(
            label(field),
            field.choices,
            default=default,
            required=not field.nullable,
            format_func=lambda value: wording.plain(str(value)),
            key=key,
            help=field.help,
        )
    return st.selectbox(
        label(field),
        field.choices,
        index=field.choices.index(default) if default is not None else None,
        format_func=str,
        key=key,
        help=field.help,
        placeholder="Choose",
    )


def _choices(field: Field, key: str, default: Any) -> Any:
    return st.pills(
        label(field),
        field.choices,
        selection_mode="multi",
        default=default,
        format_func=str,
        key=key,
        help=field.help,
    )


def _list(field: Field, key: str, default: Any) -> Any:
    given: list[str] = default or []
    if field.item in {Kind.INTEGER, Kind.NUMBER} and not field.unique:
        text = st.text_input(
            label(field), ", ".join(given), key=key, help=field.help, placeholder="1, 2, 3", autocomplete="off"
        )
        return [part for part in re.split(r"[,;\s]+", text or "") if part]
    return st.multiselect(
        label(field),
        given,
        default=given,
        accept_new_options=True,
        key=key,
        help=field.help,
        placeholder="Type one and press Enter",
    )


def _date(field: Field, key: str, default: Any) -> Any:
    draw: Any = st.date_input  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its type follows a value of any
    return draw(
        label(field),
        value=default,
        min_value=EARLIEST,
        max_value=LATEST,
        format="YYYY-MM-DD",
        key=key,
        help=field.help,
    )


def _time(field: Field, key: str, default: Any) -> Any:
    return st.time_input(label(field), value=default, step=60, key=key, help=field.help)


def _datetime(field: Field, key: str, default: Any, zone: str) -> Any:
    return st.datetime_input(
        f"{label(field)} ({zone})",
        value=default,
        min_value=datetime.combine(EARLIEST, time.min),
        max_value=datetime.combine(LATEST, time.max),
        format="YYYY-MM-DD",
        step=60,
        key=key,
        help=field.help,
    )


def _json(field: Field, key: str, default: Any) -> Any:
    return st.text_area(
        f"{label(field)} (JSON)", default or "", key=key, help=field.help, placeholder="Any JSON value", height=96
    )


_WIDGETS: dict[Kind, Callable[[Field, str, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _secret,
    Kind.DIGITS: _digits,
    Kind.EMAIL: _text,
    Kind.URL: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.LIST: _list,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.JSON: _json,
}
