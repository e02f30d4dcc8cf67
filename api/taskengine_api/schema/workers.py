"""Workers: who is here, what each can run and runs now."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from taskengine.jobs import WorkerInfo
from taskengine_api.context import Info
from taskengine_api.schema.nodes import Node, Prefix, id_of
from taskengine_api.schema.queues import Queue

if TYPE_CHECKING:
    from taskengine_api.schema.jobs import Job


@strawberry.type(description="A consumer process.")
class Worker(Node):
    """A consumer process, as its last heartbeat told."""

    name: str = strawberry.field(description="Its name, unique among workers.")
    hostname: str = strawberry.field(description="The machine it runs on.")
    pid: int = strawberry.field(description="Its process id there.")
    version: str = strawberry.field(description="Version of TaskEngine that it runs.")
    concurrency: int = strawberry.field(description="Jobs it can run at once.")
    started_at: datetime = strawberry.field(description="When it started.")
    last_heartbeat_at: datetime = strawberry.field(description="When it was last heard of.")
    online: bool = strawberry.field(description="Whether it was heard of within the lease.")
    draining: bool = strawberry.field(
        description="Whether it takes no new job and stops when its running ones are done."
    )
    cpu_percent: float | None = strawberry.field(
        description="Percent of one core that it and its processes used since the heartbeat before; null when unknown."
    )
    memory_bytes: float | None = strawberry.field(
        description="Memory that it and its processes hold; null when unknown."
    )
    known: Private[WorkerInfo]

    @classmethod
    def from_domain(cls, worker: WorkerInfo) -> "Worker":
        """Show one of the engine's workers."""
        return cls(
            id=id_of(Prefix.WORKER, worker.name),
            name=worker.name,
            hostname=worker.hostname,
            pid=worker.pid,
            version=worker.version,
            concurrency=worker.concurrency,
            started_at=worker.started_at,
            last_heartbeat_at=worker.last_heartbeat_at,
            online=worker.online,
            draining=worker.draining,
            cpu_percent=worker.cpu_percent,
            memory_bytes=None if worker.memory_bytes is None else float(worker.memory_bytes),
            known=worker,
        )

    @strawberry.field(description="The queues it takes jobs from.")
    async def queues(self, info: Info) -> list[Queue]:
        if "*" in self.known.queues:
            return [Queue.named(queue.name, queue) for queue in await info.context.loaders.all_queues.load(None)]
        return [Queue.named(name) for name in self.known.queues]

    @strawberry.field(description="The jobs it held at its last heartbeat.")
    async def running_jobs(self, info: Info) -> list[Annotated["Job", strawberry.lazy("taskengine_api.schema.jobs")]]:
        from taskengine_api.schema.jobs import Job

        found = await info.context.loaders.jobs.load_many(self.known.running)
        return [Job.from_domain(job) for job in found if job is not None]


@strawberry.type
class WorkerQueries:
    """What can be asked of workers."""

    @strawberry.field(description="The workers that are here or were a while ago, by name.")
    async def workers(
        self,
        info: Info,
        online: Annotated[bool | None, strawberry.argument(description="Only those online, or only those not.")] = None,
    ) -> list[Worker]:
        found = await info.context.client.list_workers()
        return [Worker.from_domain(worker) for worker in found if online in (None, worker.online)]
