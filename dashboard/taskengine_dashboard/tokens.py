"""What a token of an identity provider says, unchecked: good to tell when it ends, and for nothing else."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from taskengine_dashboard.shapes import is_object

LEEWAY_SECONDS = 30
"""How far a clock may be from the issuer's; the API grants as much."""
_EARLY_SECONDS = 60.0
"""How long before its end a token is renewed, if it lasts long enough."""


def claims_of(token: str) -> Mapping[str, Any]:
    """Return what a token says; nothing for a text that is none."""
    try:
        middle = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if is_object(found) else {}


def ends_at(token: str) -> float | None:
    """Return when a token ends, in seconds since the epoch; ``None`` for what does not say."""
    ends = claims_of(token).get("exp")
    return float(ends) if isinstance(ends, int | float) else None


def renew_at(token: str) -> float:
    """Return when it is time to renew a token, in seconds since the epoch; 0 for what does not say when it ends."""
    ends, begun = ends_at(token), claims_of(token).get("iat")
    if ends is None:
        return 0.0
    early = min(_EARLY_SECONDS, (ends - begun) / 3) if isinstance(begun, int | float) else _EARLY_SECONDS
    return ends - max(0.0, early)
