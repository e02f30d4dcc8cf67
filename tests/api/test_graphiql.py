"""GraphiQL: our own files, a page that loads nothing from elsewhere, and examples that run."""

import re
from collections.abc import AsyncGenerator

import pytest
from graphql import OperationDefinitionNode, parse, validate
from playwright.async_api import Page, async_playwright, expect

from support import chromium
from support.api import Api, running_api
from support.waiting import until
from taskengine_api import graphiql
from taskengine_api.schema.build import Schema
from taskengine_api.settings import ApiSettings

EXAMPLES = (graphiql.FILES / "examples.js").read_text("utf-8")
DOCUMENTS = [text.replace("\\`", "`") for text in re.findall(r"query: `(.*?)(?<!\\)`,", EXAMPLES, re.DOTALL)]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def test_a_browser_gets_the_page(api: Api) -> None:
    response = await api.http.get("/graphql", headers={"Accept": BROWSER})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


async def test_the_page_loads_only_what_we_serve(api: Api) -> None:
    page = (await api.http.get("/graphql", headers={"Accept": BROWSER})).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 8
    assert "<script>" not in page
    for path in loaded:
        if not path.startswith("data:"):
            assert not path.startswith(("http", "//", "/"))
            assert (await api.http.get(f"/{path}")).status_code == 200, path


async def test_a_browser_that_asks_a_query_gets_its_answer(api: Api) -> None:
    response = await api.http.get("/graphql", params={"query": "{ counts { queued } }"}, headers={"Accept": BROWSER})
    assert response.json()["data"] == {"counts": {"queued": 0}}


async def test_it_can_be_turned_off(redis_url: str) -> None:
    async with running_api(redis_url, api=ApiSettings(graphiql=False)) as api:
        response = await api.http.get("/graphql", headers={"Accept": BROWSER})
        assert response.status_code == 404
        assert response.json()["errors"]
        assert (await api.http.get("/static/graphiql/page.js")).status_code == 404


async def test_files_beside_it_are_not_served(api: Api) -> None:
    for path in ("/static/graphiql/../../app.py", "/static/graphiql/%2e%2e/%2e%2e/app.py"):
        assert (await api.http.get(path)).status_code == 404


def test_each_library_has_its_licence() -> None:
    licences = (graphiql.FILES / "LICENSES.txt").read_text("utf-8")
    ours = {"index.html", "page.js", "page.css", "examples.js", "LICENSES.txt"}
    for file in graphiql.FILES.iterdir():
        if file.name not in ours:
            assert file.stem.removesuffix(".min") in licences, file.name


def test_each_example_is_valid() -> None:
    schema = Schema().core
    for document in DOCUMENTS:
        node = parse(document)
        assert validate(schema, node) == []
        assert all(one.name for one in node.definitions if isinstance(one, OperationDefinitionNode))


def test_they_answer_what_one_asks_first() -> None:
    names = [
        operation
        for document in DOCUMENTS
        for operation in re.findall(r"^(?:query|mutation|sub\w+) (\w+)", document, re.MULTILINE)
    ]
    assert names == ["Overview", "Failing", "Waiting", "Watch", "Enqueue", "Job", "Retry", "Cancel"]


@pytest.mark.parametrize("name", ["Overview", "Failing", "Waiting", "Job"])
async def test_an_example_that_asks_is_answered(api: Api, name: str) -> None:
    job = await api.enqueue()
    (document,) = (document for document in DOCUMENTS if f"query {name}" in document)
    variables = {"id": job} if name == "Job" else {}
    assert all(value is not None for value in (await api.data(document, **variables)).values())


@pytest.fixture
async def page() -> AsyncGenerator[Page]:
    """A page of a headless Chromium, driven from this event loop."""
    program = chromium.chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=chromium.ARGUMENTS)
        yield await browser.new_page(viewport={"width": 1280, "height": 900})
        await browser.close()


async def test_it_works_in_a_browser_without_anyone_else(api: Api, address: str, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    run = page.locator(".graphiql-execute-button")
    result = page.locator(".result-window")

    await page.goto(f"http://{address}/graphql")
    await run.click()
    await expect(result).to_contain_text('"enqueueField": "enqueueUniversal"', timeout=20_000)

    # A tab follows what happens, live.
    await page.get_by_role("tab", name="Watch").click()
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("subscription Watch")

    async def live() -> bool:
        # GraphiQL takes a moment to notice which operation the new tab has; till then it runs nothing.
        if not api.client._feed._subscribers and await page.get_by_label("Execute query").is_visible():
            await run.click()
        return bool(api.client._feed._subscribers)

    await until(live)
    job_id = await api.enqueue()
    await expect(result).to_contain_text(job_id)

    # Leaving the page ends the subscription.
    await page.goto("about:blank")

    async def gone() -> bool:
        return not api.client._feed._subscribers

    await until(gone)
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"http://{address}/", "data:", "blob:", "about:"))] == []
