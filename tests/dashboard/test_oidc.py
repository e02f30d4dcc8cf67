"""Signing in by an identity provider: the routes between it, the browser and the API."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from support.fake_api import FakeApi
from support.provider import CLIENT_ID, CLIENT_SECRET, Provider
from taskengine_dashboard import oidc_routes, session
from taskengine_dashboard.identity import COOKIE, PROBLEM, RENEWAL
from taskengine_dashboard.oidc import provider_of
from taskengine_dashboard.origins import OnlyOurPages
from taskengine_dashboard.sealed import Seal
from taskengine_dashboard.settings import DashboardSettings
from taskengine_dashboard.tokens import claims_of

US = "http://127.0.0.1:8501"
FLOW = oidc_routes.FLOW
STALE = "That sign-in was begun in another browser, or too long ago. Sign in again."


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def settings(provider: Provider) -> DashboardSettings:
    return settings_of(provider)


@pytest.fixture
async def browser(settings: DashboardSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on a page of ours."""
    async with a_browser(settings) as browser:
        yield browser


def settings_of(provider: Provider, url: str = US, **changed: str) -> DashboardSettings:
    names = provider.settings(url) | changed
    return DashboardSettings.from_env({f"TASKENGINE_DASHBOARD_{name.upper()}": text for name, text in names.items()})


def a_browser(settings: DashboardSettings) -> httpx.AsyncClient:
    """Return a browser on a page of a dashboard process of its own."""
    url = settings.public_url or US
    own = provider_of(settings)
    app = Starlette(
        routes=[*session.routes(own), *oidc_routes.routes(own)],
        middleware=[Middleware(OnlyOurPages, hosts=("127.0.0.1", "jobs.test"))],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url, headers={"origin": url})


async def begin(browser: httpx.AsyncClient, following: object = "/jobs?queue=mail") -> str:
    """Press the button; return where that leads."""
    answer = await browser.post("/auth/oidc", json={"next": following})
    assert answer.status_code == 200, answer.text
    return answer.json()["leads_to"]


async def at_the_provider(address: str) -> str:
    """Sign in there; return where that leads back, without the host."""
    async with httpx.AsyncClient() as other:
        back = urlsplit((await other.get(address)).headers["location"])
    return f"{back.path}?{back.query}"


async def come_back(browser: httpx.AsyncClient, following: object = "/jobs?queue=mail") -> httpx.Response:
    """Sign in and come back."""
    return await browser.get(await at_the_provider(await begin(browser, following)))


def problem(browser: httpx.AsyncClient) -> str | None:
    """Return what the page says of the last try."""
    kept = Seal(CLIENT_SECRET).open("problem", browser.cookies.get(PROBLEM), 60)
    return kept["said"] if kept else None


def cookie(answer: httpx.Response, name: str) -> str:
    return next(text for text in answer.headers.get_list("set-cookie") if text.startswith(f"{name}="))


# There and back


async def test_one_is_led_to_the_provider_and_back_to_the_page_with_a_cookie(
    api: FakeApi, provider: Provider, browser: httpx.AsyncClient
) -> None:
    answer = await come_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?queue=mail")
    token = browser.cookies[COOKIE]
    assert api.keys == [token]
    assert (claims_of(token)["sub"], claims_of(token)["aud"]) == ("vera", CLIENT_ID)
    assert problem(browser) is None


async def test_the_cookie_is_that_of_a_key_and_ends_with_the_token(
    provider: Provider, browser: httpx.AsyncClient
) -> None:
    answer = await come_back(browser)
    said = cookie(answer, COOKIE)
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    assert "Path=/" in said
    age = int(next(part for part in said.split("; ") if part.startswith("Max-Age=")).partition("=")[2])
    assert 620 <= age <= 630  # the API grants half a minute
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_provider_is_asked_with_state_nonce_and_a_challenge(browser: httpx.AsyncClient) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(await begin(browser)).query).items()}
    assert asked["redirect_uri"] == f"{US}/auth/oidc/callback"
    assert asked["scope"] == "openid profile email"
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 20


