"""Sparks: the course of a count as a few bars without axes, as HTML. Pure.

A page may show many of them: one is some hundred bytes and runs no script, where a chart is a program of its own.
Each bar tells when and how many to the pointer; ``alt`` tells it in short to those who do not see it.
"""

from collections.abc import Sequence
from html import escape

_LEAST = 12
"""Percent of the height: one among thousands is still seen."""
_GAP = 0.2
"""Between two bars, as a part of what each stands for."""


def html(counts: Sequence[int], *, told: Sequence[str], alt: str) -> str:
    """Return counts as bars, oldest first; ``told`` is what the pointer tells of each."""
    most = max(counts, default=0)
    width = 100 / max(len(counts), 1)
    bars = "".join(
        f'<i style="left:{place * width:.1f}%;width:{width * (1 - _GAP):.1f}%;'
        f'height:{max(round(100 * count / most), _LEAST)}%" title="{escape(words)}"></i>'
        for place, (count, words) in enumerate(zip(counts, told, strict=True))
        if count
    )
    return f'<div class="spark" role="img" aria-label="{escape(alt)}">{bars}</div>'
