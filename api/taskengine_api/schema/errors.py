"""Expected failures of a mutation, as data: the one place where the engine's exceptions become errors of a payload.

Resolvers hold no ``try``. What is not translated here is the request's own
trouble (Redis away, a bug) and goes to the top level, see ``taskengine_api.errors``.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Protocol, TypeVar

import strawberry
from strawberry.extensions import FieldExtension

from taskengine.errors import (
    BulkNotFound,
    IllegalMove,
    InvalidInput,
    InvalidInputs,
    JobNotFound,
    QueueFull,
    ScheduleDeclared,
    ScheduleNotFound,
    TaskEngineError,
    TooLarge,
    UnknownTask,
    WorkerNotFound,
    WorkerOffline,
)
from taskengine_api.context import Context
from taskengine_api.roles import Forbidden, Gate, with_need
from taskengine_api.schema.enums import Role
from taskengine_api.schema.jobs import Job

P = TypeVar("P", bound="Payload")

Path = tuple[str, ...]


@strawberry.enum(description="What kind of failure it is. Treat codes that you do not know as INTERNAL.")
class UserErrorCode(Enum):
    """What kind of failure it is."""

    INVALID = strawberry.enum_value("INVALID", description="A value was refused.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="There is nothing of that id or name.")
    CONFLICT = strawberry.enum_value("CONFLICT", description="Its state does not allow it.")
    LIMIT_EXCEEDED = strawberry.enum_value("LIMIT_EXCEEDED", description="It is more than is allowed.")
    QUEUE_FULL = strawberry.enum_value(
        "QUEUE_FULL", description="Redis holds as much as it may: nothing more is taken in for now."
    )
    FORBIDDEN = strawberry.enum_value("FORBIDDEN", description="The viewer's role does not allow it.")


@strawberry.interface(description="An expected failure of a mutation. Nothing has changed where there is one.")
class UserError:
    """An expected failure of a mutation."""

    code: UserErrorCode = strawberry.field(description="What kind of failure it is.")
    message: str = strawberry.field(description="What is wrong, for a person.")
    path: list[str] | None = strawberry.field(
        default=None, description='Where in `input` the trouble is, e.g. `["args", "to", "0"]`.'
    )


@strawberry.type(description="A value was refused.")
class ValidationError(UserError):
    """A value was refused."""

    constraint: str | None = strawberry.field(default=None, description="The rule that it breaks, for a program.")


@strawberry.type(description="There is nothing of that id or name.")
class NotFoundError(UserError):
    """There is nothing of that id or name."""


@strawberry.type(description="The object's state does not allow it.")
class ConflictError(UserError):
    """The object's state does not allow it."""

    job: Job | None = strawberry.field(
        default=None, description="The job as it is now; null where it is not about one."
    )


@strawberry.type(description="It is more than is allowed.")
class LimitError(UserError):
    """It is more than is allowed."""

    retry_after_seconds: float | None = strawberry.field(
        default=None, description="When the same would be taken; null when waiting does not help."
    )


@strawberry.type(description="The viewer's role does not allow it.")
class ForbiddenError(UserError):
    """The viewer's role does not allow it."""

    needed_role: Role = strawberry.field(description="The least role that may do it.")


ERROR_TYPES = (ValidationError, NotFoundError, ConflictError, LimitError, ForbiddenError)


def as_given(path: Path) -> Path:
    """Return the path as it is: the engine's names are those of the input."""
    return path


FULL_SECONDS = 1.0
"""How much Redis holds is looked at so often: before that the answer stays the same."""


class Payload(Protocol):
    """What a mutation answers: made with errors alone, it says that nothing has changed."""

    def __init__(self, *, errors: list[UserError]) -> None: ...


async def or_errors(
    payload: type[P], work: Awaitable[P], context: Context, translate: Callable[[Path], Path] = as_given
) -> P:
    """Return what the work returns, or the payload with the errors that it ended in and nothing else."""
    try:
        return await work
    except (TaskEngineError, Forbidden) as error:
        errors = await errors_of(error, context, translate)
        if not errors:
            raise
        return payload(errors=errors)


async def errors_of(error: Exception, context: Context, translate: Callable[[Path], Path]) -> list[UserError]:
    """Return an expected failure as data; nothing for one that is the request's own trouble."""
    if isinstance(error, InvalidInputs):
        return [one for problem in error.problems for one in await errors_of(problem, context, translate)]
    if isinstance(error, InvalidInput):
        return [_refusal(error, list(translate(error.path)))]
    if isinstance(error, Forbidden):
        return [_forbidden(error, list(translate(error.path)))]
    if isinstance(error, JobNotFound | BulkNotFound | ScheduleNotFound | WorkerNotFound):
        return [NotFoundError(code=UserErrorCode.NOT_FOUND, message=str(error), path=["id"])]
    if isinstance(error, ScheduleDeclared | WorkerOffline):
        return [ConflictError(code=UserErrorCode.CONFLICT, message=str(error), path=["id"])]
    if isinstance(error, QueueFull):
        return [LimitError(code=UserErrorCode.QUEUE_FULL, message=str(error), retry_after_seconds=FULL_SECONDS)]
    if isinstance(error, IllegalMove):
        job = await context.client.get_job(error.job_id)
        shown = Job.from_domain(job) if job else None
        return [ConflictError(code=UserErrorCode.CONFLICT, message=str(error), path=["id"], job=shown)]
    return []


def _refusal(error: InvalidInput, path: list[str]) -> UserError:
    if isinstance(error, UnknownTask):
        return NotFoundError(code=UserErrorCode.NOT_FOUND, message=error.message, path=path)
    if isinstance(error, TooLarge):
        return LimitError(code=UserErrorCode.LIMIT_EXCEEDED, message=error.message, path=path)
    return ValidationError(code=UserErrorCode.INVALID, message=error.message, path=path, constraint=error.constraint)


def _forbidden(error: Forbidden, path: list[str]) -> UserError:
    return ForbiddenError(code=UserErrorCode.FORBIDDEN, message=str(error), path=path or None, needed_role=error.needed)


class FailuresAsData(FieldExtension):
    """Lets a mutation's resolver raise; its payload then has the errors."""

    def apply(self, field: Any) -> None:
        self._field = field

    async def resolve_async(self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **kwargs: Any) -> Any:
        return await or_errors(self._field.type, next_(source, info, **kwargs), info.context)


def mutation(description: str, *, needs: Role = Role.OPERATOR) -> Any:
    """``strawberry.mutation`` for whoever has the role, whose expected failures are data."""
    return strawberry.mutation(description=with_need(description, needs), extensions=[Gate(needs), FailuresAsData()])
