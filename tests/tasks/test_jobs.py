"""What a job is, and which moves it may make."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.errors import InvalidInput
from taskengine.jobs import (
    FINAL_STATES,
    MOVES,
    JobState,
    StateCounts,
    check_job_id,
    check_name,
    check_positive_int,
    check_text,
    order_of,
)

PATH = ("here",)


def test_every_state_has_its_moves() -> None:
    assert MOVES.keys() == set(JobState)


def test_a_completed_job_moves_no_more() -> None:
    assert MOVES[JobState.COMPLETED] == frozenset()


def test_only_an_operator_moves_what_has_ended() -> None:
    assert {state for state in JobState if state.is_final} == FINAL_STATES
    assert set().union(*(MOVES[state] for state in FINAL_STATES)) == {JobState.QUEUED}


def test_every_state_can_be_reached() -> None:
    assert set().union(*MOVES.values()) == set(JobState)


def test_counts_add_up() -> None:
    assert StateCounts(1, 2, 3, 4, 5, 6, 7).total == 28


@pytest.mark.parametrize("name", ["a", "mail.send", "A-b_c.9", "_x", "x" * 100])
def test_a_name_can_be_part_of_a_key(name: str) -> None:
    assert check_name(name, PATH) == name


@pytest.mark.parametrize("name", ["", ".a", "-a", "a b", "a:b", "a,b", "*", "{a}", "ä", "a\n", "x" * 101, None, 1])
def test_other_names_are_refused(name: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name, PATH)
    assert caught.value.path == PATH


@pytest.mark.parametrize("job_id", ["a", "-", "order_7-b", "x" * 64])
def test_an_id_can_be_part_of_a_key(job_id: str) -> None:
    assert check_job_id(job_id) == job_id


@pytest.mark.parametrize("job_id", ["", "a.b", "a:b", "a b", "a\n", "x" * 65, None, 7])
def test_other_ids_are_refused(job_id: Any) -> None:
    with pytest.raises(InvalidInput):
        check_job_id(job_id)


@pytest.mark.parametrize("value", [0, 8, -1, 1.0, "1", True, None])
def test_what_is_no_number_in_its_range_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="here: expected a whole number from 1 to 7, got "):
        check_positive_int(value, PATH, at_most=7)


@given(st.text(st.characters(), max_size=5))
def test_text_that_is_let_through_can_be_sent(text: str) -> None:
    try:
        check_text(text, PATH, at_least=0, at_most=5)
    except InvalidInput:
        with pytest.raises(UnicodeEncodeError):
            text.encode()
    else:
        text.encode()


@pytest.mark.parametrize("cursor", ["", "x", "0x1", "-1", "1" * 17, "A", " 1", "1\n"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="before: expected a cursor that a page returned"):
        order_of(cursor, path=("before",))
