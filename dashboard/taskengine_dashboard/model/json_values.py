"""Values of the API's answers as Python has them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


def moment(text: str) -> datetime:
    """Return an instant of an answer: aware, as the API gives it."""
    return datetime.fromisoformat(text)


def maybe_moment(text: str | None) -> datetime | None:
    """Return an instant that may not have come yet."""
    return datetime.fromisoformat(text) if text else None
