"""Numbers, times and durations in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from taskengine_dashboard import wording

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (None, "—"),
        (-1, "0 ms"),
        (0.0853, "85 ms"),
        (3.21, "3.2 s"),
        (9.96, "10.0 s"),
        (59.4, "59 s"),
        (245, "4 min 05 s"),
        (7_800, "2 h 10 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_duration_has_about_two_digits(duration: float | None, words: str) -> None:
    assert wording.seconds(duration) == words


@pytest.mark.parametrize(
    ("passed", "words"), [(-3, "just now"), (4, "just now"), (12, "12 s ago"), (200, "3 min ago"), (90_000, "1 d ago")]
)
def test_what_is_past_is_told_in_one_unit(passed: float, words: str) -> None:
    assert wording.ago(NOW - timedelta(seconds=passed), NOW) == words


@pytest.mark.parametrize(("left", "words"), [(-5, "due now"), (0.4, "due now"), (12, "in 12 s"), (4_000, "in 1 h")])
def test_what_is_to_come_is_told_in_one_unit(left: float, words: str) -> None:
    assert wording.ahead(NOW + timedelta(seconds=left), NOW) == words


def test_times_are_the_viewers() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert wording.clock(NOW, berlin) == "13:00:00"
    assert wording.stamp(NOW, berlin) == "24 Nov 2026, 13:00:00"


@pytest.mark.parametrize(("number", "words"), [(1, "1 job"), (0, "0 jobs"), (1_200, "1,200 jobs")])
def test_nouns_follow_their_number(number: int, words: str) -> None:
    assert wording.plural(number, "job") == words


def test_the_end_of_an_id_is_what_tells_jobs_apart() -> None:
    assert wording.short_id("job_01jdxk3m5qexxrrz8n0d2a7f4c") == "…0d2a7f4c"
    assert wording.short_id("order-7") == "order-7"


@pytest.mark.parametrize(("size", "words"), [(12, "12 B"), (14_200_000, "14.2 MB"), (3e13, "30.0 TB")])
def test_bytes_have_a_unit(size: float, words: str) -> None:
    assert wording.size(size) == words


@pytest.mark.parametrize(("value", "words"), [(3.0, "3"), (2.5, "2.5"), (1_200, "1,200"), (0.1 + 0.2, "0.3")])
def test_numbers_have_no_needless_digits(value: float, words: str) -> None:
    assert wording.number(value) == words


def test_text_of_others_is_shown_as_it_is_and_not_as_markdown() -> None:
    assert wording.plain("a *b* :red[c] <d>\ne") == r"a \*b\* \:red\[c\] \<d\> e"


def test_an_address_of_others_is_not_in_one_piece_which_markdown_would_make_a_link() -> None:
    assert wording.plain("ask vera_b@acme.example {now}") == r"ask vera\_b:color[@]{}acme.example {now}"
    assert wording.plain("by ops@ or @x.y, ops@x") == "by ops@ or @x.y, ops@x", "these are none"


@pytest.mark.parametrize(
    ("per_second", "words"),
    [(0, "0/s"), (1_234.5, "1,234/s"), (12.34, "12/s"), (0.5, "30/min"), (0.0555, "3.3/min"), (0.0003, "1.1/h")],
)
def test_a_rate_is_told_in_the_unit_that_suits_it(per_second: float, words: str) -> None:
    assert wording.rate(per_second) == words


@pytest.mark.parametrize(
    ("part", "words"),
    [(None, "—"), (0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %")],
)
def test_a_share_is_all_or_nothing_only_when_it_is(part: float | None, words: str) -> None:
    assert wording.share(part) == words
