from collections.abc import Callable
from typing import Any

SIGNAL_CANCELED: str
SIGNAL_COMPLETE: str
SIGNAL_ENQUEUED: str
SIGNAL_ERROR: str
SIGNAL_EXECUTING: str
SIGNAL_INTERRUPTED: str
SIGNAL_LOCKED: str
SIGNAL_RATE_LIMITED: str
SIGNAL_RETRYING: str
SIGNAL_SCHEDULED: str
SIGNAL_TIMEOUT: str

class Signal:
    receivers: dict[str, list[Callable[..., Any]]]
