"""What can be set from outside, read once from a mapping such as ``os.environ``.

Knows the names, types and limits of the engine's settings; not what they are
used for. Names that begin with ``TASKENGINE_API_`` or ``TASKENGINE_DASHBOARD_``
and are not fields here belong to those packages and are left to them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from taskengine.encryption import read_keys
from taskengine.errors import InvalidSetting, did_you_mean

PREFIX = "TASKENGINE_"
_OTHERS = (PREFIX + "API_", PREFIX + "DASHBOARD_")


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65_535:
        return int(text)
    raise ValueError(f"expected a port from 1 to 65535, got {text!r}")


def seconds(text: str) -> float:
    """Read a number of seconds above 0; raise ``ValueError`` that says what was expected."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value < 1e9:
        return value
    raise ValueError(f"expected a number of seconds above 0, got {text!r}")


def _lease_seconds(text: str) -> float:
    value = seconds(text)
    if not 0.5 <= value <= 3600:
        raise ValueError(f"expected 0.5 to 3600 seconds, got {text!r}")
    return value


def count(text: str) -> int:
    """Read a whole number of at least 1; raise ``ValueError`` that says what was expected."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ValueError(f"expected a whole number of at least 1, got {text!r}")


def _namespace(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", text):
        return text
    raise ValueError(f"expected 1 to 64 of the characters A-Z a-z 0-9 _ . -, got {text!r}")


def _redis_url(text: str) -> str:
    if urlsplit(text).scheme in {"redis", "rediss", "unix"}:
        return text
    raise ValueError("expected a URL such as redis://127.0.0.1:6379/0 (redis, rediss or unix)")


_READERS: dict[str, Callable[[str], Any]] = {
    "redis_url": _redis_url,
    "namespace": _namespace,
    "data_dir": lambda text: Path(text).expanduser(),
    "api_port": _port,
    "dashboard_port": _port,
    "lease_seconds": _lease_seconds,
    "grace_seconds": seconds,
    "max_worker_losses": count,
    "max_args_bytes": count,
    "max_result_bytes": count,
    "keep_finished_seconds": seconds,
    "keep_finished_jobs": count,
    "keep_completed_seconds": seconds,
    "keep_completed_jobs": count,
    "keep_failed_seconds": seconds,
    "keep_failed_jobs": count,
    "keep_cancelled_seconds": seconds,
    "keep_cancelled_jobs": count,
    "max_redis_bytes": count,
    "encryption_key": read_keys,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The engine's settings. Each field is ``TASKENGINE_<FIELD>`` in the environment."""

    redis_url: str | None = None
    """Redis to use. Unset: ``taskengine up`` starts a private one; other commands find that."""
    namespace: str = "default"
    """Which task engine on that Redis: every key begins with ``te:{namespace}:``."""
    data_dir: Path = Path(".taskengine")
    """Where the private Redis keeps its data."""
    api_port: int = 8000
    dashboard_port: int = 8501
    lease_seconds: float = 10.0
    """How long a worker may be silent before its jobs are given to others."""
    grace_seconds: float = 25.0
    """How long a stopping worker lets its running jobs finish before it gives them back."""
    max_worker_losses: int = 3
    """A job whose worker died under it this often fails with ``WorkerLost``."""
    max_args_bytes: int = 262_144
    max_result_bytes: int = 262_144
    keep_finished_seconds: float = 7 * 86_400.0
    """Records of finished jobs are removed after this time."""
    keep_finished_jobs: int = 1_000_000
    """At most so many finished jobs are kept in each final state; the oldest go first."""
    keep_completed_seconds: float | None = None
    """Instead of ``keep_finished_seconds`` for COMPLETED jobs; likewise the five below."""
    keep_completed_jobs: int | None = None
    keep_failed_seconds: float | None = None
    keep_failed_jobs: int | None = None
    keep_cancelled_seconds: float | None = None
    keep_cancelled_jobs: int | None = None
    max_redis_bytes: int | None = None
    """Memory that Redis may use: near it the oldest finished jobs go, at it enqueue refuses with ``QueueFull``."""
    encryption_key: tuple[str, ...] | None = field(default=None, repr=False)
    """Secret arguments are encrypted with the first, and decrypted with any."""

    def kept_seconds(self, state: str) -> float:
        """How long a job in this final state is kept."""
        own: float | None = getattr(self, f"keep_{state.lower()}_seconds")
        return self.keep_finished_seconds if own is None else own

    def kept_jobs(self, state: str) -> int:
        """How many jobs in this final state are kept."""
        own: int | None = getattr(self, f"keep_{state.lower()}_jobs")
        return self.keep_finished_jobs if own is None else own

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; raise ``InvalidSetting`` for a bad value or a name that is not one."""
        return cls(**read(env, _READERS, PREFIX, elsewhere=lambda variable: variable.startswith(_OTHERS)))


def read(
    env: Mapping[str, str],
    readers: Mapping[str, Callable[[str], Any]],
    prefix: str,
    *,
    elsewhere: Callable[[str], bool],
) -> dict[str, Any]:
    """Return what the environment says of the settings that ``readers`` name; what is empty is not said.

    Raises ``InvalidSetting`` for a value that its reader refuses, and for a name with the prefix that is
    neither one of these settings nor read ``elsewhere``.
    """
    names = {prefix + name.upper(): name for name in readers}
    values: dict[str, Any] = {}
    for variable, text in env.items():
        if variable in names:
            if text:
                values[names[variable]] = _value(variable, readers[names[variable]], text)
        elif variable.startswith(prefix) and not elsewhere(variable):
            raise InvalidSetting(variable, f"is not a setting{did_you_mean(variable, names)}")
    return values


def _value(variable: str, reader: Callable[[str], Any], text: str) -> Any:
    try:
        return reader(text)
    except ValueError as problem:
        raise InvalidSetting(variable, f"is not valid: {problem}") from None
