"""A worker as lists show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard.model.json_values import Json, moment


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
            running=len(worker["runningJobs"]),
            online=worker["online"],
            started_at=moment(worker["startedAt"]),
            last_heartbeat_at=moment(worker["lastHeartbeatAt"]),
        )

    @property
    def load(self) -> float:
        """0 to 1: how many of its slots are busy."""
        return min(self.running / self.concurrency, 1.0) if self.online and self.concurrency else 0.0
