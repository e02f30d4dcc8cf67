"""Whatever is asked of each object of a list: many of them cost no more round trips to Redis than a few."""

from typing import Any

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.client import Pipeline

from support.api import LEASE_MS, STORE, Api, a_task, end, publish, say
from taskengine.filters import JobFilter
from taskengine.jobs import Options
from taskengine.store import Ending
from taskengine_api.schema.build import Schema

SCHEMA = Schema().core
FEW, MANY = 2, 14
LISTS = {
    "jobs(first: 60) { nodes": "Job",
    "queues": "Queue",
    "tasks": "Task",
    "workers": "Worker",
    "schedules": "Schedule",
    "failureGroups(first: 100) { nodes": "FailureGroup",
    "auditEntries(first: 100) { nodes": "AuditEntry",
    "bulkOperations": "BulkOperation",
}


def each_field_of(type_name: str) -> list[str]:
    """Return every field of a type with all plain ones right below it; of connections, those of their nodes."""
    type_ = SCHEMA.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    return [
        f"{name}{'(first: 2)' if 'first' in field.args else ''}{_below(field)}" for name, field in type_.fields.items()
    ]


def _below(field: GraphQLField) -> str:
    type_ = get_named_type(field.type)
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    if type_.name.endswith("Connection"):
        return f" {{ nodes{_below(type_.fields['nodes'])} pageInfo {{ endCursor }} }}"
    plain = [name for name, one in type_.fields.items() if is_leaf_type(get_named_type(one.type))]
    return f" {{ {' '.join(plain)} }}"


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every command that is sent alone, and every pipeline as one."""
    sent: list[str] = []
    for kind, method in ((AsyncRedis, "execute_command"), (Pipeline, "execute")):
        real = getattr(kind, method)

        def counted(self: Any, *args: Any, _real: Any = real, **options: Any) -> Any:
            sent.append(str(args[0]) if args else "pipeline")
            return _real(self, *args, **options)

        monkeypatch.setattr(kind, method, counted)
    return sent


def work() -> None:
    """Do as told."""


async def add(api: Api, redis: Redis, number: int) -> None:
    """One more of everything: a task with its queue, worker and schedule, and jobs in several states."""
    task, queue, worker = f"t{number}", f"q{number}", f"w{number}"
    publish(redis, a_task(task, work, queue=queue), worker=worker, queues=(queue,))

    async def enqueue(**options: Any) -> str:
        return await api.enqueue(task, Options(queue=queue, **options))

    def claim() -> Any:
        (job,) = STORE.claim_jobs(worker, queue, 1, lease_ms=LEASE_MS).run(redis).jobs
        return job

    first = await enqueue()
    job = claim()
    say(redis, job, ("INFO", "as told"))
    end(redis, job, Ending.FAILED)
    await api.client.rerun_job(first, by="ann")
    claim()
    waited_for = await enqueue()
    await enqueue(depends_on=(waited_for,))
    await api.client.create_schedule(f"s{number}", task, {}, every_seconds=3600)
    await api.client.run_schedule(f"s{number}")
    cancelled = await enqueue()
    await api.client.cancel_jobs(JobFilter(ids=(cancelled,)), by="ann")


@pytest.mark.parametrize(("begin", "type_name"), LISTS.items(), ids=LISTS.values())
async def test_no_field_costs_more_for_many_objects(
    api: Api, redis: Redis, round_trips: list[str], begin: str, type_name: str
) -> None:
    documents = [f"{{ {begin} {{ {field} }} {'}' * begin.count('{')} }}" for field in each_field_of(type_name)]

    async def costs() -> dict[str, int]:
        found: dict[str, int] = {}
        for document in documents:
            await api.data(document)  # whatever is remembered for a while is known then
            round_trips.clear()
            await api.data(document)
            # The looks for new tasks and keys go on beside.
            found[document] = len([command for command in round_trips if command not in {"GET", "HLEN"}])
        return found

    for number in range(FEW):
        await add(api, redis, number)
    few = await costs()
    for number in range(FEW, MANY):
        await add(api, redis, number)
    many = await costs()
    # Reads of one moment go as one, so that their number may vary by one or two; not by one an object.
    assert {document: (few[document], cost) for document, cost in many.items() if cost > few[document] + 2} == {}
    assert max(many.values()) <= 12
