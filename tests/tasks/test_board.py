"""A notice board in shared memory: what a child wrote last, its parent reads, also after it was killed."""

import os
import signal
from typing import Any

import pytest

from taskengine.worker.board import Board


@pytest.mark.parametrize("value", [[], [["j1", "7"]], {"release": True}, "é", None])
def test_what_is_written_can_be_read(value: Any) -> None:
    board = Board()
    board.write(value)
    assert board.read() == value


def test_nothing_is_written_at_first() -> None:
    assert Board().read() is None


def test_the_last_word_counts_also_when_it_is_shorter() -> None:
    board = Board()
    board.write(["a long one" * 100])
    board.write([1])
    assert board.read() == [1]


def test_half_a_word_is_none() -> None:
    board = Board()
    board.write([["j1", "7"]])
    board._memory[10] ^= 0xFF
    assert board.read() is None


def test_what_does_not_fit_is_refused_and_the_last_word_stays() -> None:
    board = Board()
    board.write([1])
    with pytest.raises(ValueError, match="bytes do not fit on a board of"):
        board.write("x" * 100_000)
    assert board.read() == [1]


def test_a_parent_reads_what_its_child_wrote_before_it_was_killed() -> None:
    board = Board()
    child = os.fork()
    if child == 0:
        board.write([["j1", "7"]])
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert board.read() == [["j1", "7"]]
