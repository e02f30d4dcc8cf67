"""``taskengine keys``: make, list and revoke keys of the API, on the machine that reaches Redis."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from taskengine.api_keys import ApiKey
from taskengine.client import Client
from taskengine.embedded import find_redis_url
from taskengine.roles import Role
from taskengine.settings import Settings

T = TypeVar("T")


def create(settings: Settings, name: str, role: Role, expires_seconds: float | None) -> int:
    """Make a key. Its secret alone goes to stdout, so that a script can take it."""

    async def work(client: Client) -> str:
        return await client.create_api_key(name, role, expires_seconds=expires_seconds, by=_me())

    secret = _with_client(settings, work)
    print(secret)
    print(f"This is the key of {name!r} ({role}). It is not shown again.", file=sys.stderr)
    return 0


def revoke(settings: Settings, name: str) -> int:
    """Take a key away. APIs hear of it within a second or so."""

    async def work(client: Client) -> int:
        return await client.revoke_api_key(name, by=_me())

    left = _with_client(settings, work)
    print(f"{name!r} opens nothing any more.")
    if left == 0:
        print(
            "No key is left: whoever is on an API's own machine is an ADMIN again, and nobody else is served.",
            file=sys.stderr,
        )
    return 0


def show(settings: Settings) -> int:
    """List the keys."""

    async def work(client: Client) -> list[ApiKey]:
        return await client.list_api_keys()

    keys = _with_client(settings, work)
    if not keys:
        print("There is no key: only an API's own machine is served, and whoever is there is an ADMIN.")
        return 0
    rows = [("NAME", "ROLE", "BEGINS WITH", "CREATED", "EXPIRES", "LAST USED"), *map(_row, keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(key: ApiKey) -> tuple[str, ...]:
    return (key.name, key.role.value, f"{key.prefix}…", *map(_day, (key.created_at, key.expires_at, key.last_used_at)))


def _day(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}Z"


def _with_client(settings: Settings, work: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        client = Client(find_redis_url(settings), namespace=settings.namespace, settings=settings)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def _me() -> str:
    """By which name it is written down."""
    try:
        return getpass.getuser()[:100] or "command"
    except (KeyError, OSError):  # a container's user may have no name
        return "command"


def seconds_of(text: str) -> float:
    """Read a time such as ``90d``, ``12h`` or ``30m``; raise ``ValueError``."""
    units: Sequence[tuple[str, float]] = (("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0))
    for unit, seconds in units:
        number = text.removesuffix(unit)
        if number != text and number.isdecimal() and 1 <= int(number) <= 100_000_000:
            return int(number) * seconds
    raise ValueError(f"expected a time such as 90d, 12h or 30m, got {text!r}")
