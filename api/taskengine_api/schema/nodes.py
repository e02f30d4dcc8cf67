"""Things with an id that can be asked for again. An id begins with what it names: ``job_…``, ``queue_mail``."""

from enum import StrEnum

import strawberry


class Prefix(StrEnum):
    """What an id begins with, before the underscore. A job's id is the engine's own."""

    ATTEMPT = "attempt"
    AUDIT = "audit"
    FAILURE = "fail"
    LOG = "log"
    QUEUE = "queue"
    TASK = "task"
    WORKER = "worker"
    BULK = "bulk"
    SCHEDULE = "schedule"


def id_of(prefix: Prefix, name: str) -> strawberry.ID:
    """Return the id of a thing that goes by its name."""
    return strawberry.ID(f"{prefix}_{name}")


@strawberry.interface(description="Anything that has an id and can be asked for by it.")
class Node:
    """Anything that has an id and can be asked for by it."""

    id: strawberry.ID = strawberry.field(description="Opaque, and begins with what it is: `job_…`.")
