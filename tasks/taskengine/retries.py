"""How long to wait before another attempt. Pure: the random share is passed in."""

from dataclasses import dataclass

from taskengine.errors import InvalidInput

MAX_SECONDS = 1e9
"""Some 30 years: times past that are soon none that a calendar has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential backoff: ``base * factor^(failures - 1)`` seconds, at most ``cap``.

    With ``jitter`` the delay is drawn evenly from 0 to that ("full jitter"),
    so that what failed together does not come back together.
    """

    base_seconds: float = 1.0
    factor: float = 2.0
    cap_seconds: float = 600.0
    jitter: bool = True

    def __post_init__(self) -> None:
        for name, least in (("base_seconds", 0.0), ("factor", 1.0), ("cap_seconds", 0.0)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not least <= value < float("inf"):
                problem = f"expected a number of at least {least:g}, got {value!r}"
                raise InvalidInput(("backoff", name), problem, f"at least {least:g}")
        for name in ("base_seconds", "cap_seconds"):
            if (value := getattr(self, name)) > MAX_SECONDS:
                problem = f"expected at most {MAX_SECONDS:,.0f} seconds, got {value!r}"
                raise InvalidInput(("backoff", name), problem, f"at most {MAX_SECONDS:.0f}")

    def delay_seconds(self, failures: int, random: float) -> float:
        """Return the delay after the ``failures``-th failure; ``random`` is from 0 to 1."""
        try:
            delay = self.base_seconds * self.factor ** max(failures - 1, 0)
        except OverflowError:
            delay = self.cap_seconds
        delay = min(delay, self.cap_seconds)
        return delay * random if self.jitter else delay
