"""Sparks: a count's course as a few bars."""

from xml.etree import ElementTree

import pytest

from taskengine_dashboard import sparks


def bars(counts: list[int], told: list[str] | None = None) -> list[ElementTree.Element]:
    """Return the bars of a spark, which is well-formed."""
    spark = sparks.html(counts, told=told or [str(count) for count in counts], alt="<so> & so")
    root = ElementTree.fromstring(spark)
    assert root.get("aria-label") == "<so> & so"
    return list(root)


def styles(counts: list[int]) -> list[str | None]:
    return [bar.get("style") for bar in bars(counts)]


def test_each_count_is_a_bar_at_its_place_and_none_is_no_bar() -> None:
    assert styles([1, 0, 1, 0]) == ["left:0.0%;width:20.0%;height:100%", "left:50.0%;width:20.0%;height:100%"]


def test_the_most_is_as_high_as_the_spark_and_the_others_in_proportion() -> None:
    assert [str(style).rpartition(":")[2] for style in styles([2, 4, 1])] == ["50%", "100%", "25%"]


def test_one_among_thousands_is_seen() -> None:
    assert str(styles([1, 5_000])[0]).endswith("height:12%")


@pytest.mark.parametrize("counts", [[], [0, 0]])
def test_where_nothing_happened_there_is_no_bar(counts: list[int]) -> None:
    assert bars(counts) == []


def test_the_pointer_is_told_of_each() -> None:
    assert [bar.get("title") for bar in bars([0, 3], ["", "13:04: <3>"])] == ["13:04: <3>"]