async def test_what_is_to_be_compared_stays_sealed_in_a_short_lived_cookie(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/auth/oidc", json={"next": "/"})
    said = cookie(answer, FLOW)
    assert "HttpOnly; Max-Age=600; Path=/; SameSite=lax" in said
    asked = parse_qs(urlsplit(answer.json()["leads_to"]).query)
    assert asked["state"][0] not in said
    back = await browser.get(await at_the_provider(answer.json()["leads_to"]))
    assert "Max-Age=0" in cookie(back, FLOW)
    assert FLOW not in browser.cookies


async def test_behind_tls_cookies_travel_by_tls_alone_and_no_neighbour_can_plant_one(provider: Provider) -> None:
    async with a_browser(settings_of(provider, "https://jobs.test")) as browser:
        answer = await come_back(browser)
        assert "; Secure" in cookie(answer, COOKIE)
        assert "; Secure" in cookie(answer, f"__Host-{FLOW}")


async def test_another_process_of_the_same_configuration_goes_on(
    settings: DashboardSettings, browser: httpx.AsyncClient
) -> None:
    back = await at_the_provider(await begin(browser))
    async with a_browser(settings) as other:
        other.cookies = browser.cookies
        assert (await other.get(back)).status_code == 303
        assert COOKIE in other.cookies


async def test_another_secret_opens_nothing(settings: DashboardSettings, browser: httpx.AsyncClient) -> None:
    back = await at_the_provider(await begin(browser))
    async with a_browser(replace(settings, oidc_client_secret="another")) as other:
        other.cookies = browser.cookies
        await other.get(back)
        assert COOKIE not in other.cookies


async def test_the_access_token_opens_the_api_where_it_is_set_to(provider: Provider) -> None:
    async with a_browser(settings_of(provider, oidc_token="access")) as browser:
        await come_back(browser)
        assert claims_of(browser.cookies[COOKIE])["use"] == "access"


async def test_a_provider_that_wants_the_secret_in_the_body_gets_it_there(provider: Provider) -> None:
    provider.endpoints = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with a_browser(settings_of(provider)) as browser:
        await come_back(browser)
    assert provider.forms[0]["client_secret"] == CLIENT_SECRET


# Only back to us


@pytest.mark.parametrize(
    "following",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example",
        "/a\\b",
        "\\\\elsewhere.example",
        "/jobs\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "jobs",
        "/auth/oidc/callback?code=x",
        "/" + "x" * 3_000,
        "",
        None,
        7,
    ],
)
async def test_one_is_led_back_to_our_own_pages_alone(browser: httpx.AsyncClient, following: object) -> None:
    assert (await come_back(browser, following)).headers["location"] == "/"


