"""Tokens of an identity provider: which count, as whom, until when, and what becomes of them when it is away."""

import base64
import hmac
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from redis import Redis

from support.api import QUICK, WHO, Api, a_socket, bearer, running_api, serving, who
from support.issuer import AUDIENCE, Issuer
from taskengine.errors import InvalidSetting
from taskengine_api import tokens
from taskengine_api.roles import Role
from taskengine_api.settings import ApiSettings

REFUSED = (401, "UNAUTHENTICATED")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
async def api(redis_url: str, issuer: Issuer) -> AsyncGenerator[Api]:
    async with running_api(redis_url, api=settings_of(issuer)) as api:
        yield api


def settings_of(issuer: Issuer, **changed: Any) -> ApiSettings:
    return replace(QUICK, oidc_issuer=issuer.url, oidc_audience=AUDIENCE, **changed)


async def message(api: Api, token: str) -> str:
    response = await api.post(WHO, **bearer(token))
    return response.json()["errors"][0]["message"]


# Which count


async def test_a_token_opens_for_its_name_and_role(api: Api, issuer: Issuer) -> None:
    assert await who(api, **bearer(issuer.token(roles=["OPERATOR"]))) == ("vera", "OPERATOR")


async def test_the_highest_of_several_roles_counts(api: Api, issuer: Issuer) -> None:
    token = issuer.token(roles=["VIEWER", "something", "ADMIN", "OPERATOR"])
    assert await who(api, **bearer(token)) == ("vera", "ADMIN")


@pytest.mark.parametrize("curve", [True, False])
async def test_the_issuer_may_sign_with_either_sort_of_key(api: Api, issuer: Issuer, curve: bool) -> None:
    issuer.rotate("another", curve=curve)
    assert await who(api, **bearer(issuer.token())) == ("vera", "VIEWER")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another"}, "it is not for 'taskengine'"),
        ({"aud": None}, "no valid token"),
        ({"iss": "https://login.example.org"}, "it is not of 'http://127.0.0.1"),
        ({"exp": 1_700_000_000}, "it has ended"),
        ({"exp": None}, "no valid token"),
        ({"nbf": 4_000_000_000}, "no valid token"),
        ({"sub": None}, "it has no name"),
        ({"sub": "a\nb"}, "it has no name"),
    ],
)
async def test_what_a_token_says_has_to_be_for_us_and_now(
    api: Api, issuer: Issuer, claims: dict[str, Any], why: str
) -> None:
    token = issuer.token(**claims)
    assert await who(api, **bearer(token)) == REFUSED
    assert why in await message(api, token)


async def test_another_key_by_the_same_name_signs_nothing(api: Api, issuer: Issuer) -> None:
    forged = issuer.token(key=rsa.generate_private_key(65537, 2048))
    assert await who(api, **bearer(forged)) == REFUSED


async def test_the_issuers_public_key_is_no_secret_to_sign_with(api: Api, issuer: Issuer) -> None:
    _, claims, _ = issuer.token(roles=["ADMIN"]).split(".")
    signed = f"{_base64(json.dumps({'alg': 'HS256', 'kid': 'one'}).encode())}.{claims}"
    for form in (Encoding.PEM, Encoding.DER):
        public = issuer.own_key.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        signature = hmac.digest(public, signed.encode(), "sha256")
        assert await who(api, **bearer(f"{signed}.{_base64(signature)}")) == REFUSED


async def test_an_unsigned_token_opens_nothing(api: Api, issuer: Issuer) -> None:
    _, claims, _ = issuer.token(roles=["ADMIN"]).split(".")
    header = _base64(json.dumps({"alg": "none", "kid": "one"}).encode())
    assert await who(api, **bearer(f"{header}.{claims}.")) == REFUSED


@pytest.mark.parametrize("token", ["a.b.c", "..", "x" * 3000 + ".y.z", "te_a.b.c"])
async def test_what_only_looks_like_a_token_opens_nothing(api: Api, token: str) -> None:
    assert await who(api, **bearer(token)) == REFUSED


async def test_a_refusal_says_that_the_token_is_what_is_wrong_with_it(api: Api, issuer: Issuer) -> None:
    response = await api.post(WHO, **bearer(issuer.token(exp=1)))
    assert response.headers["www-authenticate"] == 'Bearer realm="taskengine", error="invalid_token"'


