"""Someone who looks at the dashboard in a browser, and what the browser complained of meanwhile.

viewer.open("/jobs?state=FAILED")
viewer.row_of(job_id)                 the texts of a row, as soon as it is there
viewer.select(job_id)                 its checkbox
viewer.said("Completed")              waits until that stands on the page
viewer.complaints                     console errors, exceptions, and requests to any other host
"""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from support.waiting import wait_until

HEADER, ROW = 33, 36
"""Heights in a table, in pixels: it is drawn on a canvas, so that a click needs a place."""
PROBES = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")
"""Streamlit's page looks for its server below a page's own address first."""
NOT_THERE = "Failed to load resource: the server responded with a status of 404 (Not Found)"
"""What it is told there."""


class Viewer:
    """One page of a browser on one dashboard."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def open(self, path: str = "/") -> None:
        """Open an address and wait for its page."""
        self.page.goto(f"{self.url}{path}")
        expect(self.page.locator("[data-testid=stApp]")).to_have_attribute("data-test-connection-state", "CONNECTED")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)

    def in_a_new_tab(self) -> "Viewer":
        """Return the same person in another tab; what is complained of there is complained of here."""
        other = Viewer(self.page.context.new_page(), self.url)
        other.complaints = self.complaints
        return other

    def sign_in(self, key: str) -> None:
        """Sign in with a key by the page of settings."""
        self.open("/settings")
        self.page.get_by_text("Sign in with a key").click()
        field = self.page.get_by_label("API key")
        field.fill(key)
        field.press("Enter")
        self.said("Signed in with a key")

    def said(self, text: str | re.Pattern[str], timeout: float = 20) -> Locator:
        """Wait until this stands on the page."""
        found = self.page.get_by_text(text).filter(visible=True).first
        expect(found).to_be_visible(timeout=timeout * 1_000)
        return found

    def button(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key} button").first

    def press(self, key: str) -> None:
        """Press a button once it is there and the page stands still: one that has just appeared may be drawn anew."""
        expect(self.button(key)).to_be_visible()
        self.settle()
        self.button(key).click()

    def open_tab(self, name: str) -> None:
        """Press a tab once the drawer that it is in has come to rest: until then it slides, and a press may miss."""
        tab = self.page.get_by_role("tab", name=name)
        expect(tab).to_be_visible()
        places: list[Any] = [None]

        def rests() -> bool:
            self.settle()
            places.append(tab.bounding_box())
            return places[-1] is not None and places[-1] == places[-2]

        wait_until(rests, 20, f"the tab {name} is at rest", every=0.25)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def settle(self) -> None:
        """Wait until nothing is being drawn. A live page is never still for longer than its refresh."""
        expect(self.page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")

    def type_keys(self, *keys: str) -> None:
        """Press keys one after the other, once the page listens for them."""
        expect(self.page.locator(".st-key-browser-script [data-listens]")).to_be_attached()
        self.settle()
        for key in keys:
            self.page.keyboard.press(key)

    def rows(self) -> dict[str, list[str]]:
        """Return the rows of the first table by the short id in their first column, in order."""
        rows: list[list[str]] = self.page.evaluate(
            """() => [...(document.querySelector('[data-testid=stDataFrame] tbody')?.rows ?? [])]
                     .map(row => [...row.cells].map(cell => cell.textContent))"""
        )
        return {row[0]: row for row in rows}

    def row_of(self, job_id: str) -> list[str]:
        """Return a job's row as soon as it is there."""
        short = _short(job_id)
        return wait_until(lambda: self.rows().get(short), 20, f"a row of {job_id}")

    def select(self, job_id: str) -> None:
        """Press the checkbox of a job's row, wherever the row is by now."""
        before = self.selected()
        self.click_row(_short(job_id), 16)
        wait_until(lambda: self.selected() != before, 10, f"the selection changes with {job_id}")

    def open_job(self, job_id: str) -> None:
        """Press a job's id in the table."""
        self.click_row(_short(job_id), 80)
        expect(self.page.get_by_role("dialog")).to_be_visible()

    def selected(self) -> set[str]:
        """Return the short ids of the selected rows."""
        ids: list[str] = self.page.evaluate(
            """() => [...(document.querySelector('[data-testid=stDataFrame] tbody')?.rows ?? [])]
                     .filter(row => row.getAttribute('aria-selected') === 'true')
                     .map(row => row.cells[0].textContent)"""
        )
        return set(ids)

    def close_dialog(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def fill(self, label: str, value: str) -> None:
        """Type into a field and leave it."""
        field = self.page.get_by_role("textbox", name=label)
        field.fill(value)
        field.press("Tab")

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        field = self.page.get_by_role("combobox", name=label)
        field.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        expect(self.page.get_by_role("listbox")).to_have_count(0)  # until then it takes every click

    def click_row(self, first: str, x: float) -> None:
        """Click at ``x`` in the row that begins with this text. Rows move while one looks: look, click, at once."""
        wait_until(lambda: first in self.rows(), 20, f"a row of {first}")
        self.settle()
        number = list(self.rows()).index(first)
        canvas: Any = self.page.locator("[data-testid=data-grid-canvas]").first.bounding_box()
        self.page.mouse.click(canvas["x"] + x, canvas["y"] + HEADER + number * ROW + ROW / 2)

    def _heard(self, message: ConsoleMessage) -> None:
        is_probe = message.text == NOT_THERE and PROBES.search(message.location["url"])
        if message.type == "error" and not is_probe:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _asked(self, url: str) -> None:
        if urlsplit(url).hostname not in {None, "127.0.0.1"}:
            self.complaints.append(f"a request to {url}")


def _short(job_id: str) -> str:
    return f"…{job_id[-8:]}"
