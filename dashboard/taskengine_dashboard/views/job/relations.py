"""The jobs that a job waits for and those that wait for it, as a small graph. Pure."""

import json
from collections.abc import Iterator, Sequence

from taskengine_dashboard import wording
from taskengine_dashboard.states import state_of
from taskengine_dashboard.views.job.questions import JobDetail, Relative

DRAWN = 8
"""So many on each side: more would be too small to read."""
_FILLS = {
    "light": {"violet": "#ede9fe", "gray": "#eef0f3", "blue": "#dbe8fe", "orange": "#fdecd8", "green": "#d9f2e4"},
    "dark": {"violet": "#3b2f6b", "gray": "#2b313c", "blue": "#1e3a6e", "orange": "#5a3a14", "green": "#1d4a35"},
}
_RED = {"light": "#fbdfe0", "dark": "#5f2124"}
_TEXT = {"light": "#1b2230", "dark": "#e7eaf0"}
_LINE = {"light": "#8a93a3", "dark": "#7b8494"}


def graph(job: JobDetail, *, dark: bool) -> str:
    """Return the graph in the language of Graphviz, from those that come first to those that come later."""
    return "\n".join(_lines(job, "dark" if dark else "light"))


def _lines(job: JobDetail, theme: str) -> Iterator[str]:
    yield "digraph {"
    yield '  rankdir=LR; bgcolor="transparent"; nodesep=0.15; ranksep=0.4'
    yield (
        '  node [shape=box style="rounded,filled" fontname="Inter" fontsize=11 height=0.4 margin="0.15,0.05" '
        f'penwidth=0 fontcolor="{_TEXT[theme]}"]'
    )
    yield f'  edge [color="{_LINE[theme]}" arrowsize=0.6]'
    yield _node(Relative(id=job.id, state=job.state, task=job.task), theme, is_this=True)
    before, after = job.depends_on[:DRAWN], job.dependents[:DRAWN]
    for other in (*before, *after):
        yield _node(other, theme)
    for first, then in (*((one.id, job.id) for one in before), *((job.id, one.id) for one in after)):
        yield f"  {_quoted(first)} -> {_quoted(then)}"
    yield "}"


def _node(job: Relative, theme: str, *, is_this: bool = False) -> str:
    state = state_of(job.state)
    fill = _RED[theme] if state.colour == "red" else _FILLS[theme].get(state.colour, _FILLS[theme]["gray"])
    border = f' penwidth=1.5 color="{_LINE[theme]}"' if is_this else ""
    label = f"{job.task}\n{state.label} {wording.short_id(job.id)}"
    return f'  {_quoted(job.id)} [label={_quoted(label)} fillcolor="{fill}"{border}]'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def in_words(job: JobDetail) -> str:
    """Return what the graph shows, for those who do not see it."""
    return f"Waits for {_named(job.depends_on)}; {_named(job.dependents)} wait for it"


def _named(jobs: Sequence[Relative]) -> str:
    return ", ".join(f"{job.task} ({state_of(job.state).label.lower()})" for job in jobs) or "no jobs"
