"""A worker as lists show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard.model.json_values import Json, moment

WORKER_STATES = {"Online": "#2fa36b47", "Draining": "#e58a2a4d", "Offline": "#e5484d5c"}
"""What a worker is doing as a whole, and the chip that says so in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One consumer process."""

    name: str
    hostname: str
    pid: int
    version: str
    queues: tuple[str, ...]
    concurrency: int
    running: int
    online: bool
    draining: bool
    started_at: datetime
    last_heartbeat_at: datetime

    @classmethod
    def read(cls, worker: Json) -> Self:
        return cls(
            name=worker["name"],
            hostname=worker["hostname"],
            pid=worker["pid"],
            version=worker["version"],
            queues=tuple(queue["name"] for queue in worker["queues"]),
            concurrency=worker["concurrency"],
            # What it held when it was last heard of may have ended since.
            running=sum(job["state"] == "RUNNING" for job in worker["runningJobs"]),
            online=worker["online"],
            draining=worker["draining"],
            started_at=moment(worker["startedAt"]),
            last_heartbeat_at=moment(worker["lastHeartbeatAt"]),
        )

    @property
    def state(self) -> str:
        """One of ``WORKER_STATES``."""
        return "Offline" if not self.online else "Draining" if self.draining else "Online"

    @property
    def load(self) -> float:
        """0 to 1: how many of its slots are busy."""
        return min(self.running / self.concurrency, 1.0) if self.online and self.concurrency else 0.0
