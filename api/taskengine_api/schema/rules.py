"""What holds a queue or task back: its pause and its limits."""

import strawberry

from taskengine.rules import KEEP, Keep, Rate


@strawberry.type(description="How many jobs may start in a time. So many may start at once, then one after the other.")
class RateLimitRule:
    """How many jobs may start in a time."""

    jobs: int = strawberry.field(description="Jobs that may start.")
    per_seconds: float = strawberry.field(description="In so many seconds.")

    @classmethod
    def from_domain(cls, rate: Rate | None) -> "RateLimitRule | None":
        """Show a rate, if there is one."""
        return None if rate is None else cls(jobs=rate.jobs, per_seconds=rate.per_seconds)


@strawberry.input(description="How many jobs may start in a time.")
class RateLimitRuleInput:
    """How many jobs may start in a time."""

    jobs: int = strawberry.field(description="Jobs that may start, 1 to 1,000,000; so many may start at once.")
    per_seconds: float = strawberry.field(description="In so many seconds, 0.001 to 86,400.")


def rate_of(given: RateLimitRuleInput | None) -> Rate | Keep | None:
    """Return the engine's rate: ``UNSET`` leaves it as it is, ``None`` lifts it."""
    if given is strawberry.UNSET:
        return KEEP
    return None if given is None else Rate(jobs=given.jobs, per_seconds=given.per_seconds)


def concurrency_of(given: int | None) -> int | Keep | None:
    """Return the engine's limit: ``UNSET`` leaves it as it is, ``None`` lifts it."""
    return KEEP if given is strawberry.UNSET else given
