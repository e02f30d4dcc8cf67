"""What a worker tells of itself."""

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from importlib.metadata import version

from taskengine.records import dumps
from taskengine.worker.usage import Usage


def worker_name() -> str:
    """Return a name that no other worker has or had: host, process id, and four letters against reuse."""
    host = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in socket.gethostname())[:60]
    return f"{host or 'host'}-{os.getpid()}-{secrets.token_hex(2)}"


@dataclass(kw_only=True)
class WorkerFacts:
    """One consumer process, for those who look from outside."""

    name: str
    queues: tuple[str, ...]
    concurrency: int
    mode: str
    draining: bool = False
    started_at_ms: int = field(default_factory=lambda: round(time.time() * 1000))

    def as_json(self, running: list[str], usage: Usage | None = None) -> str:
        """Return what the registry keeps."""
        return dumps(
            {
                "hostname": socket.gethostname(),
                "pid": os.getpid(),
                "version": version("taskengine"),
                "queues": self.queues,
                "concurrency": self.concurrency,
                "mode": self.mode,
                "started_at": self.started_at_ms,
                "draining": self.draining,
                "running": running,
                "cpu_percent": usage and usage.cpu_percent,
                "memory_bytes": usage and usage.memory_bytes,
            }
        )
