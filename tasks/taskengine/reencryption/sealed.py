"""Where records keep something encrypted, and how it gets under the first key. Pure: no Redis.

Secrets of a job and of a schedule (``redaction.py``), calls that follow with theirs (``pipelines.py``), and
checkpoints of jobs that have secrets (``worker/guard.py``).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskengine.encryption import Keyring, Sealed
from taskengine.errors import UnreadableSecret
from taskengine.records import SEALED, dumps, is_sealed

FIELDS_OF = {
    "job": ("secrets", "then", "follows"),
    "checkpoint": ("",),
    "schedule": ("definition",),
    "chord": ("callback",),
}
"""By kind of record, the fields that may hold something encrypted; a checkpoint is a text of its own."""

_ROW = 8
"""Parts of a call before its fields, as in ``lua/fragments/follow_ups.lua``."""


class Turn:
    """What one record keeps, under the first key instead of another. Plain values are encrypted too."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.turned = 0
        """Values that were under another key, or under none."""
        self.problem = ""
        """Why some value stays as it is, ``""`` when none does."""

    def field(self, name: str, kept: str) -> str:
        """Return what takes the place of a field; the same text when nothing does."""
        before = self.turned
        try:
            new = _READERS[name](self, kept)
        except (ValueError, KeyError, TypeError, IndexError):
            self.problem = f"{name or 'it'} is not what it should be"
            return kept
        return kept if self.turned == before else new

    def value(self, sealed: Sealed) -> Sealed:
        """Return a value as it is kept from now on."""
        how, kept = sealed
        if self._keyring.is_first(how, kept):
            return how, kept
        try:
            opened = self._keyring.open(how, kept)
        except UnreadableSecret as unreadable:
            self.problem = unreadable.problem
            return how, kept
        self.turned += 1
        return self._keyring.seal(opened)

    def secrets(self, kept: str) -> str:
        """Secret arguments, each with its place."""
        return dumps([[place, *self.value((how, one))] for place, how, one in json.loads(kept)])

    def then(self, kept: str) -> str:
        """The calls that follow, whose arguments are sealed as one."""
        specs: list[dict[str, Any]] = json.loads(kept)
        return dumps([self._spec(spec) for spec in specs])

    def follows(self, kept: str) -> str:
        """What happens when the job ends: among it the call for an error."""
        follows: dict[str, Any] = json.loads(kept)
        if "error" in follows:
            follows["error"] = self._call(follows["error"])
        return dumps(follows)

    def callback(self, kept: str) -> str:
        """The call that follows a chord."""
        return dumps(self._call(json.loads(kept)))

    def definition(self, kept: str) -> str:
        """What a schedule runs."""
        definition: dict[str, Any] = json.loads(kept)
        if definition.get("secrets"):
            definition["secrets"] = self.secrets(definition["secrets"])
        return dumps(definition)

    def checkpoint(self, kept: str) -> str:
        """Where a job was."""
        if not is_sealed(kept):
            return kept
        how, one = json.loads(kept.removeprefix(SEALED))
        return SEALED + dumps(self.value((how, one)))

    def _spec(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        how_and_what = {"sealed": self.value(spec["sealed"])} if "sealed" in spec else {}
        return {**spec, **how_and_what, "fields": self._fields(spec["fields"])}

    def _call(self, call: Sequence[str]) -> list[str]:
        fields = dict(zip(call[_ROW::2], call[_ROW + 1 :: 2], strict=True))
        return [*call[:_ROW], *(part for pair in self._fields(fields).items() for part in pair)]

    def _fields(self, fields: Mapping[str, str]) -> dict[str, str]:
        sealing = FIELDS_OF["job"]
        return {name: _READERS[name](self, kept) if name in sealing else kept for name, kept in fields.items()}


_READERS: Mapping[str, Callable[[Turn, str], str]] = {
    "secrets": Turn.secrets,
    "then": Turn.then,
    "follows": Turn.follows,
    "callback": Turn.callback,
    "definition": Turn.definition,
    "": Turn.checkpoint,
}
