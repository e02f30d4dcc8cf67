"""The viewer: who asks, and what they may do."""

from datetime import datetime

import strawberry

from taskengine_api.context import Info
from taskengine_api.schema.enums import Role


@strawberry.type(description="Who asks, and what they may do.")
class Viewer:
    """Who asks, and what they may do."""

    name: str = strawberry.field(description="Name of the key; `local` where none is asked for.")
    role: Role = strawberry.field(description="What they may do.")


@strawberry.type(
    description="What the caller may spend in a minute, in points: one an object or leaf, times the page sizes above."
)
class RateLimit:
    """What the caller may spend in a minute."""

    cost: int = strawberry.field(description="What this operation cost.")
    limit: int = strawberry.field(description="Points of a minute.")
    remaining: int = strawberry.field(description="Points that are left; within a hundredth for each API process.")
    reset_at: datetime = strawberry.field(description="When all are there again, if nothing more is asked.")


@strawberry.type
class ViewerQueries:
    """What can be asked of oneself."""

    @strawberry.field(description="Who asks.")
    def viewer(self, info: Info) -> Viewer:
        return Viewer(name=info.context.viewer.name, role=info.context.viewer.role)

    @strawberry.field(description="What the caller may still spend; also in `extensions.cost` of each answer.")
    def rate_limit(self, info: Info) -> RateLimit:
        balance = info.context.balance
        return RateLimit(cost=balance.cost, limit=balance.limit, remaining=balance.remaining, reset_at=balance.reset_at)
