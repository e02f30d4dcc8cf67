"""What can be set about the dashboard, read once from a mapping such as ``os.environ``.

Names begin with ``TASKENGINE_DASHBOARD_``. The port is not here: it belongs to
the engine's settings, since ``taskengine up`` plans all ports, and is handed in.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlsplit

PREFIX = "TASKENGINE_DASHBOARD_"
_NOT_OURS = frozenset({PREFIX + "PORT"})


class Guests(StrEnum):
    """Who is shown pages without having signed in."""

    LOCAL = "local"
    """Those on this machine itself, with no proxy in between."""
    ALL = "all"
    """Everyone who reaches it."""
    NONE = "none"


REFRESH_CHOICES = (1.0, 2.0, 5.0, 10.0, 0.0)
"""Seconds between refreshes that the sidebar offers; 0 is off."""


class SignInToken(StrEnum):
    """Which of an identity provider's tokens opens the API."""

    ID = "id"
    """That which says who signed in; it is for the client."""
    ACCESS = "access"
    """That which is for an API, if the provider makes signed ones for ours."""


class InvalidSetting(Exception):
    """A setting was refused. ``name`` is the variable that the user wrote."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"


def _host(text: str) -> str:
    if text.strip() and not set(text) & set(" /"):
        return text
    raise ValueError(f"expected a host name or address such as 127.0.0.1, got {text!r}")


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(_host(name.strip()).lower() for name in text.split(","))


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.netloc:
        return text
    raise ValueError(f"expected an address such as http://127.0.0.1:8000, got {text!r}")


def _safe_url(text: str) -> str:
    """Where secrets go, or keys come from: nobody on the way may read or change them."""
    parts = urlsplit(_url(text))
    if parts.query or parts.fragment or parts.username:
        raise ValueError(f"expected an address without a query or a user, got {text!r}")
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError(f"expected https, got {text!r}")
    return text


def _public_url(text: str) -> str:
    if urlsplit(_safe_url(text)).path not in {"", "/"}:
        raise ValueError(f"expected an address without a path: pages are at its root, got {text!r}")
    return text.rstrip("/").lower()


def _scopes(text: str) -> tuple[str, ...]:
    scopes = tuple(text.replace(",", " ").split())
    if "openid" in scopes:
        return scopes
    raise ValueError(f"expected openid among them, got {text!r}")


def _token(text: str) -> SignInToken:
    if text in list(SignInToken):
        return SignInToken(text)
    raise ValueError(f"expected {', '.join(SignInToken)}, got {text!r}")


def _label(text: str) -> str:
    if len(text) <= 40 and text.isprintable():
        return text
    raise ValueError(f"expected a name of at most 40 letters, got {text!r:.60}")


def _refresh(text: str) -> float:
    names = {f"{seconds:g}": seconds for seconds in REFRESH_CHOICES}
    if text in names:
        return names[text]
    raise ValueError(f"expected one of {', '.join(names)} (seconds; 0 is off), got {text!r}")


def _key(text: str) -> str:
    if len(text) <= 190 and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise ValueError("expected a key of the API, as `taskengine keys create` shows it")


def _guests(text: str) -> Guests:
    if text in list(Guests):
        return Guests(text)
    raise ValueError(f"expected {', '.join(Guests)}, got {text!r}")


_READERS: dict[str, Callable[[str], Any]] = {
    "host": _host,
    "allowed_hosts": _hosts,
    "api_url": _url,
    "public_api_url": _url,
    "api_key": _key,
    "guests": _guests,
    "refresh_seconds": _refresh,
    "public_url": _public_url,
    "oidc_issuer": _safe_url,
    "oidc_client_id": str,
    "oidc_client_secret": str,
    "oidc_scopes": _scopes,
    "oidc_token": _token,
    "oidc_name": _label,
}

_NEEDED_WITH_ISSUER = {
    "oidc_client_id": "as the issuer knows this dashboard",
    "oidc_client_secret": "which the issuer gave this dashboard",
    "public_url": "where browsers reach this dashboard: the issuer leads back there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """The dashboard's settings. Each field is ``TASKENGINE_DASHBOARD_<FIELD>`` in the environment."""

    host: str = "127.0.0.1"
    """Address to listen on. Whoever does not sit at this machine signs in with a key of the API, unless ``guests``."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which browsers may reach us. None: those of the loopback when we listen there, else any."""
    api_url: str | None = None
    """The API to ask; that of the command that started us when unset. For a container of its own."""
    public_api_url: str | None = None
    """Where a browser reaches the API, for the link to GraphiQL; ``api_url`` when unset."""
    api_key: str | None = field(default=None, repr=False)
    """A key of the API for viewers who have not signed in: what it may do, they may do. One of a VIEWER shows only."""
    guests: Guests = Guests.LOCAL
    """Who is shown pages without having signed in, with ``api_key`` or, where the API allows it, without any."""
    refresh_seconds: float = 2.0
    """How often pages refresh until the viewer chooses otherwise."""
    public_url: str | None = None
    """Where browsers reach us, scheme, host and port; needed with an issuer, which leads back there."""
    oidc_issuer: str | None = None
    """The identity provider by which viewers may sign in; see ``oidc.py``."""
    oidc_client_id: str | None = None
    """What the issuer calls this dashboard."""
    oidc_client_secret: str | None = field(default=None, repr=False)
    """By which the issuer knows that it is this dashboard; what we leave with browsers is encrypted with it."""
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    """What the issuer is asked for; ``offline_access`` where it renews sign-ins for that alone."""
    oidc_token: SignInToken = SignInToken.ID
    """Which of the issuer's tokens the API is asked with."""
    oidc_name: str | None = None
    """What the button calls the issuer; its host when unset."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; raise ``InvalidSetting`` for a bad value or a name that is not one."""
        names = {PREFIX + one.name.upper(): one.name for one in fields(cls)}
        values: dict[str, Any] = {}
        for variable, text in env.items():
            if not variable.startswith(PREFIX) or variable in _NOT_OURS:
                continue
            if variable not in names:
                raise InvalidSetting(variable, f"is not a setting{_did_you_mean(variable, names)}")
            if text:
                values[names[variable]] = _read(variable, names[variable], text)
        made = cls(**values)
        for name, what in _NEEDED_WITH_ISSUER.items():
            if made.oidc_issuer is not None and getattr(made, name) is None:
                raise InvalidSetting(PREFIX + name.upper(), f"is needed with an issuer: {what}")
        return made

    @property
    def public_host(self) -> str | None:
        """The name by which browsers reach us, where it is set."""
        return urlsplit(self.public_url).hostname if self.public_url else None

    @property
    def provider_name(self) -> str | None:
        """What viewers know the identity provider by; ``None`` when there is none."""
        return self.oidc_name or (urlsplit(self.oidc_issuer).hostname if self.oidc_issuer else None)


def _read(variable: str, name: str, text: str) -> Any:
    try:
        return _READERS[name](text)
    except ValueError as problem:
        raise InvalidSetting(variable, f"is not valid: {problem}") from None


def _did_you_mean(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, [*known, *_NOT_OURS], n=1)
    return f"; did you mean {near[0]}?" if near else ""
