"""Which queues a worker serves, and which of them it looks at first, job by job.

Decides nothing itself: the script that claims gets the order with each claim.
Knows no Redis and no clock, so that a worker's turns are the same every time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import gcd
from typing import Self

from taskengine.errors import InvalidInput
from taskengine.jobs import check_name

MAX_WEIGHT = 100
_PATH = ("--queues",)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChoice:
    """The queues a worker serves. Without weights and order, they are one line of jobs: the highest priority first."""

    names: tuple[str, ...] = ("*",)
    """``("*",)`` is every queue there is."""
    weights: tuple[int, ...] = ()
    """As many as names: of so many jobs in turn, so many are first looked for in each. Empty for none."""
    strict: bool = False
    """Nothing of a queue as long as one before it has a job to give, whatever the priorities."""

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> Self:
        """Read ``a,b`` or ``a=3,b=1``; raise ``InvalidInput``."""
        if ">" in text:
            hint = "for all of one queue before any of the next, give --queues a,b and --queue-order strict"
            raise InvalidInput(_PATH, f"expected names with commas between, got {text!r}; {hint}")
        said = [part.strip().partition("=") for part in text.split(",")]
        names = tuple(check_name(name.strip(), _PATH) for name, _, _ in said)
        if len(set(names)) < len(names):
            raise InvalidInput(_PATH, f"expected each queue once, got {text!r}")
        if "=" not in text:
            return cls(names=names, strict=strict)
        if strict:
            raise InvalidInput(_PATH, f"expected no weights with --queue-order strict, got {text!r}")
        return cls(names=names, weights=tuple(_weight(name, *part[1:]) for name, part in zip(names, said, strict=True)))

    def __str__(self) -> str:
        if self.names == ("*",):
            return "every queue"
        if self.weights:
            return ", ".join(f"{name}={weight}" for name, weight in zip(self.names, self.weights, strict=True))
        return ", then ".join(self.names) if self.strict else ", ".join(self.names)

    def turns(self) -> tuple[str, ...]:
        """Return what the script gets for one job after the other; after the last, the first comes again."""
        if self.weights:
            return _smooth(self.names, self.weights)
        return ((">" if self.strict else ",").join(self.names),)


class Turns:
    """Where one process is in its turns. Not safe for threads."""

    def __init__(self, choice: QueueChoice) -> None:
        self._turns = choice.turns()
        self._at = 0

    def next(self, count: int) -> str:
        """Return the turns of the next ``count`` jobs, as ``lua/fragments/claim.lua`` reads them."""
        if len(self._turns) == 1:
            return self._turns[0]
        upcoming = [self._turns[(self._at + ahead) % len(self._turns)] for ahead in range(max(count, 1))]
        return "|".join(upcoming)

    def took(self, count: int) -> None:
        """Note that so many jobs were got: what there was none for keeps its turn."""
        self._at = (self._at + count) % len(self._turns)


def _smooth(names: Sequence[str], weights: Sequence[int]) -> tuple[str, ...]:
    """Spread the turns of each queue evenly (smooth weighted round robin); behind the first, who is next to be it."""
    total = sum(weights)

    def orders() -> Iterator[str]:
        due = [0] * len(names)
        while True:
            due = [one + weight for one, weight in zip(due, weights, strict=True)]
            order = sorted(range(len(names)), key=lambda at: -due[at])
            due[order[0]] -= total
            yield ">".join(names[at] for at in order)

    return tuple(islice(orders(), total // gcd(*weights)))


def _weight(name: str, equals: str, text: str) -> int:
    if not equals:
        raise InvalidInput(_PATH, f"expected a weight for every queue or for none, got none for {name!r}")
    weight = text.strip()
    if weight.isdecimal() and 1 <= int(weight) <= MAX_WEIGHT:
        return int(weight)
    raise InvalidInput(_PATH, f"expected a weight from 1 to {MAX_WEIGHT} for {name!r}, got {weight!r}")
