"""What Streamlit runs for each viewer: the frame around the pages, and which page is shown."""

from pathlib import Path

import streamlit as st

from taskengine_dashboard import navigation, parts
from taskengine_dashboard.views.job import drawer

PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"


def main(default: str = navigation.OVERVIEW) -> None:
    """Draw the frame and the page that the address asks for; ``default`` is what the bare address shows."""
    st.set_page_config(
        page_title="TaskEngine",
        # Before the menu: until a file is set, Streamlit fetches the page's menu icon from Google to show in the tab.
        page_icon=str(STATIC / "mark.svg"),
        layout="wide",
    )
    parts.recall()
    page = st.navigation([navigation.page(name, default=default) for name in navigation.NAMES])
    st.set_page_config(page_title=f"{page.title} · TaskEngine")
    st.html(PACKAGE / "style.css")
    st.logo(str(STATIC / parts.logo()), icon_image=str(STATIC / "mark.svg"), size="large")
    parts.sidebar()
    parts.browser()
    parts.renewal()
    page.run()
    if not (parts.open_question() or parts.open_help()):  # one thing at a time floats over a page
        drawer.open_if_asked()
    parts.show_notice()  # last: what floats is kept by number, and a notice must not move the drawer


if __name__ == "__main__":
    main()
