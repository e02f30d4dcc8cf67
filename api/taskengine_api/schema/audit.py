"""The audit: what operators did."""

from datetime import datetime
from typing import cast

import strawberry

from taskengine import audit as domain
from taskengine_api.context import Info
from taskengine_api.paging import After, Before, First, Last, PageInfo
from taskengine_api.scalars import Json
from taskengine_api.schema.nodes import Node, Prefix, id_of


@strawberry.type(description="What an operator did.")
class AuditEntry(Node):
    """What an operator did."""

    at: datetime = strawberry.field(description="When it was done.")
    viewer: str = strawberry.field(description="Who did it.")
    action: str = strawberry.field(description="What was done, e.g. `cancel_job`.")
    subject: str = strawberry.field(description="What it was done to: the id of a job, the name of a queue.")
    details: Json | None = strawberry.field(description="What more there is to say of it; null for nothing.")

    @classmethod
    def from_domain(cls, entry: domain.AuditEntry) -> "AuditEntry":
        """Show one of the engine's entries."""
        return cls(
            id=id_of(Prefix.AUDIT, entry.id),
            at=entry.at,
            viewer=entry.by,
            action=entry.action,
            subject=entry.subject,
            details=cast("Json | None", entry.details or None),
        )


@strawberry.type(description="An entry and its place in the audit.")
class AuditEntryEdge:
    """An entry and its place in the audit."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: AuditEntry = strawberry.field(description="The entry.")


@strawberry.type(description="A page of what operators did, newest first. The newest 10,000 entries are kept.")
class AuditEntryConnection:
    """A page of what operators did, newest first."""

    edges: list[AuditEntryEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[AuditEntry] = strawberry.field(description="The entries.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")

    @classmethod
    def from_domain(cls, page: domain.AuditPage) -> "AuditEntryConnection":
        """Show one of the engine's pages."""
        edges = [AuditEntryEdge(cursor=entry.id, node=AuditEntry.from_domain(entry)) for entry in page.entries]
        cursors = [edge.cursor for edge in edges]
        return cls(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.around(cursors, more_after=page.has_next, more_before=page.has_previous),
        )


@strawberry.type
class AuditQueries:
    """What can be asked of the audit."""

    @strawberry.field(description="What operators did, by page, newest first.")
    async def audit_entries(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AuditEntryConnection:
        page = await info.context.client.list_audit_entries(first=first, after=after, last=last, before=before)
        return AuditEntryConnection.from_domain(page)
