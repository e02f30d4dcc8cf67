"""Tasks of every kind that pages show: ones that do as told and talk, and one with a form of many kinds of field.

taskengine up support.varied:engine      (with tests/ on the path)
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from support.talking import engine as talking_engine
from taskengine import Backoff, Secret, TaskEngine

engine = TaskEngine.from_env()
AT_ONCE = Backoff(base_seconds=0.05, factor=1, cap_seconds=0.05, jitter=False)

for name, task in talking_engine.tasks.items():
    engine.task(name=name, backoff=AT_ONCE)(task.func)


class Paper(StrEnum):
    """What it is printed on."""

    PLAIN = "PLAIN"
    GLOSSY = "GLOSSY"


class Address(BaseModel):
    """Where it goes."""

    street: str
    city: str = "Lisbon"


@engine.task(name="print.poster")
def print_poster(
    title: str,
    address: Address,
    password: Secret[str],
    copies: Annotated[int, Field(ge=1, le=100)] = 1,
    paper: Paper = Paper.PLAIN,
    day: date | None = None,
    colours: list[str] | None = None,
    *,
    urgent: bool = False,
) -> int:
    """Print a poster: its form has a model, a secret, a number with bounds, a choice, a date, a list and a switch."""
    del title, address, password, paper, day, colours, urgent
    return copies
