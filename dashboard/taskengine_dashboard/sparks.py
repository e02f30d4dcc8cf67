"""Sparks: the course of a count as a few bars without axes, as SVG text. Pure.

A page may show many of them: one is a few hundred bytes and runs no script, where a chart is a program of its own.
Each bar tells when and how many to the pointer; ``alt`` tells all of it to those who do not see it.
"""

from collections.abc import Sequence
from html import escape

_HEIGHT = 24
_GAP = 0.2
"""Between two bars, as a part of what each stands for."""
_LEAST = 3
"""Of the height: one among thousands is still seen."""


def svg(counts: Sequence[int], *, told: Sequence[str], alt: str) -> str:
    """Return counts as bars, oldest first; ``told`` is what the pointer tells of each."""
    most = max(counts, default=0)
    bars = "".join(
        _bar(place, max(count / most * _HEIGHT, _LEAST), words)
        for place, (count, words) in enumerate(zip(counts, told, strict=True))
        if count
    )
    return (
        f'<svg class="spark" role="img" aria-label="{escape(alt)}" viewBox="0 0 {max(len(counts), 1)} {_HEIGHT}" '
        f'preserveAspectRatio="none">{bars}</svg>'
    )


def _bar(place: int, height: float, words: str) -> str:
    return (
        f'<rect x="{place + _GAP / 2:.1f}" y="{_HEIGHT - height:.1f}" width="{1 - _GAP:.1f}" height="{height:.1f}">'
        f"<title>{escape(words)}</title></rect>"
    )
