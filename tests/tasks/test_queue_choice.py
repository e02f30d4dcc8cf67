"""Which queues a worker serves, and which of them it looks at first."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.errors import InvalidInput
from taskengine.worker.queue_choice import QueueChoice, Turns

NAMES = "abcdefgh"
HINT = "for all of one queue before any of the next, give --queues a,b and --queue-order strict"
weights = st.lists(st.integers(1, 100), min_size=1, max_size=len(NAMES))


def weighted(*numbers: int) -> QueueChoice:
    return QueueChoice(names=tuple(NAMES[: len(numbers)]), weights=numbers)


def firsts(turns: Turns, count: int) -> str:
    """The queues that so many jobs are first looked for in, one job a claim."""
    found: list[str] = []
    for _ in range(count):
        found.append(turns.next(1)[0])
        turns.took(1)
    return "".join(found)


def test_names_alone_are_one_line_of_jobs() -> None:
    choice = QueueChoice.parse("mail, default")
    assert choice == QueueChoice(names=("mail", "default"))
    assert choice.turns() == ("mail,default",)


def test_in_strict_order_one_queue_goes_before_the_next() -> None:
    assert QueueChoice.parse("mail,default", strict=True).turns() == ("mail>default",)


def test_every_queue_is_one_line_too() -> None:
    assert QueueChoice().turns() == ("*",)


def test_of_four_jobs_three_are_first_looked_for_where_the_weight_is_three() -> None:
    choice = QueueChoice.parse("a=3,b=1")
    assert choice.turns() == ("a>b", "a>b", "b>a", "a>b")


def test_turns_go_on_where_they_were_from_claim_to_claim() -> None:
    turns = Turns(weighted(3, 1))
    assert turns.next(3) == "a>b|a>b|b>a"
    turns.took(3)
    assert turns.next(2) == "a>b|a>b"


def test_a_claim_that_got_nothing_uses_no_turn() -> None:
    turns = Turns(weighted(3, 1))
    before = turns.next(5)
    turns.took(0)
    assert turns.next(5) == before


@given(weights)
def test_each_queue_is_first_as_often_as_its_weight_says(numbers: list[int]) -> None:
    counts = Counter(firsts(Turns(weighted(*numbers)), sum(numbers)))
    assert counts == dict(zip(NAMES, numbers, strict=False))


@given(weights)
def test_no_queue_waits_much_longer_for_its_turn_than_its_share(numbers: list[int]) -> None:
    order = firsts(Turns(weighted(*numbers)), 2 * sum(numbers))
    for name, weight in zip(NAMES, numbers, strict=False):
        places = [at for at, one in enumerate(order) if one == name]
        gaps = [after - before for before, after in pairwise(places)]
        assert max(gaps) <= 2 * sum(numbers) / weight + len(numbers)


@given(weights)
def test_every_turn_ends_with_every_queue(numbers: list[int]) -> None:
    choice = weighted(*numbers)
    assert {"".join(sorted(turn.split(">"))) for turn in choice.turns()} == {"".join(choice.names)}


@pytest.mark.parametrize(
    ("text", "strict", "problem"),
    [
        ("", False, "expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got ''"),
        ("a,,b", False, "expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got ''"),
        ("a,b,a", False, "expected each queue once, got 'a,b,a'"),
        ("a=3,b", False, "expected a weight for every queue or for none, got none for 'b'"),
        ("a=0,b=1", False, "expected a weight from 1 to 100 for 'a', got '0'"),
        ("a=,b=1", False, "expected a weight from 1 to 100 for 'a', got ''"),
        ("a=101", False, "expected a weight from 1 to 100 for 'a', got '101'"),
        ("a=x", False, "expected a weight from 1 to 100 for 'a', got 'x'"),
        ("a=1,b=2", True, "expected no weights with --queue-order strict, got 'a=1,b=2'"),
        (
            "a>b",
            False,
            f"expected names with commas between, got 'a>b'; {HINT}",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was_expected(text: str, strict: bool, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        QueueChoice.parse(text, strict=strict)
    assert refused.value.message == problem


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (QueueChoice(), "every queue"),
        (QueueChoice.parse("a,b"), "a, b"),
        (QueueChoice.parse("a,b", strict=True), "a, then b"),
        (QueueChoice.parse("a=3,b=1"), "a=3, b=1"),
    ],
)
def test_it_says_itself_as_it_was_said(choice: QueueChoice, words: str) -> None:
    assert str(choice) == words
