"""The course of a problem on a page: when it happened, in the viewer's time zone."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import charts, sparks, wording
from taskengine_dashboard.model.failures import CoursePoint, Span
from taskengine_dashboard.parts.times import viewer_zone

_EACH: dict[Span, str] = {"HOUR": "minute", "DAY": "hour", "WEEK": "quarter of a day"}


def spark(course: Sequence[CoursePoint], span: Span) -> None:
    """Draw how often something happened in each part of a span, under a few words that say which parts those are."""
    st.caption(f"Last {span.lower()}, each {_EACH[span]}")
    zone = viewer_zone()
    times = wording.plural(sum(point.count for point in course), "time")
    st.html(
        sparks.html(
            [point.count for point in course],
            told=[
                f"{point.at.astimezone(zone):{charts.CLOCKS[span]}}: {wording.count(point.count)}" for point in course
            ],
            alt=f"{times} in the last {span.lower()}; most in one {_EACH[span]}: "
            f"{wording.count(max((point.count for point in course), default=0))}",
        )
    )
