"""A task that takes what forms find hard, and gives it back.

taskengine worker support.ordering:engine      (with tests/ on the path)
"""

from datetime import date
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, Field

from taskengine import Secret, TaskEngine

engine = TaskEngine.from_env()


class Speed(Enum):
    """How fast it goes."""

    SAVER = "saver"
    NEXT_DAY = "next day"


class Line(BaseModel):
    """So many of one article."""

    sku: Annotated[str, Field(pattern="^[a-z][0-9]+$", description="The article's number, such as a1.")]
    count: Annotated[int, Field(ge=1)] = 1


class Address(BaseModel):
    """Where it goes."""

    street: str
    town: str = "Springfield"


@engine.task(name="shop.order")
def order(to: Address, lines: list[Line], speed: Speed, day: date, token: Secret[str], notes: list[str] = []) -> str:  # noqa: B006
    """Send an order."""
    articles = ", ".join(f"{line.count} x {line.sku}" for line in lines)
    return f"{articles} to {to.street} in {to.town}, {speed.value}, on {day}, {notes}, {len(token.reveal())} characters"
