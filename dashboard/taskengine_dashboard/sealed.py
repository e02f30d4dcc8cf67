"""What passes through a browser, and only dashboards of one configuration can read or make.

The key comes from the client's secret at the identity provider: every process has the same one, and nobody has to hand
out another. Needs the packages of the ``oidc`` extra.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

from taskengine_dashboard.shapes import is_object


class Seal:
    """Closes and opens texts that a cookie can hold. Encrypted, signed and dated (Fernet)."""

    def __init__(self, secret: str) -> None:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(SHA256(), length=32, salt=None, info=b"taskengine dashboard").derive(secret.encode())
        self._fernet = Fernet(urlsafe_b64encode(key))

    def close(self, purpose: str, content: Mapping[str, Any]) -> str:
        """Return a text that opens for the same purpose alone."""
        return self._fernet.encrypt(json.dumps([purpose, content]).encode()).decode().rstrip("=")

    def open(self, purpose: str, text: str | None, seconds: int) -> dict[str, Any] | None:
        """Return what was closed for this purpose at most so many seconds ago; ``None`` for anything else."""
        from cryptography.fernet import InvalidToken

        if not text:
            return None
        try:
            opened = self._fernet.decrypt(text + "=" * (-len(text) % 4), ttl=seconds)
        except (InvalidToken, ValueError):  # the latter for letters that no seal has
            return None
        named, content = json.loads(opened)
        return content if named == purpose and is_object(content) else None


@cache
def seal_of(secret: str) -> Seal:
    """Return the seal that belongs to a client's secret."""
    return Seal(secret)
