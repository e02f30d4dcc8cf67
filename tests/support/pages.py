"""A viewer of the dashboard's pages, without a browser.

page = open_page("jobs", state="FAILED")     the fixture: someone opens that address
page.button(key="retry-selected").click()
look(page)                                   draw it again; no part of it may have failed
texts(page)                                  all that it says
"""

from typing import Any, Protocol

from streamlit.testing.v1 import AppTest


class OpenPage(Protocol):
    """Opens a page by its name; keywords are what stands in the address."""

    def __call__(self, name: str, **params: Any) -> AppTest: ...


def a_page(name: str, **params: Any) -> AppTest:
    """Open a page."""
    page = AppTest.from_function(_app, args=(name,), default_timeout=30)
    for param, value in params.items():
        page.query_params[param] = value
    return look(page)


def look(page: AppTest) -> AppTest:
    """Draw a page (again); no part of it may have failed."""
    page.run()
    assert not page.exception, page.exception
    return page


def texts(page: AppTest) -> str:
    """Return all that stands on a page outside its tables and widgets."""
    kinds = (page.title, page.header, page.markdown, page.caption, page.error, page.code, page.metric)
    values = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*values, *(status.label for status in page.status)])


def links(page: AppTest) -> list[Any]:
    """Return the links to pages, each with label, page and query_string."""
    return [element.proto for element in page.get("page_link")]


def _app(name: str) -> None:
    from taskengine_dashboard import app

    app.main(default=name)
