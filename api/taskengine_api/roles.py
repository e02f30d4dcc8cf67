"""Who asks, and what each field needs of them.

``@needs(Role.OPERATOR)`` above a field is all that it takes: the field's
description says so, and whoever has less is refused before the resolver runs.
A mutation says it as ``mutation("…", needs=Role.ADMIN)`` (``schema/errors.py``),
and answers with an error of its payload.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from strawberry.extensions import FieldExtension

from taskengine.roles import Role

F = TypeVar("F")


class Forbidden(Exception):
    """The viewer's role does not allow it."""

    def __init__(self, viewer: str, role: Role, needed: Role, path: tuple[str, ...] = ()) -> None:
        super().__init__(viewer, role, needed, path)
        self.viewer, self.role, self.needed, self.path = viewer, role, needed, path

    def __str__(self) -> str:
        what = f"{self.path[-1]} needs" if self.path else "this needs"
        return f"{what} {self.needed}; {self.viewer!r} is {self.role}"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: by this name an action is written down."""

    name: str
    role: Role

    def may(self, needed: Role) -> bool:
        """Whether the role is enough."""
        return self.role.covers(needed)

    def check(self, needed: Role, *path: str) -> None:
        """Raise ``Forbidden`` when the role is not enough; ``path`` is the part of the input that needs it."""
        if not self.may(needed):
            raise Forbidden(self.name, self.role, needed, path)


LOCAL = Viewer("local", Role.ADMIN)
"""Whoever asks on the machine itself, as long as there are no keys."""


class Gate(FieldExtension):
    """Lets pass who has the role; others get null where the field is ``hidden``, else ``Forbidden``."""

    def __init__(self, needed: Role, *, hidden: bool = False) -> None:
        self.needed = needed
        self.hidden = hidden

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs) if self._opens(info) else None

    async def resolve_async(self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **kwargs: Any) -> Any:
        return await next_(source, info, **kwargs) if self._opens(info) else None

    def _opens(self, info: Any) -> bool:
        viewer: Viewer = info.context.viewer
        if not self.hidden:
            viewer.check(self.needed)
        return viewer.may(self.needed)


def needs(role: Role, *, hidden: bool = False) -> Callable[[F], F]:
    """Have a field ask for a role, and say so. ``hidden``: it is null for others, instead of an error."""

    def say(made: F) -> F:
        field: Any = made
        field.description = with_need(field.description, role, hidden=hidden)
        # The first extension is the nearest to the resolver: those that turn errors into data are around this one.
        field.extensions = [Gate(role, hidden=hidden), *field.extensions]
        return made

    return say


def with_need(description: str, role: Role, *, hidden: bool = False) -> str:
    """Return the description of a field with what it needs."""
    return f"{description} {'Null for less than' if hidden else 'Needs'} {role}."


def needed_of(field: Any) -> Role | None:
    """Return what a Strawberry field asks for; ``None`` when any role will do."""
    return next((one.needed for one in field.extensions if isinstance(one, Gate)), None)