async def test_neither_an_answer_nor_the_log_repeats_a_token(
    api: Api, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = issuer.token(aud="another")
    response = await api.post(WHO, **bearer(token))
    assert token.split(".")[2] not in response.text + caplog.text


# As whom


async def test_a_token_without_a_role_here_may_do_nothing(api: Api, issuer: Issuer) -> None:
    assert await who(api, **bearer(issuer.token(roles=["admin"]))) == (403, "FORBIDDEN")
    assert "the token of 'vera' has no role here" in await message(api, issuer.token(roles=None))


async def test_words_of_the_issuer_are_roles_of_ours_as_the_settings_say(redis_url: str, issuer: Issuer) -> None:
    roles = {"sre": Role.OPERATOR, "everyone": Role.VIEWER}
    settings = settings_of(issuer, oidc_roles_claim="realm_access.roles", oidc_roles=roles, oidc_name_claim="email")
    token = issuer.token(realm_access={"roles": ["everyone", "sre"]}, email="vera@example.org", roles=["ADMIN"])
    async with running_api(redis_url, api=settings) as api:
        assert await who(api, **bearer(token)) == ("vera@example.org", "OPERATOR")


async def test_a_claim_may_have_dots_in_its_name(redis_url: str, issuer: Issuer) -> None:
    claim = "https://example.org/role"
    async with running_api(redis_url, api=settings_of(issuer, oidc_roles_claim=claim)) as api:
        assert await who(api, **bearer(issuer.token(**{claim: "OPERATOR"}))) == ("vera", "OPERATOR")


async def test_what_is_done_is_written_down_under_the_tokens_name(api: Api, issuer: Issuer, redis: Redis) -> None:
    body = {"query": 'mutation { pauseQueue(input: {queue: "mail"}) { queue { name } errors { message } } }'}
    response = await api.post(body, **bearer(issuer.token(roles=["OPERATOR"])))
    assert response.json()["data"]["pauseQueue"]["errors"] == []
    (entry,) = (await api.client.list_audit_entries()).entries
    assert (entry.action, entry.by) == ("pause", "vera")


async def test_keys_of_ours_go_on_beside_tokens(api: Api) -> None:
    secret = await api.client.create_api_key("ci", Role.OPERATOR)
    assert await who(api, **bearer(secret)) == ("ci", "OPERATOR")


async def test_where_tokens_count_nobody_comes_in_without(api: Api) -> None:
    assert await who(api) == REFUSED


# Until when


async def test_a_socket_is_closed_when_its_token_ends(
    api: Api, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    async with serving(api.app) as address, a_socket(address, init=False) as socket:
        payload = {"authorization": f"Bearer {issuer.token(seconds=2)}"}
        await socket.send({"type": "connection_init", "payload": payload})
        assert (await socket.receive())["type"] == "connection_ack"
        assert (await socket.closed())[0] == 4403


async def test_a_page_keeps_a_token_in_its_cookie(api: Api, issuer: Issuer) -> None:
    ours = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    signed_in = await api.http.post("/api/session", json={"key": issuer.token(roles=["OPERATOR"])}, headers=ours)
    assert signed_in.json() == {"name": "vera", "role": "OPERATOR"}
    assert await who(api, **ours) == ("vera", "OPERATOR")


# The issuer's keys


async def test_its_keys_are_asked_for_once(api: Api, issuer: Issuer) -> None:
    for _ in range(3):
        await who(api, **bearer(issuer.token()))
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_new_key_is_asked_for_but_not_for_every_guess(
    api: Api, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await who(api, **bearer(issuer.token()))
    issuer.rotate("two")
    assert await who(api, **bearer(issuer.token())) == REFUSED  # asked a moment ago
    assert len(issuer.asked) == 2
    monkeypatch.setattr(tokens, "ANEW_SECONDS", 0)
    assert await who(api, **bearer(issuer.token())) == ("vera", "VIEWER")


async def test_a_token_without_a_key_id_is_of_the_only_key(api: Api, issuer: Issuer) -> None:
    assert await who(api, **bearer(issuer.token(key_id=None))) == ("vera", "VIEWER")


async def test_while_the_issuer_is_away_who_can_be_told_apart_comes_in(
    api: Api, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await who(api, **bearer(issuer.token()))
    issuer.away = True
    monkeypatch.setattr(tokens, "KEYS_SECONDS", 0)
    monkeypatch.setattr(tokens, "ANEW_SECONDS", 0)
    assert await who(api, **bearer(issuer.token())) == ("vera", "VIEWER")
    assert await who(api, **bearer(issuer.token(key_id="another"))) == (503, "UNAVAILABLE")
    issuer.away = False
    assert await who(api, **bearer(issuer.token())) == ("vera", "VIEWER")


async def test_what_calls_itself_something_else_is_not_the_issuer(api: Api, issuer: Issuer) -> None:
    issuer.calls_itself = "https://login.example.org"
    assert await who(api, **bearer(issuer.token())) == (503, "UNAVAILABLE")


async def test_its_keys_may_be_somewhere_else(redis_url: str, issuer: Issuer) -> None:
    async with running_api(redis_url, api=settings_of(issuer, oidc_keys_url=f"{issuer.url}/keys")) as api:
        assert await who(api, **bearer(issuer.token())) == ("vera", "VIEWER")
    assert issuer.asked == ["/keys"]


# Settings


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("OIDC_ISSUER", "http://login.example.org", "expected https"),
        ("OIDC_ISSUER", "login.example.org", "expected an address such as"),
        ("OIDC_KEYS_URL", "ftp://login.example.org/keys", "expected an address such as"),
        ("OIDC_ROLES", "ops", "expected pairs such as"),
        ("OIDC_ROLES", "ops=BOSS", "expected pairs such as"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(name: str, value: str, why: str) -> None:
    with pytest.raises(InvalidSetting, match=f"TASKENGINE_API_{name} is not valid: {why}"):
        ApiSettings.from_env({f"TASKENGINE_API_{name}": value})


def test_an_issuer_needs_an_audience() -> None:
    with pytest.raises(InvalidSetting, match="TASKENGINE_API_OIDC_AUDIENCE"):
        ApiSettings.from_env({"TASKENGINE_API_OIDC_ISSUER": "https://login.example.org"})


def test_roles_are_read_word_by_word() -> None:
    env = {"TASKENGINE_API_OIDC_ROLES": "cn=ops,sre=OPERATOR, everyone = VIEWER"}
    with pytest.raises(InvalidSetting):
        ApiSettings.from_env(env)
    read = ApiSettings.from_env({"TASKENGINE_API_OIDC_ROLES": "a=b=ADMIN, everyone = VIEWER"}).oidc_roles
    assert read == {"a=b": Role.ADMIN, "everyone": Role.VIEWER}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
