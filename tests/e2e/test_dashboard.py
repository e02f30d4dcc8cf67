"""The dashboard in a browser, on a system that really runs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until

FAR = 3_600.0
"""Seconds of delay that no test waits for."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system of the universal task. Each test uses a queue of its own."""
    house = Household(tmp_path_factory.mktemp("house"))
    try:
        yield house.start()
    finally:
        house.stop()


def kill_api(house: Household) -> None:
    """Kill the API, if it runs: it is started again after a moment."""
    api = house.processes().get("api")
    if api is not None:
        api.kill()


def test_a_job_is_enqueued_by_the_form_and_watched_to_its_end(house: Household, viewer: Viewer) -> None:
    viewer.open("/enqueue?task=universal")
    viewer.fill("Message", "by hand")
    viewer.page.get_by_role("spinbutton", name="Ms").fill("2500")
    viewer.page.get_by_role("spinbutton", name="Steps").fill("20")
    viewer.page.keyboard.press("Tab")
    viewer.press("enqueue-send")
    viewer.press("enqueue-open")
    viewer.said("Running")
    viewer.said(re.compile(r"\d+ of 20"))
    viewer.said("Run 1 completed")
    viewer.open_tab("Arguments")
    viewer.said(re.compile(r'"message": "by hand"'))
    job_id = re.search(r"job=(\w+)", viewer.page.url)
    assert job_id
    assert house.job(job_id[1])["state"] == "COMPLETED"


def test_what_the_api_refuses_is_said_at_its_field(viewer: Viewer) -> None:
    viewer.open("/enqueue?task=universal")
    viewer.fill("Value", '"x"')
    viewer.choose("Queue", "default")
    viewer.page.get_by_role("radio", name="JSON").click()
    text = viewer.page.get_by_role("textbox", name="An object with the arguments by name")
    text.fill('{"ms": "soon"}')
    viewer.press("enqueue-send")
    viewer.said(re.compile('ms: expected integer, got "soon"'))
    viewer.said("Not enqueued")


def test_figures_follow_what_happens(house: Household, viewer: Viewer) -> None:
    viewer.open("/jobs?queue=figures")
    viewer.said("No job matches")
    job_id = house.enqueue("universal", {"ms": 1}, queue="figures")
    assert viewer.row_of(job_id)[2:4] == ["universal", "figures"]
    wait_until(lambda: viewer.row_of(job_id)[1] == "COMPLETED", 20, "the row says COMPLETED")


def test_a_failed_job_is_opened_understood_and_retried(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"do": "FAIL", "message": "no luck"}, queue="retries", maxAttempts=1)
    house.until(job_id, "FAILED")
    viewer.open("/jobs?state=FAILED&queue=retries")
    viewer.open_job(job_id)
    viewer.open_tab("Errors")
    viewer.said(re.compile("Traceback"))
    viewer.press("drawer-retry")
    viewer.said("Retried 1 job.")
    wait_until(lambda: house.job(job_id)["attemptCount"] == 2, 20, "it was tried again")
    viewer.open_tab("Timeline")
    viewer.said(re.compile("Run 2 failed"))
    viewer.close_dialog()
    expect(viewer.page).not_to_have_url(re.compile("job="))


def test_selected_jobs_are_cancelled_while_others_arrive(house: Household, viewer: Viewer) -> None:
    wanted = [house.enqueue("universal", {}, queue="cancels", delaySeconds=FAR) for _ in range(2)]
    viewer.open("/jobs?queue=cancels")
    for job_id in wanted:
        viewer.select(job_id)
    others = [house.enqueue("universal", {}, queue="cancels", delaySeconds=FAR) for _ in range(3)]
    for job_id in others:
        viewer.row_of(job_id)
    assert viewer.selected() == {f"…{job_id[-8:]}" for job_id in wanted}
    viewer.press("cancel-selected")
    viewer.said("Cancel 2 jobs?")
    assert {house.job(job_id)["state"] for job_id in wanted} == {"SCHEDULED"}
    viewer.press("confirm-yes")
    viewer.said("Cancelled 2 jobs.")
    assert {house.job(job_id)["state"] for job_id in wanted} == {"CANCELLED"}
    assert {house.job(job_id)["state"] for job_id in others} == {"SCHEDULED"}
    wait_until(lambda: viewer.row_of(wanted[0])[1] == "CANCELLED", 10, "the row says so")


