"""Sparks: the course of a count as a few bars without axes, as HTML. Pure.

A page may show many of them: one is a kilobyte and runs no script, where a chart is a program of its own.
Each bar tells when and how many to the pointer; ``alt`` tells it in short to those who do not see it.
"""

from collections.abc import Sequence
from html import escape

_LEAST = 12
"""Percent of the height: one among thousands is still seen."""


def html(counts: Sequence[int], *, told: Sequence[str], alt: str) -> str:
    """Return counts as bars, oldest first; ``told`` is what the pointer tells of each."""
    most = max(counts, default=0)
    bars = "".join(
        f'<i style="height:{max(round(100 * count / most), _LEAST)}%" title="{escape(words)}"></i>'
        if count
        else "<i></i>"
        for count, words in zip(counts, told, strict=True)
    )
    return f'<div class="spark" role="img" aria-label="{escape(alt)}">{bars}</div>'
