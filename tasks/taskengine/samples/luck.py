"""Failures by chance that can be told in advance: the same job and attempt always end alike."""

from random import Random
from typing import Annotated

from pydantic import Field

FailureRate = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        description="How likely an attempt is to fail half-way: 0 never, 1 always. "
        "Each attempt has a chance of its own, so a retry may get through.",
    ),
]


def breaking_step(job_id: str, attempt: int, failure_rate: float, steps: int) -> int | None:
    """Return the step (from 0) at which this attempt is to break off, or ``None`` if it gets through."""
    dice = Random(f"{job_id}/{attempt}")
    if steps < 1 or dice.random() >= failure_rate:
        return None
    return dice.randrange(steps)
