"""Draws the fields of a form, those that consist of others too, and gives back what they hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import count
from typing import Any

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.views.enqueue import widgets
from taskengine_dashboard.views.enqueue.held import held, variant_of
from taskengine_dashboard.views.enqueue.kinds import UNSET, Field, Kind, Path, Problem

_next_row = count(1)
_NAME = "name"


class Form:
    """One drawing of a form. ``problems`` are told under the fields that they are about."""

    def __init__(self, scope: str, problems: Sequence[Problem], zone: tzinfo) -> None:
        self.scope = scope
        self._problems = problems
        self._zone = zone
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
        values = given or {}
        return {
            one.name: self._field(one, (*at, one.name), (*names, one.name), values.get(one.name, one.default))
            for one in fields
        }

    def complain(self, path: Path) -> None:
        """Tell what is wrong with a field that is drawn, and with what it holds and was not drawn apart."""
        within = [known for known in self.known if known[: len(path)] == path]
        self.known.append(path)
        for problem in self._problems:
            if problem.path[: len(path)] == path and not any(problem.path[: len(k)] == k for k in within):
                within_it = ".".join(problem.path[len(path) :])
                message = f"{within_it}: {problem.message}" if within_it else problem.message
                st.markdown(f":small[:red[:material/error: {wording.plain(message)}]]")

    def _field(self, field: Field, path: Path, keys: Path, default: Any) -> Any:
        """Draw one field; ``default`` is the JSON value that it begins with."""
        if field.kind is Kind.CHOICE and len(field.choices) == 1 and field.must_be_given:
            return field.choices[0]  # there is nothing to choose
        with st.container(gap="xxsmall"):
            match field.kind:
                case Kind.GROUP:
                    value = self._group(field, path, keys, default)
                case Kind.ROWS:
                    value = self._rows(field, path, keys, default)
                case Kind.ENTRIES:
                    value = self._entries(field, path, keys, default)
                case Kind.UNION:
                    value = self._union(field, path, keys, default)
                case _:
                    shown = UNSET if default is UNSET or default is None else held(field, default, self._zone)
                    key = self._key(keys)
                    value = widgets.draw(field, key, None if shown is UNSET else shown, str(self._zone))
            self.complain(path)
        return value

    def _group(self, field: Field, path: Path, keys: Path, default: Any) -> dict[str, Any] | None:
        given = default if is_object(default) else None
        with st.container(border=True, gap="small"):
            if not _is_there(field, self._key(keys), given is not None):
                return None
            return self.draw(field.fields, path, given, keys=keys)

    def _rows(self, field: Field, path: Path, keys: Path, default: Any) -> list[Any] | None:
        key = self._key(keys)
        if not _is_there(field, f"{key}-given", is_list(default)):
            return None
        (item,) = field.fields
        rows = _rows_of(key, default if is_list(default) else ())
        values: list[Any] = []
        for index, (row, given) in enumerate(rows):
            with st.container(border=True, gap="small"):
                one = replace(item, label=f"{field.label} {index + 1}")
                values.append(self._inside(one, (*path, str(index)), (*keys, str(row)), given))
                _draw_remove(key, row)
        _draw_add(key, field)
        return values

    def _entries(self, field: Field, path: Path, keys: Path, default: Any) -> list[tuple[str, Any]] | None:
        key = self._key(keys)
        if not _is_there(field, f"{key}-given", is_object(default)):
            return None
        (item,) = field.fields
        rows = _rows_of(key, default.items() if is_object(default) else ())
        entries: list[tuple[str, Any]] = []
        for index, (row, given) in enumerate(rows):
            given_name, value = given if given is not UNSET else ("", UNSET)
            with st.container(border=True, gap="small"):
                with st.container(gap="xxsmall"):
                    name = st.text_input("Name *", given_name, key=f"{key}-{row}-{_NAME}", autocomplete="off") or ""
                    self.complain((*path, f"#{index}"))
                entries.append((name, self._inside(item, (*path, name), (*keys, str(row)), value)))
                _draw_remove(key, row)
        _draw_add(key, field)
        return entries

    def _union(self, field: Field, path: Path, keys: Path, default: Any) -> tuple[int, Any] | None:
        variants = field.fields
        is_given = default is not UNSET and default is not None
        first = variant_of(field, default) if is_given else None
        with st.container(border=True, gap="small"):
            chosen = widgets.choose_variant(field, variants, self._key((*keys, "variant")), first)
            if chosen is None:
                return None
            given = default if chosen == first else UNSET
            return chosen, self._inside(variants[chosen], path, (*keys, str(chosen)), given)

    def _inside(self, field: Field, path: Path, keys: Path, given: Any) -> Any:
        """Draw what stands in a frame already; an object's fields need no second one."""
        if field.kind is not Kind.GROUP or field.nullable:
            return self._field(field, path, keys, field.default if given is UNSET else given)
        value = self.draw(field.fields, path, given if is_object(given) else None, keys=keys)
        self.complain(path)
        return value

    def _key(self, keys: Path) -> str:
        return "-".join((self.scope, *keys))


def _is_there(field: Field, key: str, is_given: bool) -> bool:
    """Draw the heading of what consists of others; return whether it is to be given."""
    label = f"**{wording.plain(field.label)}**"
    if field.can_be_absent:
        return st.toggle(label, value=is_given, key=key, help=field.help)
    st.markdown(label, help=field.help)
    return True


def _rows_of(key: str, given: Iterable[Any]) -> list[tuple[int, Any]]:
    """Return the rows, each with a number of its own: removing one must not shift what the others hold."""
    if key not in st.session_state:
        st.session_state[key] = [(next(_next_row), row) for row in given]
    return st.session_state[key]


def _draw_remove(key: str, row: int) -> None:
    st.button(
        "Remove",
        key=f"{key}-{row}-remove",
        type="tertiary",
        icon=":material/delete:",
        on_click=_remove,
        args=(key, row),
    )


def _draw_add(key: str, field: Field) -> None:
    label = f"Add to {wording.plain(field.label.lower())}"
    st.button(label, key=f"{key}-add", icon=":material/add:", on_click=_add, args=(key,))


def _add(key: str) -> None:
    st.session_state[key] = [*st.session_state[key], (next(_next_row), UNSET)]


def _remove(key: str, row: int) -> None:
    st.session_state[key] = [kept for kept in st.session_state[key] if kept[0] != row]
