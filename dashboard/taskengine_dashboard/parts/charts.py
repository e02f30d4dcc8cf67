"""Charts on a page, in the viewer's theme."""

from typing import Any

import streamlit as st

from taskengine_dashboard import charts, tables


def chart(data: tables.Table, spec: charts.Spec, *, key: str, alt: str, height: int = 200) -> None:
    """Draw a table by a specification of ``charts``. ``alt`` says what it shows to those who do not see it."""
    draw: Any = st.vega_lite_chart  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - Arrow has no types
    draw(data, spec, key=key, alt=alt, height=height)


def is_dark() -> bool:
    """Whether the viewer's theme is dark."""
    return st.context.theme.type == "dark"
