"""The system itself: its version, and the Redis that holds everything."""

from datetime import datetime
from importlib.metadata import version

import strawberry

from taskengine_api.context import Info


@strawberry.type(description="The system: its version, and the Redis that holds everything.")
class System:
    """The system: its version, and the Redis that holds everything."""

    version: str = strawberry.field(description="Version of TaskEngine that answers.")
    redis_version: str = strawberry.field(description="Version of Redis.")
    redis_memory_bytes: float = strawberry.field(description="Memory that Redis uses.")
    redis_memory_limit_bytes: float | None = strawberry.field(
        description="Memory that Redis may use; null is no limit."
    )
    persistence: str = strawberry.field(description="What Redis keeps on disk: `aof`, `rdb`, `aof+rdb` or `none`.")
    now: datetime = strawberry.field(description="The time by Redis's clock, which every deadline goes by.")


@strawberry.type
class SystemQueries:
    """What can be asked of the system."""

    @strawberry.field(description="The system, now.")
    async def system(self, info: Info) -> System:
        redis = await info.context.client.ping()
        return System(
            version=version("taskengine"),
            redis_version=redis.version,
            redis_memory_bytes=float(redis.memory_bytes),
            redis_memory_limit_bytes=None if redis.memory_limit_bytes is None else float(redis.memory_limit_bytes),
            persistence=redis.persistence,
            now=redis.now,
        )
