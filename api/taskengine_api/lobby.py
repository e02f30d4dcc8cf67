"""WebSockets that are there and have not been let in yet: anyone can open those, so their number has an end.

Until ``connection_init`` nobody knows who it is, so nothing that is counted by name holds. Each may take 5 s to say it.
"""

from collections import Counter
from collections.abc import Callable

from taskengine_api.errors import Code, RequestRefused

_AGAIN = {"Retry-After": "5"}


class Lobby:
    """Counts those who wait, by where they are from. One of them leaves by being let in, or by going."""

    def __init__(self, *, most: int, most_of_one_address: int) -> None:
        self._most = most
        self._most_of_one_address = most_of_one_address
        self._waiting: Counter[str] = Counter()
        self._total = 0

    def enter(self, address: str) -> Callable[[], None]:
        """Count one more until what is returned is called, however often; raise ``RequestRefused``."""
        limit = self._most_of_one_address
        if self._waiting[address] >= limit:
            raise _full(429, f"{limit} WebSockets of {address:.45} have not sent connection_init", Code.RATE_LIMITED)
        if self._total >= self._most:
            raise _full(503, f"{self._most} WebSockets have not sent connection_init", Code.UNAVAILABLE)
        self._waiting[address] += 1
        self._total += 1
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._leave(address)

        return leave

    def _leave(self, address: str) -> None:
        self._total -= 1
        self._waiting[address] -= 1
        if not self._waiting[address]:
            del self._waiting[address]


def _full(status: int, what: str, code: Code) -> RequestRefused:
    return RequestRefused(status, f"{what} yet, which is the limit: come again", code, _AGAIN)
