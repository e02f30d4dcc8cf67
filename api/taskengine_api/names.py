"""Names: from Python's and JSON's to GraphQL's, and what happens when two become one.

Pure text; knows neither tasks nor schemas.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")


def is_name(text: str) -> bool:
    """Whether GraphQL allows it as a name of ours (``__`` at the start is GraphQL's own)."""
    return _NAME.fullmatch(text) is not None


def pascal(text: str) -> str:
    """``mail.send`` -> ``MailSend``: each run of letters and digits, its first letter raised."""
    joined = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))
    return joined if joined[:1].isalpha() else f"Task{joined}"


def camel(text: str) -> str:
    """``first_name`` -> ``firstName``; underscores at either end stay."""
    return re.sub(r"(?<=[A-Za-z0-9])_+([A-Za-z0-9])", lambda found: found[1].upper(), text)


def field_names(properties: Iterable[str]) -> dict[str, str] | None:
    """Return the GraphQL name of each property of one object, or ``None`` when they cannot be told apart.

    In camelCase, or as they stand where two would be one.
    """
    properties = list(properties)
    for rule in (camel, str):
        names = {name: rule(name) for name in properties}
        if len(set(names.values())) == len(names) and all(map(is_name, names.values())):
            return names
    return None


def enum_names(values: Sequence[object]) -> dict[str, object] | None:
    """Return enum values by GraphQL name, or ``None`` when their names cannot be told apart.

    In UPPER_CASE, or as they stand where two would be one.
    """
    for rule in (_upper, str):
        named = {rule(value): value for value in values}
        if len(named) == len(values) and all(is_name(name) and name not in _RESERVED for name in named):
            return named
    return None


_RESERVED = frozenset({"true", "false", "null"})


def _upper(value: object) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(value))
    name = re.sub(r"[^A-Za-z0-9]+", "_", words.replace("-", "MINUS_") if isinstance(value, (int, float)) else words)
    name = name.strip("_").upper() or "EMPTY"
    return name if name[0].isalpha() else f"V_{name}"


def task_names(tasks: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return the name that each task's field and types are made of: ``MailSend`` for ``mail.send``.

    Tasks that would share a name, or would take one of ``taken``, *all* get a
    suffix made of their own name. So a name never changes its meaning when
    another task appears: it is there or it is not.
    """
    plain = {task: pascal(task) for task in sorted(tasks)}
    counts: dict[str, int] = dict.fromkeys(taken, 1)
    for name in plain.values():
        counts[name] = counts.get(name, 0) + 1
    return {task: name if counts[name] == 1 else f"{name}_{_mark(task)}" for task, name in plain.items()}


def clashes(names: Mapping[str, str]) -> dict[str, str]:
    """Return those of ``task_names`` that had to get a suffix."""
    return {task: name for task, name in names.items() if name != pascal(task)}


def _mark(task: str) -> str:
    return hashlib.sha256(task.encode()).hexdigest()[:6]


class TypeNames:
    """Names of types, each handed out once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def new(self, wanted: str) -> str:
        """Return ``wanted``, or with the first number behind it that makes it unique."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name
