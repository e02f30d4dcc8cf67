"""Sparks: a count's course as a few bars."""

from xml.etree import ElementTree

import pytest

from taskengine_dashboard import sparks


def bars(counts: list[int], told: list[str] | None = None) -> list[ElementTree.Element]:
    """Return the bars of a spark, which is well-formed."""
    picture = sparks.svg(counts, told=told or [str(count) for count in counts], alt="<so> & so")
    root = ElementTree.fromstring(picture)
    assert root.get("aria-label") == "<so> & so"
    return list(root)


def test_each_count_is_a_bar_at_its_place() -> None:
    assert [bar.get("x") for bar in bars([1, 0, 2])] == ["0.1", "2.1"]


def test_the_most_is_as_high_as_the_spark_and_the_others_in_proportion() -> None:
    half, most = bars([2, 4])
    assert (float(half.get("height", 0)), float(most.get("height", 0))) == (12.0, 24.0)
    assert (float(half.get("y", 0)), float(most.get("y", 0))) == (12.0, 0.0)


def test_one_among_thousands_is_seen() -> None:
    assert float(bars([1, 5_000])[0].get("height", 0)) == 3.0


@pytest.mark.parametrize("counts", [[], [0, 0]])
def test_where_nothing_happened_there_is_no_bar(counts: list[int]) -> None:
    assert bars(counts) == []


def test_the_pointer_is_told_of_each() -> None:
    (bar,) = bars([0, 3], ["", "13:04: <3>"])
    assert [title.text for title in bar] == ["13:04: <3>"]
