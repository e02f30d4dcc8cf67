"""What the frame around every page tells: who answers, who asks, and who works."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Self

from taskengine_dashboard.model.json_values import Json, moment


class Role(IntEnum):
    """What a viewer may do; each may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @classmethod
    def read(cls, name: str) -> "Role":
        """Return a role; one that a newer API knows and we do not is shown as little as possible."""
        return cls.__members__.get(name, cls.VIEWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Whoever looks, as the API knows them by their key."""

    name: str
    role: Role

    @classmethod
    def read(cls, viewer: Json) -> Self:
        return cls(name=viewer["name"], role=Role.read(viewer["role"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What answers: versions, and the clock that all ages on a page are counted by."""

    version: str
    redis_version: str
    redis_memory_bytes: float
    redis_memory_limit_bytes: float | None
    persistence: str
    now: datetime

    @classmethod
    def read(cls, system: Json) -> Self:
        return cls(
            version=system["version"],
            redis_version=system["redisVersion"],
            redis_memory_bytes=system["redisMemoryBytes"],
            redis_memory_limit_bytes=system["redisMemoryLimitBytes"],
            persistence=system["persistence"],
            now=moment(system["now"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The part of every page's answer that ``fragments.FRAME`` asks for."""

    system: System
    viewer: Viewer
    workers_online: int

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(
            system=System.read(data["system"]),
            viewer=Viewer.read(data["viewer"]),
            workers_online=sum(bool(worker["online"]) for worker in data["workers"]),
        )

    @property
    def now(self) -> datetime:
        """The time by Redis's clock when this was answered."""
        return self.system.now

    def may(self, role: Role) -> bool:
        """Whether the viewer may do what this role may; the API decides anyway."""
        return self.viewer.role >= role
