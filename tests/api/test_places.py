"""Places in the stream of events: between entries, and between the lines that one entry tells of."""

import pytest

from taskengine.errors import InvalidInput
from taskengine_api.schema.places import Place, key_of


def test_the_place_of_an_entry_is_behind_all_its_lines_and_before_the_next() -> None:
    cursors = ["5-0", "5-1.4-9", "5-1.5-0", "5-1.5-1", "5-1", "5-2", "10-0"]
    assert sorted(cursors, key=key_of) == cursors


def test_behind_an_entry_the_engine_goes_on_behind_it() -> None:
    assert Place.read("5-1").engine_cursor == "5-1"


@pytest.mark.parametrize(("cursor", "before"), [("5-1.4-9", "5-0"), ("5-0.4-9", f"4-{2**64 - 1}")])
def test_behind_a_line_the_engine_goes_on_before_its_entry(cursor: str, before: str) -> None:
    assert Place.read(cursor).engine_cursor == before


@pytest.mark.parametrize(
    "cursor", ["", ".", "5-1.", "5-1.x", "5.1-2", "5-1.1-2.3-4", "x-1", f"1-{2**64}", "5-1-2", "\u0665-1"]
)
def test_a_place_that_no_event_had_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Place.read(cursor, "before")
    assert refused.value.path == ("before",)
