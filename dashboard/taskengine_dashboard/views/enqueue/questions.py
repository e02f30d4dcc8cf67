"""What can be enqueued, and where to."""

from dataclasses import dataclass
from typing import Any, Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.model.tasks import TaskInfo
from taskengine_dashboard.source import source
from taskengine_dashboard.views.enqueue.typed import Types

CATALOGUE = Operation(
    "Catalogue",
    f"""
query Catalogue {{
  tasks {{ name description argsSchema enqueueField queue {{ name }} priority maxAttempts }}
  queues {{ name }}
  ...Frame
}}
{FRAME}""",
)

TYPES = Operation(
    "InputTypes",
    """
query InputTypes {
  __schema {
    types {
      kind
      name
      isOneOf
      inputFields { name defaultValue type { ...Ref } }
      enumValues(includeDeprecated: true) { name description }
    }
    mutationType { fields { name args { type { ...Ref } } } }
  }
}
fragment Ref on __Type {
  kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name } } } } } } } }
}
""",
)
"""What the API tells of its inputs; four lists within each other are as deep as it follows."""

FIRST = Operation("FirstJob", "query FirstJob($id: ID!) { job(id: $id) { id args task { name } } }")


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The answer to ``FIRST``: a job that is to be run once more. All ``None`` when there is no such job."""

    job_id: str | None = None
    task: str | None = None
    args: Any = None

    @classmethod
    def read(cls, data: Json) -> Self:
        job = data["job"]
        return cls(job_id=job["id"], task=job["task"]["name"], args=job["args"]) if job else cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The answer to ``CATALOGUE``."""

    frame: Frame
    tasks: tuple[TaskInfo, ...]
    queues: tuple[str, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        tasks = tuple(TaskInfo.read(task) for task in data["tasks"])
        queues = {queue["name"] for queue in data["queues"]} | {task.queue for task in tasks}
        return cls(frame=Frame.read(data), tasks=tasks, queues=tuple(sorted(queues)))

    def task(self, name: str | None) -> TaskInfo | None:
        return next((task for task in self.tasks if task.name == name), None)


def catalogue() -> Reading[Catalogue]:
    """Ask what can be enqueued."""
    return source().read(CATALOGUE, None, Catalogue.read)


def types() -> Reading[Types]:
    """Ask for the types of the tasks' own mutations."""
    return source().read(TYPES, None, Types.read)


def first(job_id: str) -> Reading[First]:
    """Ask for the job that is to be run once more."""
    return source().read(FIRST, {"id": job_id}, First.read)
