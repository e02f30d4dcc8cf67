"""An identity provider where one signs in: an ``Issuer`` with the code flow, for one client.

It has no page of its own: who comes to ``/authorize`` is vera, and is led back at once.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from support.issuer import Answer, Issuer

CLIENT_ID, CLIENT_SECRET = "taskengine-dashboard", "the client's own secret"


@dataclass
class _Asked:
    """What one came to ``/authorize`` with."""

    redirect_uri: str
    nonce: str
    challenge: str


class Provider(Issuer):
    """``provider.settings(...)`` are those of a dashboard that knows it."""

    def __init__(self) -> None:
        super().__init__()
        self.url = self.url.replace("127.0.0.1", "localhost")  # another site than the dashboard, for a browser
        self.says: dict[str, Any] = {}
        """Claims of the tokens that it gives."""
        self.seconds = 600.0
        """How long they last."""
        self.denies: str | None = None
        """The error that it leads back with."""
        self.renews = False
        self.has_end = True
        self.endpoints: dict[str, Any] = {}
        """Other addresses than its own."""
        self.refuses: str | None = None
        """The error for whoever has a code."""
        self.codes: dict[str, _Asked] = {}
        self.forms: list[dict[str, str]] = []
        """What was posted for a token."""
        self.ended: list[dict[str, str]] = []
        """With what one came to sign out."""
        self._renewable: set[str] = set()

    def settings(self, public_url: str) -> dict[str, str]:
        return {
            "public_url": public_url,
            "oidc_issuer": self.url,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
        }

    def documents(self) -> dict[str, Any]:
        documents = super().documents()
        about = documents["/.well-known/openid-configuration"]
        for name in ("authorization_endpoint", "token_endpoint"):
            about[name] = f"{self.url}/{name.partition('_')[0]}"
        if self.has_end:
            about["end_session_endpoint"] = f"{self.url}/end"
        about |= self.endpoints
        return documents

    def got(self, path: str) -> Answer:
        place, _, query = path.partition("?")
        said = {name: values[0] for name, values in parse_qs(query).items()}
        match place:
            case "/authorization":
                return self._lead_back(said)
            case "/end":
                self.ended.append(said)
                return Answer(302, leads_to=said["post_logout_redirect_uri"])
            case _:
                return super().got(path)

    def posted(self, path: str, body: str, authorization: str) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.forms.append(form)
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if path != "/token" or authorization != f"Basic {expected}":
            return Answer(401, {"error": "invalid_client"})
        if self.refuses:
            return Answer(400, {"error": self.refuses, "error_description": "as told"})
        if form["grant_type"] == "refresh_token":
            known = form["refresh_token"] in self._renewable
            self._renewable.discard(form["refresh_token"])  # good for once
            return self._tokens({}) if known else Answer(400, {"error": "invalid_grant"})
        asked = self.codes.pop(form["code"], None)
        if asked is None or asked.redirect_uri != form["redirect_uri"] or asked.challenge != _s256(form):
            return Answer(400, {"error": "invalid_grant"})
        return self._tokens({"nonce": asked.nonce})

    def _lead_back(self, said: dict[str, str]) -> Answer:
        assert (said["response_type"], said["client_id"]) == ("code", CLIENT_ID)
        assert said["code_challenge_method"] == "S256"
        assert urlsplit(said["redirect_uri"]).path == "/auth/oidc/callback"
        code = secrets.token_urlsafe()
        self.codes[code] = _Asked(said["redirect_uri"], said["nonce"], said["code_challenge"])
        told = {"error": self.denies, "error_description": "<b>no</b>"} if self.denies else {"code": code}
        return Answer(302, leads_to=f"{said['redirect_uri']}?{urlencode(told | {'state': said['state']})}")

    def _tokens(self, claims: dict[str, Any]) -> Answer:
        said = {"aud": CLIENT_ID, "iat": time.time(), **claims, **self.says}
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "access_token": self.token(seconds=self.seconds, use="access"),
            "id_token": self.token(seconds=self.seconds, jti=secrets.token_hex(4), **said),
        }
        if self.renews:
            answer["refresh_token"] = secrets.token_urlsafe()
            self._renewable.add(answer["refresh_token"])
        return Answer(200, answer)


def _s256(form: dict[str, str]) -> str:
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
