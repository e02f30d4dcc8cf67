"""An identity provider: it publishes its keys over HTTP, and signs what a test likes."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "taskengine"


@dataclass(frozen=True)
class Answer:
    """What is answered over HTTP."""

    status: int
    body: Any = None
    leads_to: str | None = None


class Issuer:
    """``http://127.0.0.1:PORT``, with a key ``one`` to begin with."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The paths that were asked for."""
        self.away = False
        self.calls_itself: str | None = None
        self._keys: dict[str, Any] = {}
        self.rotate("one")
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(issuer.got)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                self._answer(lambda path: issuer.posted(path, body, self.headers.get("authorization", "")))

            def _answer(self, answer: Callable[[str], Answer]) -> None:
                issuer.asked.append(self.path.partition("?")[0])
                said = Answer(500) if issuer.away else answer(self.path)
                self.send_response(said.status)
                if said.leads_to:
                    self.send_header("Location", said.leads_to)
                self.end_headers()
                self.wfile.write(json.dumps(said.body).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def got(self, path: str) -> Answer:
        """Answer a GET."""
        found = self.documents().get(path)
        return Answer(500 if found is None else 200, found)

    def posted(self, path: str, body: str, authorization: str) -> Answer:  # noqa: ARG002 - there is nothing to post
        """Answer a POST."""
        return Answer(405)

    def rotate(self, key_id: str, *, curve: bool = False) -> None:
        """Use one key from now on, a new one, and publish no other."""
        key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
        self._keys = {key_id: key}

    @property
    def own_key(self) -> Any:
        """The key that it signs with."""
        return next(iter(self._keys.values()))

    def documents(self) -> dict[str, Any]:
        """What it publishes, by path."""
        keys = [
            (ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm).to_jwk(
                key.public_key(), as_dict=True
            )
            | {"kid": key_id, "use": "sig"}
            for key_id, key in self._keys.items()
        ]
        about = {"issuer": self.calls_itself or self.url, "jwks_uri": f"{self.url}/keys"}
        return {"/.well-known/openid-configuration": about, "/keys": {"keys": keys}}

    def token(self, *, seconds: float = 60, key: Any = None, key_id: str | None = "", **claims: Any) -> str:
        """Sign a token for someone called vera, with these claims; ``None`` takes one out."""
        name = next(iter(self._keys))
        said = {"iss": self.url, "aud": AUDIENCE, "sub": "vera", "exp": time.time() + seconds, "roles": ["VIEWER"]}
        said = {claim: value for claim, value in (said | claims).items() if value is not None}
        signing = self.own_key if key is None else key
        algorithm = "ES256" if isinstance(signing, ec.EllipticCurvePrivateKey) else "RS256"
        headers = {} if key_id is None else {"kid": key_id or name}
        return jwt.encode(said, signing, algorithm, headers=headers)