def test_a_running_job_is_stopped(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"do": "HANG"}, queue="stops")
    house.until(job_id, "RUNNING")
    viewer.open(f"/jobs?queue=stops&job={job_id}")
    viewer.press("drawer-cancel")
    viewer.press("drawer-yes")
    viewer.said("Cancelled 1 job.")
    house.until(job_id, "CANCELLED")
    viewer.said(re.compile("Run 1 was stopped"))


def test_an_address_can_be_sent_and_gone_back_to(house: Household, viewer: Viewer) -> None:
    house.enqueue("universal", {}, queue="links", delaySeconds=FAR)
    viewer.open("/jobs?queue=links")
    viewer.page.get_by_role("radio", name="Failed").click()
    viewer.said("No job matches")
    expect(viewer.page).to_have_url(re.compile("state=FAILED"))
    viewer.page.reload()
    viewer.said("No job matches")
    viewer.page.go_back()
    wait_until(lambda: len(viewer.rows()) == 1, 20, "the job is listed again")


def test_the_last_figures_stay_while_the_api_is_away_and_it_recovers_by_itself(
    house: Household, viewer: Viewer
) -> None:
    job_id = house.enqueue("universal", {}, queue="away", delaySeconds=FAR)
    viewer.open("/jobs?queue=away")
    viewer.select(job_id)
    banner = viewer.page.get_by_text("The API is not reachable")
    wait_until(lambda: kill_api(house) or banner.is_visible(), 60, "the page says that the API is away", every=0.2)
    assert viewer.row_of(job_id)[1] == "SCHEDULED"
    expect(viewer.button("cancel-selected")).to_be_disabled()
    expect(banner).to_have_count(0, timeout=60_000)
    expect(viewer.button("cancel-selected")).to_be_enabled()
    assert viewer.selected() == {f"…{job_id[-8:]}"}


def test_a_page_is_never_greyed_while_it_refreshes(viewer: Viewer) -> None:
    viewer.open("/")
    faintest: float = viewer.page.evaluate(
        """() => new Promise(done => {
             let faintest = 1
             const until = performance.now() + 5000
             const look = () => {
               for (const element of document.querySelectorAll('[data-testid=stElementContainer]'))
                 faintest = Math.min(faintest, Number(getComputedStyle(element).opacity))
               performance.now() < until ? requestAnimationFrame(look) : done(faintest)
             }
             look()
           })"""
    )
    assert faintest == 1


def test_the_frame_follows_when_it_gets_dark(viewer: Viewer) -> None:
    viewer.page.emulate_media(color_scheme="light")
    viewer.open("/queues")
    logo = viewer.page.locator("[data-testid=stSidebarHeader] img").first
    by_day = logo.get_attribute("src")
    assert by_day
    viewer.page.emulate_media(color_scheme="dark")
    expect(logo).not_to_have_attribute("src", by_day, timeout=20_000)
    viewer.page.emulate_media(color_scheme="light")
    expect(logo).to_have_attribute("src", by_day, timeout=20_000)


@pytest.mark.parametrize("path", ["/", "/jobs", "/enqueue?task=universal"])
def test_nothing_is_wider_than_a_phone(viewer: Viewer, path: str) -> None:
    viewer.page.set_viewport_size({"width": 390, "height": 844})
    viewer.open(path)
    wider = viewer.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0


def test_nothing_is_asked_while_the_tab_is_hidden(house: Household, viewer: Viewer) -> None:
    said: list[bytes] = []
    viewer.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: said.append(frame)))  # noqa: PLW0108 - Playwright marks the handler
    viewer.open("/jobs?queue=unseen")
    viewer.said("No job matches")

    def heard() -> list[bytes]:
        viewer.page.evaluate("0")  # what the page has sent is heard before its answer
        return said

    def look(away: bool) -> None:
        viewer.page.evaluate(
            "(away) => { Object.defineProperty(document, 'hidden', { value: away, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')) }",
            away,
        )

    viewer.page.locator("[data-listens]").first.wait_for(state="attached")
    look(away=True)
    wait_until(lambda: any(b"hidden" in frame for frame in heard()), 20, "the page tells that it is hidden")
    house.until(house.enqueue("universal", {"ms": 2_500}, queue="unseen"), "COMPLETED")
    before = len(heard())
    job_id = house.enqueue("universal", {"ms": 4_500}, queue="unseen")  # for two refreshes
    house.until(job_id, "COMPLETED")
    assert len(heard()) == before
    look(away=False)
    assert viewer.row_of(job_id)[1] == "COMPLETED"
