"""How each state of a job is named, coloured and ordered on every page, and what it allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state as it is shown.

    ``colour`` is Streamlit's name for it, ``chip`` its fill in a table: translucent, to suit light and dark.
    """

    name: str
    label: str
    icon: str
    colour: str
    chip: str
    meaning: str
    is_final: bool = False
    can_retry: bool = False
    can_cancel: bool = False


STATES = (
    State(
        name="SCHEDULED",
        label="Scheduled",
        icon=":material/schedule:",
        colour="violet",
        chip="#8b6ff04d",
        meaning="Waits for its time",
        can_cancel=True,
    ),
    State(
        name="QUEUED",
        label="Queued",
        icon=":material/hourglass_empty:",
        colour="gray",
        chip="#8a93a34d",
        meaning="Ready; waits for a worker",
        can_cancel=True,
    ),
    State(
        name="RUNNING",
        label="Running",
        icon=":material/play_circle:",
        colour="blue",
        chip="#3f83f84d",
        meaning="A worker is at it",
        can_cancel=True,
    ),
    State(
        name="RETRYING",
        label="Retrying",
        icon=":material/replay:",
        colour="orange",
        chip="#e58a2a4d",
        meaning="An attempt failed; waits for the next one",
        can_retry=True,
        can_cancel=True,
    ),
    State(
        name="COMPLETED",
        label="Completed",
        icon=":material/check_circle:",
        colour="green",
        chip="#2fa36b47",
        meaning="Done",
        is_final=True,
    ),
    State(
        name="FAILED",
        label="Failed",
        icon=":material/error:",
        colour="red",
        chip="#e5484d5c",
        meaning="Its attempts are used up, or the error allowed no other",
        is_final=True,
        can_retry=True,
    ),
    State(
        name="CANCELLED",
        label="Cancelled",
        icon=":material/block:",
        colour="gray",
        chip="#8a93a326",
        meaning="Stopped on request",
        is_final=True,
        can_retry=True,
    ),
)
"""In the order of a job's life."""

STATE_NAMES = tuple(state.name for state in STATES)
_BY_NAME = {state.name: state for state in STATES}


def state_of(name: str) -> State:
    """Return how a state is shown; one that a newer API knows and we do not is shown as it is named."""
    return _BY_NAME.get(name) or State(
        name=name,
        label=name.capitalize(),
        icon=":material/help:",
        colour="gray",
        chip="#5b64722e",
        meaning="Unknown to this version of the dashboard",
    )
