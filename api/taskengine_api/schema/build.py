"""The schema: made once from the nouns, and again with the typed mutations of each new catalogue."""

import asyncio
import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import strawberry
from graphql import (
    DocumentNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    Undefined,
    execute_sync,  # pyright: ignore[reportUnknownVariableType]
    print_schema,
    validate_schema,
)
from graphql import (
    ExecutionResult as GraphQLResult,
)
from graphql.type.introspection import introspection_types
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError

from taskengine.jobs import TaskInfo
from taskengine_api.context import ContextPerOperation
from taskengine_api.cost import price_of_introspection
from taskengine_api.documents import Documents
from taskengine_api.errors import Code, coded, public
from taskengine_api.execution import Execution, note_plain_fields
from taskengine_api.guard import Guard
from taskengine_api.meters import Metered
from taskengine_api.scalars import SCALAR_MAP
from taskengine_api.schema.enqueueing import enqueue_typed
from taskengine_api.schema.errors import ERROR_TYPES
from taskengine_api.schema.events import EVENT_TYPES
from taskengine_api.schema.roots import Mutation, Query, Subscription
from taskengine_api.typed_tasks import NO_TASKS, TypedTasks, typed_tasks

_TOLD = 8
"""Answers to introspection that are kept: some megabytes each, where there are hundreds of tasks."""


class Schema(strawberry.Schema):
    """Strawberry's schema with our errors, its own document cache, and the typed mutations of one catalogue."""

    def __init__(self, *, introspection: bool = True) -> None:
        super().__init__(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            types=[*ERROR_TYPES, *EVENT_TYPES],
            extensions=[Metered, Guard, ContextPerOperation],
            execution_context_class=Execution,
            config=StrawberryConfig(scalar_map=SCALAR_MAP, disable_field_suggestions=not introspection),
        )
        note_plain_fields(self.core)
        self.documents = Documents()
        self.more_rules = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._told = OrderedDict[tuple[Any, ...], Any]()
        self._telling = asyncio.Lock()
        self.field_of: Mapping[str, str] = {}
        _tell_one_of()
        _leave_out_null_defaults(self.core)
        self.price_of_introspection = price_of_introspection(self.core)

    @property
    def core(self) -> GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    def with_tasks(self, tasks: Sequence[TaskInfo]) -> "Schema":
        """Return this schema with a typed mutation for each task; this one is left as it is."""
        return self._with(typed_tasks(tasks, self.core.type_map, enqueue_typed) if tasks else NO_TASKS)

    def _with(self, typed: TypedTasks) -> "Schema":
        other = copy.copy(self)
        other.documents = Documents()
        other._told = OrderedDict()
        other._telling = asyncio.Lock()
        other.field_of = typed.field_of
        other._schema = _with_mutations(self.core, typed)
        other._schema._strawberry_schema = other  # type: ignore[attr-defined]
        other.price_of_introspection = price_of_introspection(other.core)
        return other

    def knows(self, question: tuple[Any, ...]) -> bool:
        """Whether the schema was told in just these words before."""
        return question in self._told

    async def tell(self, question: tuple[Any, ...], asked: ExecutionContext) -> GraphQLResult:
        """Answer introspection, which for a large schema takes a second: once for the same words, and in a thread."""
        async with self._telling:
            if question not in self._told:
                result = await asyncio.to_thread(
                    cast("Callable[..., GraphQLResult]", execute_sync),
                    self.core,
                    cast(DocumentNode, asked.graphql_document),
                    variable_values=asked.variables,
                    operation_name=asked.operation_name,
                )
                if result.errors:
                    return result
                self._told[question] = result.data
                while len(self._told) > _TOLD:
                    self._told.popitem(last=False)
            return GraphQLResult(data=self._told[question], errors=None)

    def sdl(self) -> str:
        """Return the schema as text."""
        return print_schema(self.core) + "\n"

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing here: ``public`` logs bugs, and a client's mistakes are no news."""

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        """Read the document, and see to it that what is wrong with it is told on every transport alike."""
        limits = Guard.limits
        if context.query:
            read = self.documents.read(context.query, max_length=limits.length, max_tokens=limits.tokens)
            if isinstance(read, GraphQLError):
                return _refused(context, read)
            context.graphql_document = read
        try:
            return await super()._prepare_operation_async(context, extensions_runner)
        except CannotGetOperationTypeError as error:
            return _refused(context, coded(error.as_http_error_reason(), Code.BAD_REQUEST))

    async def _handle_execution_result(
        self,
        context: ExecutionContext,
        result: Any,
        extensions_runner: SchemaExtensionsRunner,
        *,
        skip_process_errors: bool = False,
    ) -> ExecutionResult:
        """Every result passes here, over HTTP and on streams: give each error its code and hide our bugs."""
        handled = await super()._handle_execution_result(
            context, result, extensions_runner, skip_process_errors=skip_process_errors
        )
        if handled.errors:
            executing = not isinstance(result, PreExecutionError)
            handled.errors = [public(error, executing=executing) for error in handled.errors]
            for error in handled.errors:
                context.context.meters.count_error((error.extensions or {}).get("code"))
        return handled


def _refused(context: ExecutionContext, problem: GraphQLError) -> PreExecutionError:
    context.pre_execution_errors = [problem]
    return PreExecutionError(data=None, errors=[problem])


def _with_mutations(base: GraphQLSchema, typed: TypedTasks) -> GraphQLSchema:
    """Return the schema with more fields of ``Mutation``; all other types are shared."""
    mutation = base.mutation_type
    assert mutation is not None
    wider = mutation.to_kwargs()
    wider["fields"] = {**mutation.fields, **typed.fields}
    whole = base.to_kwargs()
    whole["mutation"] = GraphQLObjectType(**wider)
    whole["types"] = tuple(type_ for type_ in whole.get("types") or () if type_ is not mutation)
    schema = GraphQLSchema(**whole)
    problems = validate_schema(schema)
    if problems:
        raise ValueError("; ".join(problem.message for problem in problems))
    return schema


def _leave_out_null_defaults(schema: GraphQLSchema) -> None:
    """Absent and null are one to every resolver here, so ``= null`` would only be noise in the SDL."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            values: list[GraphQLArgument | GraphQLInputField] = list(type_.fields.values())
        elif isinstance(type_, GraphQLObjectType):
            values = [argument for field in type_.fields.values() for argument in field.args.values()]
        else:
            continue
        for value in values:
            if value.default_value is None:
                value.default_value = Undefined


def _tell_one_of() -> None:
    """Strawberry answers ``isOneOf`` from its own definitions, which the typed mutations do not have."""
    field = introspection_types["__Type"].fields["isOneOf"]  # type: ignore[attr-defined]
    field.resolve = _is_one_of


def _is_one_of(type_: object, _info: object) -> bool | None:
    return getattr(type_, "is_one_of", None)
