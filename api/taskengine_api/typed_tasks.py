"""One typed mutation a task: from the catalogue that workers publish to fields of ``Mutation``.

Works on plain descriptions of tasks; no Redis, no user's code. A task that
cannot be typed is left out, with a warning; ``enqueueJob`` still takes it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    is_required_input_field,
    validate_schema,
)

from taskengine.jobs import TaskInfo
from taskengine_api.json_types import InputTypes, Untypable, path_as_given
from taskengine_api.names import TypeNames, clashes, task_names
from taskengine_api.roles import Role, with_need

log = logging.getLogger(__name__)

UNTYPED = "enqueueJob"
"""The field that enqueues any task, by name and JSON."""

Info = GraphQLResolveInfo[Any]
_KEPT_FREE = ("Job", "Jobs")
"""``enqueueJob`` and ``enqueueJobs`` are never a task's own, also where the schema has no such field yet."""

TranslatePath = Callable[[tuple[str, ...]], tuple[str, ...]]
Enqueue = Callable[[Info, str, Mapping[str, Any], Mapping[str, Any] | None, TranslatePath], Awaitable[Any]]
"""Enqueues: info, task, arguments as JSON, ``EnqueueOptions`` as GraphQL coerced them, and how to
turn the path of an error into one that the caller will recognise."""


@dataclass(frozen=True, slots=True)
class TypedTasks:
    """The fields to add to ``Mutation``, and which task is enqueued by which."""

    fields: Mapping[str, GraphQLField]
    field_of: Mapping[str, str]


NO_TASKS = TypedTasks({}, {})


def typed_tasks(tasks: Sequence[TaskInfo], types: Mapping[str, GraphQLNamedType], enqueue: Enqueue) -> TypedTasks:
    """Build the typed mutation of each task; ``types`` are those of the schema that they are added to."""
    taken = TypeNames(types)
    mutation = cast(GraphQLObjectType, types["Mutation"])
    reserved = {*_KEPT_FREE, *(name.removeprefix("enqueue") for name in mutation.fields if name.startswith("enqueue"))}
    names = task_names([task.name for task in tasks], reserved)
    for task, name in clashes(names).items():
        log.warning("Another field is called as task %r would be: its mutation is enqueue%s.", task, name)
    fields: dict[str, GraphQLField] = {}
    field_of: dict[str, str] = {}
    for task in sorted(tasks, key=lambda task: task.name):
        try:
            field = _field(task, names[task.name], taken, types, enqueue)
        except (Untypable, TypeError, ValueError, KeyError, AttributeError) as error:
            # Whatever a worker published: one odd description must not take the other tasks away.
            log.warning("Task %r has no typed mutation, only %s: %s", task.name, UNTYPED, error)
            continue
        field_of[task.name] = f"enqueue{names[task.name]}"
        fields[field_of[task.name]] = field
    return TypedTasks(fields, field_of)


def _field(
    task: TaskInfo, name: str, taken: TypeNames, types: Mapping[str, GraphQLNamedType], enqueue: Enqueue
) -> GraphQLField:
    json, instant = cast(GraphQLScalarType, types["JSON"]), cast(GraphQLScalarType, types["DateTime"])
    made = InputTypes(name, taken, task.args_schema, json=json, instant=instant)
    args_type = made.args_type(task=task.name)
    input_type = _input_type(task, taken.new(f"Enqueue{name}Input"), args_type, types)
    _refuse_unsound(input_type)
    argument = GraphQLArgument(GraphQLNonNull(input_type), description="The arguments, and how to enqueue.")
    summary = (task.description or "").strip()
    return GraphQLField(
        GraphQLNonNull(cast(GraphQLObjectType, types["EnqueueJobPayload"])),
        args={"input": argument},
        resolve=_resolver(task.name, args_type, enqueue),
        description=with_need(
            f"{summary}\n\nEnqueues `{task.name}`." if summary else f"Enqueues `{task.name}`.", Role.OPERATOR
        ),
    )


def _input_type(
    task: TaskInfo,
    name: str,
    args_type: GraphQLInputObjectType | None,
    types: Mapping[str, GraphQLNamedType],
) -> GraphQLInputObjectType:
    options = cast(GraphQLInputObjectType, types["EnqueueOptions"])
    fields = {"options": GraphQLInputField(options, description="How it is enqueued; the task's own values otherwise.")}
    if args_type is not None:
        needed = any(is_required_input_field(field) for field in args_type.fields.values())
        args = GraphQLInputField(
            GraphQLNonNull(args_type),
            description="The arguments.",
            default=None if needed else GraphQLDefaultInput(value={}),
        )
        fields = {"args": args, **fields}
    return GraphQLInputObjectType(name, fields, description=f"What it takes to enqueue `{task.name}`.")


def _refuse_unsound(input_type: GraphQLInputObjectType) -> None:
    """Raise ``Untypable`` when GraphQL would refuse a schema with these types."""
    problems = validate_schema(GraphQLSchema(types=[input_type]))
    unsound = [problem.message for problem in problems if not problem.message.startswith("Query root type")]
    if unsound:
        raise Untypable("; ".join(unsound))


def _resolver(task: str, args_type: GraphQLInputObjectType | None, enqueue: Enqueue) -> Callable[..., Awaitable[Any]]:
    async def resolve(_root: object, info: Info, input: dict[str, Any]) -> Any:
        args: Mapping[str, Any] = input.get("args", {})

        def as_given(path: tuple[str, ...]) -> tuple[str, ...]:
            if path[:1] != ("args",) or args_type is None:
                return path
            return ("args", *path_as_given(path[1:], args, args_type))

        return await enqueue(info, task, args, input.get("options"), as_given)

    return resolve
