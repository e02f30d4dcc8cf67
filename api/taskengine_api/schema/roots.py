"""Query, Mutation and Subscription: the nouns put together, and ``node`` over all of them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from taskengine.errors import InvalidInput
from taskengine_api.context import Info
from taskengine_api.paging import MAX_PAGE
from taskengine_api.schema.attempts import Attempt
from taskengine_api.schema.audit import AuditEntry, AuditQueries
from taskengine_api.schema.bulk import BulkMutations, BulkOperation, BulkQueries
from taskengine_api.schema.counts import CountQueries
from taskengine_api.schema.draining import DrainingMutations
from taskengine_api.schema.enqueueing import EnqueueMutations
from taskengine_api.schema.events import JobSubscription
from taskengine_api.schema.failures import FailureGroup, FailureQueries
from taskengine_api.schema.holding import HoldingMutations
from taskengine_api.schema.jobs import Job, JobQueries
from taskengine_api.schema.logs import JobLog
from taskengine_api.schema.metrics import MetricsQueries, MetricsSubscription
from taskengine_api.schema.nodes import Node, Prefix, id_of
from taskengine_api.schema.queues import Queue, QueueQueries
from taskengine_api.schema.schedules import Schedule, ScheduleQueries
from taskengine_api.schema.scheduling import SchedulingMutations
from taskengine_api.schema.steering import SteeringMutations
from taskengine_api.schema.system import SystemQueries
from taskengine_api.schema.tasks import Task, TaskQueries
from taskengine_api.schema.viewer import ViewerQueries
from taskengine_api.schema.workers import Worker, WorkerQueries


async def find_node(info: Info, node_id: str) -> Node | None:
    """Return what has this id, or ``None``. A job may have an id of its owner's choice, so it is looked for last."""
    prefix, _, name = node_id.partition("_")
    if prefix in _FINDERS and (found := await _FINDERS[prefix](info, name)) is not None:
        return found
    job = await info.context.loaders.jobs.load(node_id)
    return Job.from_domain(job) if job else None


async def _find_queue(info: Info, name: str) -> Node | None:
    queue = await info.context.loaders.queues.load(name)
    return Queue.named(name, queue) if queue else None


async def _find_task(info: Info, name: str) -> Node | None:
    task = await info.context.loaders.tasks.load(name)
    return Task.named(name, task) if task else None


async def _find_worker(info: Info, name: str) -> Node | None:
    worker = await info.context.loaders.workers.load(name)
    return Worker.from_domain(worker) if worker else None


async def _find_attempt(info: Info, name: str) -> Node | None:
    number, _, job_id = name.partition("_")
    job = await info.context.loaders.jobs.load(job_id)
    attempts = await info.context.loaders.attempts.load(job) if job else []
    return next((Attempt.from_domain(attempt) for attempt in attempts if str(attempt.number) == number), None)


async def _find_operation(info: Info, name: str) -> Node | None:
    operation = await info.context.client.get_bulk_operation(id_of(Prefix.BULK, name))
    return BulkOperation.from_domain(operation) if operation else None


async def _find_schedule(info: Info, name: str) -> Node | None:
    schedule = await info.context.loaders.schedules.load(name)
    return Schedule.from_domain(schedule) if schedule else None


async def _find_failure_group(info: Info, name: str) -> Node | None:
    if not re.fullmatch(r"[0-9a-f]{16}", name):
        return None
    group = await info.context.loaders.failure_groups.load(id_of(Prefix.FAILURE, name))
    return FailureGroup.from_domain(group) if group else None


async def _find_log(info: Info, name: str) -> Node | None:
    found = re.fullmatch(rf"({_STREAM_ID})_([A-Za-z0-9_\-]{{1,64}})", name)
    lines = await info.context.client.list_log_lines(found[2], found[1], found[1]) if found else []
    return JobLog.from_domain(lines[0]) if lines else None


async def _find_audit_entry(info: Info, name: str) -> Node | None:
    entry = await info.context.client.get_audit_entry(name) if re.fullmatch(_STREAM_ID, name) else None
    return AuditEntry.from_domain(entry) if entry else None


_STREAM_ID = r"[0-9]{1,19}-[0-9]{1,19}"
_FINDERS: dict[str, Callable[[Info, str], Awaitable[Node | None]]] = {
    Prefix.QUEUE: _find_queue,
    Prefix.TASK: _find_task,
    Prefix.WORKER: _find_worker,
    Prefix.ATTEMPT: _find_attempt,
    Prefix.BULK: _find_operation,
    Prefix.SCHEDULE: _find_schedule,
    Prefix.FAILURE: _find_failure_group,
    Prefix.LOG: _find_log,
    Prefix.AUDIT: _find_audit_entry,
}


@strawberry.type(description="What can be asked. Needs VIEWER; what needs more says so.")
class Query(
    JobQueries,
    BulkQueries,
    CountQueries,
    QueueQueries,
    WorkerQueries,
    TaskQueries,
    ScheduleQueries,
    FailureQueries,
    MetricsQueries,
    AuditQueries,
    SystemQueries,
    ViewerQueries,
):
    """What can be asked."""

    @strawberry.field(description="Anything by its id; null when there is nothing of that id.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of anything.")]
    ) -> Node | None:
        return await find_node(info, id)

    @strawberry.field(description="Same order and length as `ids`; null where there is nothing of that id.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids.")]
    ) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise InvalidInput(("ids",), f"expected at most {MAX_PAGE} ids, got {len(ids)}")
        return list(await asyncio.gather(*(find_node(info, node_id) for node_id in ids)))


@strawberry.type(description="What can be done. Where a payload has errors, nothing has changed.")
class Mutation(
    EnqueueMutations,
    SteeringMutations,
    BulkMutations,
    HoldingMutations,
    SchedulingMutations,
    DrainingMutations,
):
    """What can be done."""


@strawberry.type(description="Live changes.")
class Subscription(JobSubscription, MetricsSubscription):
    """Live changes."""
