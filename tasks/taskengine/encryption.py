"""The keys of ``TASKENGINE_ENCRYPTION_KEY``: what they seal can be read in Redis by nobody who has none of them.

Fernet (AES-128-CBC and HMAC-SHA256) of the ``cryptography`` package, which is only needed when there is a key.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from taskengine.errors import InvalidSetting, UnreadableSecret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

SETTING: Final = "TASKENGINE_ENCRYPTION_KEY"
PLAIN: Final = "plain"
FERNET: Final = "fernet"
_KEY_BYTES = 32

Sealed = tuple[str, str]
"""How a text is kept, ``plain`` or ``fernet``, and what is kept of it."""


def read_keys(text: str) -> tuple[str, ...]:
    """Return keys that were written with commas between; raise ``ValueError``, which does not tell them."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for number, key in enumerate(keys, start=1):
        if not _is_key(key):
            which = "the key" if len(keys) == 1 else f"key {number} of {len(keys)}"
            raise ValueError(
                f"{which} is not 32 bytes in base64; `openssl rand -base64 32` makes one."
                " Several, to change them, have commas between: the first encrypts, all decrypt"
            )
    return keys


class Keyring:
    """Seals with the first key, opens with any. Without keys it keeps texts as they are."""

    def __init__(self, keys: Sequence[str] | None = None) -> None:
        """Raise ``InvalidSetting`` when there is a key, and not the library that uses it."""
        self._keys = tuple(keys or ())
        self._fernet = _fernet(self._keys) if keys else None
        self._first = _fernet(self._keys[:1]) if keys else None

    @property
    def encrypts(self) -> bool:
        """Whether there is a key."""
        return self._fernet is not None

    def seal(self, text: str) -> Sealed:
        """Return a text as it is kept."""
        return (PLAIN, text) if self._fernet is None else (FERNET, self._fernet.encrypt(text.encode()).decode())

    def open(self, how: str, kept: str) -> str:
        """Return a text that was sealed; raise ``UnreadableSecret`` when no key opens it."""
        if how == PLAIN:
            return kept
        if self._fernet is None:
            raise UnreadableSecret(f"it is encrypted, and {SETTING} is not set here")
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(kept).decode()
        except InvalidToken:
            raise UnreadableSecret(
                f"none of the keys in {SETTING} opens it; a key that is replaced stays behind the new one"
                " as long as there are jobs that it encrypted"
            ) from None

    def is_first(self, how: str, kept: str) -> bool:
        """Whether a text is kept as ``seal`` would keep it: encrypted with the first key, or plain if there is none."""
        if self._first is None or how == PLAIN:
            return self._first is None and how == PLAIN
        from cryptography.fernet import InvalidToken

        try:
            self._first.decrypt(kept)
        except InvalidToken:
            return False
        return True

    def fingerprint(self, text: str) -> str:
        """Return what is the same for the same text and key, and tells nothing of the text without the key."""
        key = self._keys[0] if self._keys else ""
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _fernet(keys: Sequence[str]) -> "MultiFernet":
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError:
        raise InvalidSetting(
            SETTING, "needs the cryptography package: install taskengine[encryption], or unset it"
        ) from None
    return MultiFernet([Fernet(_urlsafe(key)) for key in keys])


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(_urlsafe(key), altchars=b"-_", validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _urlsafe(key: str) -> str:
    return key.replace("+", "-").replace("/", "_")
