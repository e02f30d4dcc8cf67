"""Draws the fields of ``forms.py`` with Streamlit's widgets and gives back what they hold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from itertools import count
from typing import Any, TypeVar

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.views.enqueue.forms import UNSET, Field, Kind, Path, Problem

Parsed = TypeVar("Parsed")

_LARGEST = 2**53 - 1
"""Browsers know no larger whole number."""
_FEW = 4
_next_row = count(1)


class Form:
    """One drawing of a form. ``problems`` are told under the fields that they are about."""

    def __init__(self, scope: str, problems: Sequence[Problem]) -> None:
        self._scope = scope
        self._problems = problems
        self.known: list[Path] = []
        """The paths that have a place for problems, as far as they are drawn."""

    def draw(
        self,
        fields: Iterable[Field],
        at: Path = (),
        given: Mapping[str, Any] | None = None,
        *,
        keys: Path | None = None,
    ) -> dict[str, Any]:
        """Draw fields and return what their widgets hold. ``given`` are values that come before the defaults.

        Widgets are named by ``keys``, which is the path but in a list, where numbers change.
        """
        names = at if keys is None else keys
        return {f.name: self._field(f, (*at, f.name), (*names, f.name), given or {}) for f in fields}

    def complain(self, path: Path) -> None:
        """Tell what is wrong with a field that is drawn, and with what it holds and was not drawn apart."""
        within = [known for known in self.known if known[: len(path)] == path]
        self.known.append(path)
        for problem in self._problems:
            if problem.path[: len(path)] == path and not any(problem.path[: len(k)] == k for k in within):
                within_it = ".".join(problem.path[len(path) :])
                message = f"{within_it}: {problem.message}" if within_it else problem.message
                st.markdown(f":small[:red[:material/error: {wording.plain(message)}]]")

    def _field(self, field: Field, path: Path, keys: Path, given: Mapping[str, Any]) -> Any:
        default = given.get(field.name, field.default)
        with st.container(gap="xxsmall"):
            match field.kind:
                case Kind.GROUP:
                    value = self._group(field, path, keys, default)
                case Kind.ROWS:
                    value = self._rows(field, path, keys, default)
                case _:
                    value = _WIDGETS[field.kind](field, self._key(keys), None if default is UNSET else default)
            self.complain(path)
        return value

    def _group(self, field: Field, path: Path, keys: Path, default: Any) -> dict[str, Any] | None:
        given = default if is_object(default) else None
        with st.container(border=True, gap="small"):
            if not field.can_be_absent:
                st.markdown(f"**{field.label}**", help=field.help)
            elif not st.toggle(f"**{field.label}**", value=given is not None, key=self._key(keys), help=field.help):
                return None
            return self.draw(field.fields, path, given, keys=keys)

    def _rows(self, field: Field, path: Path, keys: Path, default: Any) -> list[dict[str, Any]]:
        key = self._key(keys)
        # A row is known by a number of its own: removing one must not shift what the others hold.
        if key not in st.session_state:
            st.session_state[key] = [(next(_next_row), row) for row in (default if is_list(default) else ())]
        rows: list[tuple[int, Any]] = st.session_state[key]
        values: list[dict[str, Any]] = []
        st.markdown(f":small[{_label(field)}]", help=field.help)
        for index, (row, given) in enumerate(rows):
            with st.container(border=True, gap="small"):
                values.append(self.draw(field.fields, (*path, str(index)), given, keys=(*keys, str(row))))
                st.button(
                    "Remove",
                    key=f"{key}-{row}-remove",
                    type="tertiary",
                    icon=":material/delete:",
                    on_click=_remove,
                    args=(key, row),
                )
        st.button(f"Add to {field.label.lower()}", key=f"{key}-add", icon=":material/add:", on_click=_add, args=(key,))
        return values

    def _key(self, keys: Path) -> str:
        return "-".join((self._scope, *keys))


def _add(key: str) -> None:
    st.session_state[key] = [*st.session_state[key], (next(_next_row), {})]


def _remove(key: str, row: int) -> None:
    st.session_state[key] = [kept for kept in st.session_state[key] if kept[0] != row]


def _label(field: Field) -> str:
    return f"{field.label} *" if field.must_be_given else field.label  # screen readers get this as it is: no Markdown


def _text(field: Field, key: str, default: Any) -> Any:
    value = "" if default is None else str(default)
    placeholder = None if field.must_be_given or value else ("null" if field.nullable else None)
    if field.long:
        return st.text_area(
            _label(field), value, key=key, help=field.help, max_chars=field.max_length, placeholder=placeholder
        )
    types: dict[Kind, Any] = {Kind.SECRET: "password", Kind.EMAIL: "email", Kind.URL: "url"}
    return st.text_input(
        _label(field),
        value,
        key=key,
        type=types.get(field.kind, "default"),
        help=field.help,
        max_chars=field.max_length,
        placeholder=placeholder,
    )


def _integer(field: Field, key: str, default: Any) -> Any:
    def bound(value: float | None) -> int | None:
        return None if value is None else int(max(-_LARGEST, min(_LARGEST, value)))

    return st.number_input(
        _label(field),
        value=bound(default),
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

    return st.number_input(
        _label(field),
        value=real(default),
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
    if not field.nullable:
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
    if len(field.choices) <= _FEW:
        return st.segmented_control(
            _label(field),
            field.choices,
            default=default,
            required=not field.nullable,
            format_func=str,
            key=key,
            help=field.help,
        )
    return st.selectbox(
        _label(field),
        field.choices,
        index=field.choices.index(default) if default in field.choices else None,
        format_func=str,
        key=key,
        help=field.help,
        placeholder="Choose",
    )


def _choices(field: Field, key: str, default: Any) -> Any:
    return st.pills(
        _label(field),
        field.choices,
        selection_mode="multi",
        default=default,
        format_func=str,
        key=key,
        help=field.help,
    )


def _list(field: Field, key: str, default: Any) -> Any:
    given = [str(value) for value in default or ()]
    return st.multiselect(
        _label(field),
        given,
        default=given,
        accept_new_options=True,
        key=key,
        help=field.help,
        placeholder="Type one and press Enter",
    )


def _date(field: Field, key: str, default: Any) -> Any:
    return st.date_input(
        _label(field),
        value=_parsed(date.fromisoformat, default),
        min_value=date(1900, 1, 1),
        max_value=date(2199, 12, 31),
        format="YYYY-MM-DD",
        key=key,
        help=field.help,
    )


def _time(field: Field, key: str, default: Any) -> Any:
    return st.time_input(_label(field), value=_parsed(time.fromisoformat, default), step=60, key=key, help=field.help)


def _datetime(field: Field, key: str, default: Any) -> Any:
    return st.datetime_input(
        _label(field),
        value=_parsed(datetime.fromisoformat, default),
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the widget knows no zones; what it holds is in the viewer's
        max_value=datetime(2199, 12, 31),  # noqa: DTZ001
        format="YYYY-MM-DD",
        step=60,
        key=key,
        help=field.help,
    )


def _json(field: Field, key: str, default: Any) -> Any:
    value = "" if default is None else wording.pretty(default)
    return st.text_area(_label(field), value, key=key, help=field.help, placeholder="JSON", height=96)


def _parsed(parse: Callable[[str], Parsed], default: Any) -> Parsed | None:
    try:
        return parse(default) if isinstance(default, str) else None
    except ValueError:
        return None  # a default that is no date is the task's own; leaving the field empty keeps it


_WIDGETS: dict[Kind, Callable[[Field, str, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.SECRET: _text,
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
    Kind.DATETIME: _datetime,
    Kind.JSON: _json,
}
