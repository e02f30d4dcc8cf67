"""Charts as constant Vega-Lite specifications, drawn over Arrow tables. Pure: one engine for all pages.

A specification holds no data and is made once for each set of series and theme: while a page refreshes, only the table
changes. A series is a column of the table, and its colour says what it means: what failed is red on every page.

    charts.bars((charts.COMPLETED, charts.FAILED), unit=charts.WHOLE, clock=charts.CLOCKS["HOUR"])

Vega knows two time zones, the browser's and UTC, and a viewer may have chosen any. So tables for charts hold what the
clocks there show (``wall_clock``), as if it were UTC, and charts draw UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

TIME, UNTIL = "at", "until"
"""The columns of instants that charts over time go along: where a part begins, and where its bar ends."""

CLOCKS = {"MINUTE": "%H:%M:%S", "HOUR": "%H:%M", "DAY": "%H:%M", "WEEK": "%a %-d, %H:%M"}
"""How instants are told along a window."""

WHOLE, SECONDS, RATE = "whole", "seconds", "rate"
_LABELS = {
    WHOLE: "datum.value < 1000 ? format(datum.value, ',.3~r') : format(datum.value, '.3~s')",
    SECONDS: (
        "datum.value == 0 ? '0' : datum.value < 1 ? format(datum.value * 1000, ',.3~r') + ' ms'"
        " : datum.value < 120 ? format(datum.value, ',.3~r') + ' s' : format(datum.value / 60, ',.3~r') + ' min'"
    ),
    RATE: "format(datum.value, ',.3~r') + '/s'",
}
_TITLES = {WHOLE: "Jobs", SECONDS: "Seconds", RATE: "A second"}


@dataclass(frozen=True, slots=True)
class Series:
    """A column of a table, what it is called, and its colour in light and in dark."""

    column: str
    label: str
    light: str
    dark: str


COMPLETED = Series("completed", "Completed", "#2b8a5a", "#4cc38a")
FAILED = Series("failed", "Failed", "#d03b3b", "#f0625e")
ENQUEUED = Series("enqueued", "Enqueued", "#2563c9", "#6ea8fe")
WAIT_P95 = Series("wait_p95", "Wait p95", "#6d4fc2", "#b39bf5")
RUN_P95 = Series("run_p95", "Run p95", "#2563c9", "#6ea8fe")
WAITING = Series("waiting", "Waiting", "#8a63d2", "#b39bf5")

Spec = dict[str, Any]


def wall_clock(moment: datetime, zone: tzinfo) -> datetime:
    """Return what clocks in a zone show at a moment, as the moment when clocks of UTC show that."""
    return moment.astimezone(zone).replace(tzinfo=UTC)


@cache
def lines(series: tuple[Series, ...], *, unit: str, clock: str, dark: bool = False) -> Spec:
    """Return lines of these columns along ``TIME``; where a value is missing, the line goes on to the next one."""
    return {
        **_FRAME,
        "encoding": {"x": _time(clock)},
        "layer": [
            # Unseen, but with all instants: the axis is as long as the time, not as the lines.
            {"mark": {"type": "rule", "opacity": 0, "tooltip": None}},
            {
                "transform": [_folded(series), {"filter": "isValid(datum.value)"}, _told(clock)],
                "mark": {
                    "type": "line",
                    "strokeWidth": 2,
                    "interpolate": "linear",  # a curve would rise where nothing was measured
                    "point": {"size": 14, "filled": True},
                },
                "encoding": {
                    "y": _value(unit),
                    "color": _colour(series, dark=dark),
                    "tooltip": [_WHEN, *_what(series, unit)],
                },
            },
        ],
    }


@cache
def bars(series: tuple[Series, ...], *, unit: str, clock: str, dark: bool = False) -> Spec:
    """Return columns on top of each other, each from ``TIME`` to ``UNTIL``: what was counted in the parts of a time."""
    return {
        **_FRAME,
        "transform": [_folded(series), _told(clock)],
        "mark": {"type": "bar", "orient": "vertical"},
        "encoding": {
            "x": _time(clock),
            "x2": {"field": UNTIL},
            "y": {**_value(unit), "stack": "zero"},
            "color": _colour(series, dark=dark),
            "tooltip": [_WHEN, *_what(series, unit)],
        },
    }


@cache
def by_name(series: tuple[Series, ...], *, name: str, unit: str, dark: bool = False) -> Spec:
    """Return bars of these columns, one row for each ``name`` in the order of the table."""
    return {
        **_FRAME,
        "transform": [_folded(series)],
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": {
            "y": {"field": name, "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 140}},
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "stack": "zero",
                "axis": {"tickCount": 4, "labelExpr": _LABELS[unit]},
            },
            "color": _colour(series, dark=dark),
            "tooltip": [{"field": name, "title": "Of"}, *_what(series, unit)],
        },
    }


_WHEN = {"field": "when", "type": "nominal", "title": "From"}
_FRAME: dict[str, Any] = {
    "config": {
        "view": {"stroke": None},
        "legend": {"orient": "top", "title": None, "symbolType": "square", "symbolSize": 90, "symbolStrokeWidth": 0},
    },
    "padding": {"left": 0, "right": 4, "top": 0, "bottom": 0},
}


def _folded(series: tuple[Series, ...]) -> dict[str, Any]:
    return {"fold": [one.column for one in series], "as": ["series", "value"]}


def _time(clock: str) -> dict[str, Any]:
    axis = {"grid": False, "tickCount": 6, "format": clock, "labelFlush": True}
    return {"field": TIME, "type": "temporal", "scale": {"type": "utc"}, "title": None, "axis": axis}


def _value(unit: str) -> dict[str, Any]:
    axis = {"tickCount": 4, "labelExpr": _LABELS[unit]}
    return {"field": "value", "type": "quantitative", "title": None, "axis": axis}


def _told(clock: str) -> dict[str, Any]:
    return {"calculate": f"utcFormat(datum.{TIME}, '{clock}')", "as": "when"}


def _what(series: tuple[Series, ...], unit: str) -> list[dict[str, Any]]:
    value = {"field": "value", "type": "quantitative", "title": _TITLES[unit], "format": ",.4~r"}
    return [{"field": "series", "title": "What"}, value] if len(series) > 1 else [value]


def _colour(series: tuple[Series, ...], *, dark: bool) -> dict[str, Any]:
    labels = {one.column: one.label for one in series}
    words = " : ".join(f"datum.value == '{column}' ? '{label}'" for column, label in labels.items())
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(labels), "range": [one.dark if dark else one.light for one in series]},
        "legend": {"labelExpr": f"{words} : datum.value"} if len(series) > 1 else None,
    }
