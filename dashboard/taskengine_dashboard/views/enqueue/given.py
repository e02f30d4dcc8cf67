"""What the form begins with: nothing, what was given in the other way before, or the arguments of an earlier job."""

from typing import Any

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.model.tasks import TaskInfo
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.enqueue import questions, schemas
from taskengine_dashboard.views.enqueue.requests import ARGS

AGAIN = "again"
"""In the address: the job whose arguments these are, to be run once more."""
_GIVEN, _BEGUN = "enqueue-given", "enqueue-begun"


def given(task: TaskInfo) -> dict[str, Any]:
    """Return the arguments that the form begins with."""
    given_for, args = st.session_state.get(_GIVEN, (None, None))
    return args if given_for == task.name and is_object(args) else {}


def text_key(task: TaskInfo) -> str:
    """Return the key of the text area that holds the arguments as JSON."""
    return f"enqueue-json-{task.name}"


def begin_with(task: TaskInfo, args: Any) -> None:
    """Let the form, and the text, hold these arguments. Secrets are kept, and not shown."""
    st.session_state[text_key(task)] = wording.pretty(schemas.masked(args, task.schema))
    st.session_state[_GIVEN] = (task.name, args)
    for key in [str(key) for key in st.session_state if str(key).startswith(f"enqueue-{task.name}-{ARGS}-")]:
        del st.session_state[key]  # rows too are to be those that were given


def draw_again(task: TaskInfo) -> str | None:
    """Draw which job is to be run once more, if the address says so; return its id."""
    wanted = st.query_params.get(AGAIN)
    first = questions.first(wanted).value if wanted else None
    if first is None or first.task != task.name:
        if st.session_state.pop(_BEGUN, None):
            begin_with(task, {})
        if first is not None:
            st.caption(f"There is no job {wording.plain(str(wanted))} of this task to begin with.")
        return None
    if st.session_state.get(_BEGUN) != first.job_id:
        st.session_state[_BEGUN] = first.job_id
        begin_with(task, first.args)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="enqueue-again"):
        st.markdown(
            f":blue-badge[:material/replay: Again] as `{first.job_id}`, but for what you change."
            f" A secret that is shown as {wording.plain(schemas.MARKER)} stays what it was.",
            width="content",
        )
        st.button("Begin with nothing", key="enqueue-anew", type="tertiary", on_click=_forget)
    return first.job_id


def _forget() -> None:
    del st.query_params[AGAIN]
