"""What a task takes, told to whoever may only look."""

from taskengine_dashboard.views.enqueue.fields import read_fields
from taskengine_dashboard.views.enqueue.overview import described

SCHEMA = {
    "type": "object",
    "required": ["how"],
    "properties": {
        "how": {"enum": ["fast", "slow"]},
        "by": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 3},
        "pin": {"type": "string", "writeOnly": True},
    },
}


def test_each_argument_is_a_row_in_words() -> None:
    assert described(read_fields(SCHEMA)) == {
        "Argument": ["**how**", "**by**", "**pin**"],
        "Kind": ["one of fast, slow", "Whole number or Text", "secret"],
        "Unless given": ["must be given", "3", "—"],
    }


def test_what_is_written_about_arguments_has_a_column_where_there_is_something() -> None:
    fields = read_fields({"properties": {"a": {"type": "string", "description": "Of [it]."}, "b": {"type": "boolean"}}})
    assert described(fields)["What it is"] == [r"Of \[it\].", "—"]
