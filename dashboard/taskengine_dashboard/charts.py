"""Charts as constant Vega-Lite specifications, drawn over Arrow tables. Pure: one engine for all pages.

A specification holds no data and is made once for each set of series and theme: while a page refreshes, only the table
changes. A series is a column of the table, and its colour says what it means: what failed is red on every page.

    charts.over_time((charts.COMPLETED, charts.FAILED), unit=charts.WHOLE, stacked=True, dark=False)
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

TIME = "at"
"""The column of instants that charts over time go along."""

WHOLE, SECONDS, RATE = "whole", "seconds", "rate"
_LABELS = {
    WHOLE: "datum.value < 1000 ? format(datum.value, ',.3~r') : format(datum.value, '.3~s')",
    SECONDS: (
        "datum.value == 0 ? '0' : datum.value < 1 ? format(datum.value * 1000, ',.3~r') + ' ms'"
        " : datum.value < 120 ? format(datum.value, ',.3~r') + ' s' : format(datum.value / 60, ',.3~r') + ' min'"
    ),
    RATE: "format(datum.value, ',.3~r') + '/s'",
}


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
WAIT_P50 = Series("wait_p50", "Wait p50", "#b3a1ea", "#6d5fb0")
WAIT_P95 = Series("wait_p95", "Wait p95", "#6d4fc2", "#b39bf5")
WAIT_P99 = Series("wait_p99", "Wait p99", "#3f2b85", "#dccffd")
RUN_P50 = Series("run_p50", "Run p50", "#8db5ee", "#3f6db5")
RUN_P95 = Series("run_p95", "Run p95", "#2563c9", "#6ea8fe")
RUN_P99 = Series("run_p99", "Run p99", "#143a7a", "#c3dbff")
WAITING = Series("waiting", "Waiting", "#8a63d2", "#b39bf5")

Spec = dict[str, Any]


@cache
def over_time(series: tuple[Series, ...], *, unit: str, stacked: bool = False, dark: bool = False) -> Spec:
    """Return a chart of these columns along ``TIME``: lines, or areas on top of each other."""
    mark: dict[str, Any] = (
        {"type": "area", "line": {"strokeWidth": 1}, "opacity": 0.75, "interpolate": "step-after"}
        if stacked
        else {"type": "line", "strokeWidth": 2, "interpolate": "monotone"}
    )
    return {
        **_FRAME,
        "transform": [_labelled(series)],
        "mark": {**mark, "tooltip": True},
        "encoding": {
            "x": {"field": TIME, "type": "temporal", "title": None, "axis": {"grid": False, "tickCount": 6}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "stack": "zero" if stacked else None,
                "axis": {"tickCount": 4, "labelExpr": _LABELS[unit]},
            },
            "color": _colour(series, dark=dark),
            "tooltip": [
                {"field": TIME, "type": "temporal", "title": "At", "format": "%d %b, %H:%M:%S"},
                {"field": "series", "title": "What"},
                {"field": "value", "type": "quantitative", "title": "Value", "format": ",.4~r"},
            ],
        },
    }


@cache
def by_name(series: tuple[Series, ...], *, name: str, unit: str, dark: bool = False) -> Spec:
    """Return bars of these columns, one row for each ``name`` in the order of the table."""
    return {
        **_FRAME,
        "transform": [_labelled(series)],
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "tooltip": True},
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
        },
    }


_FRAME: dict[str, Any] = {
    "config": {"view": {"stroke": None}, "legend": {"orient": "top", "title": None, "symbolType": "square"}},
    "padding": {"left": 0, "right": 4, "top": 0, "bottom": 0},
}


def _labelled(series: tuple[Series, ...]) -> dict[str, Any]:
    return {"fold": [one.column for one in series], "as": ["series", "value"]}


def _colour(series: tuple[Series, ...], *, dark: bool) -> dict[str, Any]:
    labels = {one.column: one.label for one in series}
    words = " : ".join(f"datum.value == '{column}' ? '{label}'" for column, label in labels.items())
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(labels), "range": [one.dark if dark else one.light for one in series]},
        "legend": {"labelExpr": f"{words} : datum.value"} if len(series) > 1 else None,
    }
