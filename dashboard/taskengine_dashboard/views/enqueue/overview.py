"""What a task takes, as a table for whoever may only look. Pure."""

import json
from collections.abc import Sequence

from taskengine_dashboard import wording
from taskengine_dashboard.views.enqueue.kinds import UNSET, Field, Kind

_WORDS = {
    Kind.DIGITS: "whole number",
    Kind.INTEGER: "whole number",
    Kind.BOOLEAN: "yes or no",
    Kind.DATETIME: "date and time",
    Kind.GROUP: "object",
    Kind.ROWS: "list",
    Kind.CHOICES: "some of",
    Kind.CHOICE: "one of",
    Kind.ENTRIES: "named values",
    Kind.URL: "address",
    Kind.EMAIL: "e-mail address",
    Kind.JSON: "any JSON",
}
_LONGEST = 80


def described(fields: Sequence[Field]) -> dict[str, list[str]]:
    """Return the columns of the table. Cells are Markdown."""
    columns = {
        "Argument": [f"**{wording.plain(one.name)}**" for one in fields],
        "Kind": [wording.plain(_kind(one)) for one in fields],
        "Unless given": [wording.plain(_unless_given(one)) for one in fields],
    }
    if any(one.help for one in fields):
        columns["What it is"] = [wording.plain(one.help or wording.NOTHING) for one in fields]
    return columns


def _kind(one: Field) -> str:
    word = _WORDS.get(one.kind, one.kind.value)
    if one.kind is Kind.UNION:
        return " or ".join(part.label for part in one.fields)
    return f"{word} {', '.join(map(str, one.choices))}"[:_LONGEST] if one.choices else word


def _unless_given(one: Field) -> str:
    if one.must_be_given:
        return "must be given"
    return wording.NOTHING if one.default is UNSET else json.dumps(one.default, ensure_ascii=False)[:_LONGEST]
