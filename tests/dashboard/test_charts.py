"""Charts: what is drawn, and by which clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from support.fake_api import FakeApi
from taskengine_dashboard import charts
from taskengine_dashboard.model.metrics import Point
from taskengine_dashboard.views.overview import questions, tables


@pytest.mark.parametrize("draw", [charts.bars, charts.lines])
def test_time_is_drawn_and_told_as_utc_whatever_zone_the_browser_is_in(draw: object) -> None:
    spec = draw((charts.COMPLETED, charts.FAILED), unit=charts.WHOLE, clock="%H:%M")  # type: ignore[operator]
    inner = spec["layer"][1] if "layer" in spec else spec
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}
    assert {"calculate": "utcFormat(datum.at, '%H:%M')", "as": "when"} in inner["transform"]
    assert inner["encoding"]["tooltip"][0]["field"] == "when"


def test_an_instant_is_what_clocks_in_a_zone_show() -> None:
    shown = charts.wall_clock(datetime(2026, 11, 24, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
    assert shown == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def test_each_bar_stands_where_the_viewers_clock_shows_it(api: FakeApi) -> None:
    overview = questions.overview("HOUR", "HOUR").value
    assert overview is not None
    tokyo = overview.series_table(ZoneInfo("Asia/Tokyo")).column(charts.TIME).to_pylist()
    assert tokyo == [point.at + timedelta(hours=9) for point in overview.metrics.series]


def test_a_table_is_made_once_for_all_viewers_in_a_zone(api: FakeApi) -> None:
    overview = questions.overview("HOUR", "HOUR").value
    assert overview is not None
    assert overview.series_table(ZoneInfo("UTC")) is overview.series_table(ZoneInfo("UTC"))
    assert overview.series_table(ZoneInfo("UTC")) is not overview.series_table(ZoneInfo("Asia/Tokyo"))


def test_bars_have_their_length_also_when_clocks_are_set_back() -> None:
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 3:00 becomes 2:00 in Berlin at 1:00
    points = [
        Point(at=begin + timedelta(minutes=15 * number), enqueued=1, completed=1, failed=0, wait_p95=None, run_p95=None)
        for number in range(12)
    ]
    table = tables.series(points, ZoneInfo("Europe/Berlin"))
    both = zip(table.column(charts.TIME).to_pylist(), table.column(charts.UNTIL).to_pylist(), strict=True)
    assert {until - at for at, until in both} == {timedelta(minutes=15) * 0.85}
    assert {later - sooner for sooner, later in pairwise(table.column(charts.TIME).to_pylist())} == {
        timedelta(minutes=15),
        timedelta(minutes=-45),
    }
