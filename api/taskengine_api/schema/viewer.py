"""The viewer: who asks, and what they may do."""

import strawberry

from taskengine_api.context import Info
from taskengine_api.schema.enums import Role


@strawberry.type(description="Who asks, and what they may do.")
class Viewer:
    """Who asks, and what they may do."""

    name: str = strawberry.field(description="Name of the key; `local` where none is asked for.")
    role: Role = strawberry.field(description="What they may do.")


@strawberry.type
class ViewerQueries:
    """What can be asked of oneself."""

    @strawberry.field(description="Who asks.")
    def viewer(self, info: Info) -> Viewer:
        return Viewer(name=info.context.viewer.name, role=info.context.viewer.role)
