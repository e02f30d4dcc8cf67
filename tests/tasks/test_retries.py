"""How long to wait before another attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.errors import InvalidInput
from taskengine.retries import Backoff

seconds = st.floats(0, 1e6)
backoffs = st.builds(Backoff, base_seconds=seconds, factor=st.floats(1, 1e3), cap_seconds=seconds, jitter=st.booleans())
failures = st.integers(1, 1000)
shares = st.floats(0, 1)


@pytest.mark.parametrize(("failed", "delay"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (99, 10.0)])
def test_each_failure_doubles_the_delay_up_to_the_cap(failed: int, delay: float) -> None:
    backoff = Backoff(base_seconds=1, factor=2, cap_seconds=10, jitter=False)
    assert backoff.delay_seconds(failed, 0.5) == delay


def test_jitter_draws_evenly_from_nothing_to_the_whole_delay() -> None:
    backoff = Backoff(base_seconds=8, factor=2, cap_seconds=100)
    assert [backoff.delay_seconds(1, share) for share in (0, 0.25, 1)] == [0, 2, 8]


def test_a_number_too_big_for_a_float_is_the_cap() -> None:
    assert Backoff(factor=10, cap_seconds=60, jitter=False).delay_seconds(100_000, 1) == 60


def test_by_default_it_begins_with_a_second_and_ends_with_ten_minutes() -> None:
    assert Backoff().delay_seconds(1, 1) == 1
    assert Backoff().delay_seconds(50, 1) == 600


@given(backoffs, failures, shares)
def test_a_delay_is_never_below_nothing_nor_above_the_cap(backoff: Backoff, failed: int, share: float) -> None:
    assert 0 <= backoff.delay_seconds(failed, share) <= backoff.cap_seconds


@given(backoffs, failures, shares)
def test_another_failure_never_shortens_the_delay(backoff: Backoff, failed: int, share: float) -> None:
    assert backoff.delay_seconds(failed, share) <= backoff.delay_seconds(failed + 1, share)


@given(backoffs, failures, shares)
def test_without_jitter_chance_has_no_say(backoff: Backoff, failed: int, share: float) -> None:
    if not backoff.jitter:
        assert backoff.delay_seconds(failed, share) == backoff.delay_seconds(failed, 0.0)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"base_seconds": -1}, "backoff.base_seconds: expected a number of at least 0, got -1"),
        ({"base_seconds": 1e10}, "backoff.base_seconds: expected at most 1,000,000,000 seconds, got 10000000000.0"),
        ({"cap_seconds": 1e300}, "backoff.cap_seconds: expected at most 1,000,000,000 seconds, got 1e+300"),
        ({"factor": 0.5}, "backoff.factor: expected a number of at least 1, got 0.5"),
        ({"cap_seconds": float("inf")}, "backoff.cap_seconds: expected a number of at least 0, got inf"),
        ({"factor": float("nan")}, "backoff.factor: expected a number of at least 1, got nan"),
        ({"base_seconds": "1"}, "backoff.base_seconds: expected a number of at least 0, got '1'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(facts: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Backoff(**facts)
    assert str(caught.value) == message