@pytest.mark.parametrize("path", ["/auth/oidc", "/auth/oidc/renew"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
async def test_pages_of_other_sites_begin_and_renew_nothing(
    provider: Provider, browser: httpx.AsyncClient, path: str, origin: str
) -> None:
    assert (await browser.post(path, json={}, headers={"origin": origin})).status_code == 403
    assert (await browser.post(path, content="{}", headers={"content-type": "text/plain"})).status_code == 415
    assert (await browser.get(path)).status_code == 405
    assert provider.asked == []


async def test_who_is_at_another_address_is_told_where_to_begin(browser: httpx.AsyncClient) -> None:
    elsewhere = {"host": "jobs.test", "origin": "http://jobs.test"}
    answer = await browser.post("/auth/oidc", json={}, headers=elsewhere)
    assert answer.status_code == 409
    assert answer.json()["message"] == f"Open {US} to sign in with localhost: it leads back there."


# What is refused


async def refused(browser: httpx.AsyncClient, back: str) -> str:
    """Come back in vain; return what the page says."""
    answer = await browser.get(back)
    assert answer.status_code == 303
    assert COOKIE not in browser.cookies
    said = problem(browser)
    assert said is not None
    return said


async def test_another_state_signs_nobody_in(provider: Provider, browser: httpx.AsyncClient) -> None:
    back = await at_the_provider(await begin(browser))
    assert await refused(browser, back.partition("state=")[0] + "state=another") == STALE
    assert provider.forms == []


async def test_a_sign_in_of_another_browser_signs_nobody_in(
    provider: Provider, settings: DashboardSettings, browser: httpx.AsyncClient
) -> None:
    back = await at_the_provider(await begin(browser))
    async with a_browser(settings) as victim:
        assert await refused(victim, back) == STALE
        await begin(victim)
        assert await refused(victim, back) == STALE
    assert provider.forms == []


async def test_coming_back_twice_signs_nobody_in(provider: Provider, browser: httpx.AsyncClient) -> None:
    back = await at_the_provider(await begin(browser))
    flow = browser.cookies[FLOW]
    await browser.get(back)
    browser.cookies.clear()
    assert await refused(browser, back) == STALE
    browser.cookies.set(FLOW, flow)  # also not who has kept the cookie: the provider takes a code once
    assert await refused(browser, back) == "localhost refused this sign-in. Sign in again."


@pytest.mark.parametrize(
    "says",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://login.example.org"},
        {"exp": 1_700_000_000},
        {"sub": None},
    ],
    ids=" ".join,
)
async def test_what_the_provider_says_has_to_be_for_this_sign_in(
    provider: Provider, api: FakeApi, browser: httpx.AsyncClient, says: dict[str, Any]
) -> None:
    provider.says = says
    back = await at_the_provider(await begin(browser))
    assert await refused(browser, back) == "What localhost says of you is not valid here. Sign in again."
    assert api.sent == []


async def test_a_token_that_another_signed_is_not_believed(
    provider: Provider, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await at_the_provider(await begin(browser))
    documents = provider.documents()
    provider.rotate("one")  # by the same name
    monkeypatch.setattr(provider, "documents", lambda: documents)
    assert "is not valid here" in await refused(browser, back)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
async def test_a_code_that_the_provider_refuses_signs_nobody_in(
    provider: Provider, browser: httpx.AsyncClient, error: str
) -> None:
    provider.refuses = error
    back = await at_the_provider(await begin(browser))
    assert await refused(browser, back) == "localhost refused this sign-in. Sign in again."


@pytest.mark.parametrize(("error", "said"), [("access_denied", "access_denied"), ("<b>Buy!</b>", "error")])
async def test_what_the_provider_refuses_is_told_by_its_code_alone(
    provider: Provider, browser: httpx.AsyncClient, error: str, said: str
) -> None:
    provider.denies = error
    back = await at_the_provider(await begin(browser))
    assert await refused(browser, back) == f"localhost did not sign you in ({said})."


async def test_who_came_from_another_issuer_is_not_signed_in(browser: httpx.AsyncClient) -> None:
    back = await at_the_provider(await begin(browser))
    assert "is not of localhost" in await refused(browser, f"{back}&iss=https://login.example.org")


async def test_whom_the_api_does_not_let_in_is_told_what_it_says(api: FakeApi, browser: httpx.AsyncClient) -> None:
    api.error_code = "FORBIDDEN"
    back = await at_the_provider(await begin(browser))
    said = await refused(browser, back)
    assert said.startswith("localhost knows you, but the API does not let you in: ")


async def test_without_the_api_nobody_is_signed_in(api: FakeApi, browser: httpx.AsyncClient) -> None:
    api.problem = httpx.ConnectError("refused")
    back = await at_the_provider(await begin(browser))
    assert (await refused(browser, back)).startswith("The API is not reachable.")


async def test_a_token_that_no_cookie_holds_is_not_kept(provider: Provider, browser: httpx.AsyncClient) -> None:
    provider.says = {"groups": ["x" * 40] * 100}
    back = await at_the_provider(await begin(browser))
    assert "is too long for a cookie" in await refused(browser, back)


async def test_the_next_sign_in_takes_the_problem_away(provider: Provider, browser: httpx.AsyncClient) -> None:
    provider.denies = "access_denied"
    await come_back(browser)
    provider.denies = None
    await come_back(browser)
    assert problem(browser) is None
    assert COOKIE in browser.cookies


# The provider is not as it should be


async def test_while_the_provider_is_away_one_stays_where_one_is(
    provider: Provider, browser: httpx.AsyncClient
) -> None:
    provider.away = True
    answer = await browser.post("/auth/oidc", json={"next": "/"})
    assert answer.status_code == 503
    assert answer.json() == {"message": "localhost cannot be asked just now. Try again in a moment."}
    provider.away = False
    await come_back(browser)
    assert COOKIE in browser.cookies


async def test_a_provider_that_goes_away_meanwhile_signs_nobody_in(
    provider: Provider, browser: httpx.AsyncClient
) -> None:
    back = await at_the_provider(await begin(browser))
    provider.away = True
    assert await refused(browser, back) == "localhost cannot be asked just now. Try again in a moment."


@pytest.mark.parametrize(
    "endpoints",
    [
        {"issuer": "https://login.example.org"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "ftp://login.example.org"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
    ids=lambda endpoints: next(iter(endpoints)),
)
async def test_a_provider_that_leads_elsewhere_is_not_followed(
    provider: Provider, browser: httpx.AsyncClient, endpoints: dict[str, str]
) -> None:
    provider.endpoints = endpoints
    assert (await browser.post("/auth/oidc", json={})).status_code == 503


async def test_the_log_has_neither_codes_nor_tokens_nor_the_secret(
    provider: Provider, browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await come_back(browser)
    provider.says = {"nonce": "another"}
    await come_back(browser)
    token = browser.cookies[COOKIE]
    # The browser of this test is an httpx client as well, whose log tells its own way.
    said = "\n".join(record.getMessage() for record in caplog.records if "/callback?" not in record.getMessage())
    assert "is not valid: InvalidClaimError" in said
    for form in provider.forms:
        assert form["code"] not in said
        assert form["code_verifier"] not in said
    assert token.split(".")[2] not in said
    assert CLIENT_SECRET not in said


# Renewing


async def renew(browser: httpx.AsyncClient) -> httpx.Response:
    return await browser.post("/auth/oidc/renew", json={})


@pytest.fixture
async def renewable(provider: Provider, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser whose sign-in the provider renews, and whose token is near its end."""
    provider.renews, provider.seconds, provider.says = True, 40.0, {"iat": 1_700_000_000}
    await come_back(browser)
    return browser


async def test_a_token_near_its_end_is_renewed(api: FakeApi, provider: Provider, renewable: httpx.AsyncClient) -> None:
    first, provider.seconds = renewable.cookies[COOKIE], 600.0
    opened = Seal(CLIENT_SECRET).open("pass", (await renew(renewable)).json()["renewed"], 60)
    second = renewable.cookies[COOKIE]
    assert second != first
    assert opened is not None
    assert opened["token"] == second
    assert api.keys == [first, second]


async def test_a_second_tab_gets_what_the_first_was_renewed_with(
    provider: Provider, renewable: httpx.AsyncClient
) -> None:
    provider.seconds = 600.0
    passes = [(await renew(renewable)).json()["renewed"] for _ in range(2)]
    first, second = (Seal(CLIENT_SECRET).open("pass", text, 60) for text in passes)
    assert first == second
    assert [form["grant_type"] for form in provider.forms] == ["authorization_code", "refresh_token"]


async def test_it_is_renewed_again_and_again(provider: Provider, renewable: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await renew(renewable)).json()["renewed"]
    assert len({form["refresh_token"] for form in provider.forms[1:]}) == 3


async def test_what_renews_is_sealed_and_kept_no_longer_than_a_key(renewable: httpx.AsyncClient) -> None:
    kept = Seal(CLIENT_SECRET).open("renewal", renewable.cookies[RENEWAL], 60)
    assert kept is not None
    assert kept["refresh"] not in renewable.cookies[RENEWAL]
    before = kept["until"]
    await renew(renewable)
    kept = Seal(CLIENT_SECRET).open("renewal", renewable.cookies[RENEWAL], 60)
    assert kept is not None
    assert kept["until"] == before


async def test_when_the_provider_renews_no_more_the_sign_in_ends(
    provider: Provider, renewable: httpx.AsyncClient
) -> None:
    provider.refuses = "invalid_grant"
    assert (await renew(renewable)).json() == {"renewed": None}
    assert RENEWAL not in renewable.cookies


async def test_when_the_api_lets_one_in_no_more_nothing_is_renewed(api: FakeApi, renewable: httpx.AsyncClient) -> None:
    api.error_code = "FORBIDDEN"
    assert (await renew(renewable)).json() == {"renewed": None}
    assert RENEWAL not in renewable.cookies


async def test_while_the_provider_is_away_one_may_ask_again(provider: Provider, renewable: httpx.AsyncClient) -> None:
    provider.away = True
    assert (await renew(renewable)).status_code == 503
    provider.away = False
    assert (await renew(renewable)).json()["renewed"]


async def test_nobody_is_renewed_as_somebody_else(provider: Provider, renewable: httpx.AsyncClient) -> None:
    provider.says |= {"sub": "mallory"}
    first = renewable.cookies[COOKIE]
    assert (await renew(renewable)).json() == {"renewed": None}
    assert renewable.cookies[COOKIE] == first


async def test_who_is_not_renewed_is_told_without_an_error(provider: Provider, browser: httpx.AsyncClient) -> None:
    assert (await renew(browser)).json() == {"renewed": None}
    await come_back(browser)
    assert (await renew(browser)).json() == {"renewed": None}
    assert RENEWAL not in browser.cookies


async def test_a_key_ends_what_would_renew(renewable: httpx.AsyncClient) -> None:
    await renewable.post("/auth/login", json={"key": "te_abc"})
    assert RENEWAL not in renewable.cookies


# Signing out


async def test_signing_out_leads_to_the_provider_and_back(provider: Provider, renewable: httpx.AsyncClient) -> None:
    token = renewable.cookies[COOKIE]
    answer = await renewable.post("/auth/logout")
    assert (COOKIE in renewable.cookies, RENEWAL in renewable.cookies) == (False, False)
    async with httpx.AsyncClient() as other:
        back = await other.get(answer.json()["leads_to"])
    assert back.headers["location"] == f"{US}/"
    (told,) = provider.ended
    assert told == {"client_id": CLIENT_ID, "post_logout_redirect_uri": f"{US}/", "id_token_hint": token}


@pytest.mark.parametrize("how", ["a key", "no such page", "away"])
async def test_otherwise_signing_out_is_between_us(provider: Provider, browser: httpx.AsyncClient, how: str) -> None:
    provider.has_end = how != "no such page"
    if how == "a key":
        await browser.post("/auth/login", json={"key": "te_abc"})
    elif how == "away":
        browser.headers["cookie"] = f"{COOKIE}={provider.token()}"
        provider.away = True
    else:
        await come_back(browser)
    assert (await browser.post("/auth/logout")).status_code == 204
    assert COOKIE not in browser.cookies
