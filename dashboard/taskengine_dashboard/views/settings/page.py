"""Settings: who you are here, what answers, and how pages look."""

from zoneinfo import available_timezones

import streamlit as st

from taskengine_dashboard import parts, wording
from taskengine_dashboard.model.frame import Frame, Role, System, Viewer
from taskengine_dashboard.parts.preferences import BROWSER, THEME, THEMES, ZONE
from taskengine_dashboard.source import source
from taskengine_dashboard.tokens import claims_of
from taskengine_dashboard.views.settings import questions

_MAY = {
    Role.VIEWER: "look at everything, and change nothing",
    Role.OPERATOR: "look, and steer jobs, queues, tasks, workers and schedules",
    Role.ADMIN: "do everything: also delete many jobs at once, and set limits",
}

_THEME_ICONS = {"System": ":material/contrast:", "Light": ":material/light_mode:", "Dark": ":material/dark_mode:"}


def render() -> None:
    """Draw the page."""
    parts.live(_live)
    st.header("How pages look", anchor=False)
    _looks()


def _live() -> None:
    reading = parts.header("Settings", questions.settings)
    if reading.value is None:
        parts.wait_for_first_answer(reading)
        return
    with st.grid(2, min_column_width=340, gap="medium"):
        with st.container():
            _you(reading.value.frame)
        with st.container():
            _answers(reading.value.frame.system)


def _you(frame: Frame) -> None:
    st.header("You", anchor=False)
    _facts({"Name": wording.plain(frame.viewer.name), "Role": frame.viewer.role.name, "How": _how(frame.viewer)})
    st.caption(f"You may {_MAY[frame.viewer.role]}.")
    if source().viewer.is_signed_in:
        st.button("Sign out", icon=":material/logout:", key="sign-out", on_click=_leave)
    else:
        with st.expander("Sign in with a key", icon=":material/key:"):
            parts.sign_in_form()


def _how(viewer: Viewer) -> str:
    settings, looks = source().settings, source().viewer
    if looks.api_key and looks.is_signed_in:
        issuer = claims_of(looks.api_key).get("iss")
        if issuer is None:
            return "Signed in with a key"
        # A token may also have been given where a key is asked for, and the API may know more issuers than we do.
        ours = settings.provider_name if issuer == settings.oidc_issuer else None
        return f"Signed in by {wording.plain(ours or str(issuer))}"
    if settings.api_key:
        return "Not signed in: by the dashboard's own key"
    return "Not signed in: from this machine itself" if viewer.name else wording.NOTHING


def _leave() -> None:
    parts.leave()
    st.rerun()


def _answers(system: System) -> None:
    st.header("What answers", anchor=False)
    limit = system.redis_memory_limit_bytes
    of = f" of {wording.size(limit)}" if limit else ""
    _facts(
        {
            "API": f"`{source().api_url}`",
            "TaskEngine": system.version,
            "Redis": f"{system.redis_version}, {wording.size(system.redis_memory_bytes)}{of}",
            "Kept on disk": system.persistence,
        }
    )
    st.caption(
        "A key opens the API as well, as `Authorization: Bearer …`. `taskengine keys create NAME --role ROLE` makes "
        "one, `taskengine keys list` and `taskengine keys revoke` show and end them."
    )


def _looks() -> None:
    with st.container(width=420):
        st.segmented_control(
            "Theme",
            THEMES,
            format_func=lambda theme: f"{_THEME_ICONS[theme]} {theme}",
            key=THEME,
            required=True,
            persist_state="session",
            help="System is light or dark as the browser prefers",
        )
        st.selectbox(
            "Time zone",
            (BROWSER, *sorted(available_timezones())),
            format_func=lambda zone: f"The browser's ({st.context.timezone or 'UTC'})" if zone == BROWSER else zone,
            key=ZONE,
            persist_state="session",
        )
    st.caption(
        "How often pages refresh stands in the sidebar. All of it is kept in this browser. Press `?` for the keys."
    )


def _facts(facts: dict[str, str]) -> None:
    names = [f":gray[{name}]" for name in facts]
    parts.small_table({"fact": names, "value": list(facts.values())}, alt="Facts", hide_header=True)
