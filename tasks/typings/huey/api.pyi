from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ClassVar

from huey.registry import Registry
from huey.signals import Signal
from huey.storage import BaseStorage

class Task:
    default_priority: ClassVar[Any]
    default_retries: ClassVar[int]
    default_timeout: ClassVar[float | None]
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    id: str
    eta: datetime | None
    retries: int
    priority: Any
    expires: Any
    timeout: float | None
    on_complete: Task | None
    on_error: Task | None
    def __init__(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        id: str | None = None,
        eta: datetime | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        priority: Any = None,
        expires: Any = None,
        on_complete: Task | None = None,
        on_error: Task | None = None,
        expires_resolved: datetime | None = None,
        timeout: float | None = None,
        chord_config: Any = None,
        retry_backoff: float | None = None,
    ) -> None: ...
    def create_id(self) -> str: ...
    def execute(self) -> Any: ...

class TaskWrapper:
    task_base: type[Task]
    task_class: Any  # a subclass of Task
    huey: Any  # a Huey
    func: Callable[..., Any]
    def __init__(
        self,
        huey: Huey,
        func: Callable[..., Any],
        context: bool = False,
        name: str | None = None,
        task_base: type[Task] | None = None,
        **settings: Any,
    ) -> None: ...
    def s(self, *args: Any, **kwargs: Any) -> Task: ...
    def map(self, it: Iterable[Any]) -> Any: ...
    def unregister(self) -> bool: ...
    def schedule(self, args: Any = None, kwargs: dict[str, Any] | None = None, **options: Any) -> Any: ...

class Huey:
    name: str
    storage: BaseStorage
    immediate: bool
    _registry: Registry
    _signal: Signal
    _tasks_in_flight: set[Task]
    def __init__(self, name: str = "huey", **options: Any) -> None: ...
    def create_storage(self) -> BaseStorage: ...
    def get_task_wrapper_class(self) -> type[TaskWrapper]: ...
    def task(self, *args: Any, **kwargs: Any) -> Any: ...
    def periodic_task(self, *args: Any, **kwargs: Any) -> Any: ...
    def enqueue(self, task: Any) -> Any: ...
    def dequeue(self) -> Task | None: ...
    def execute(self, task: Any, timestamp: datetime | None = None) -> Any: ...
    def read_schedule(self, timestamp: datetime | None = None) -> list[Task]: ...
    def read_periodic(self, timestamp: datetime | None) -> list[Task]: ...
    def result(self, id: str, *args: Any, **kwargs: Any) -> Any: ...
    def _emit(self, signal: str, task: Task, *args: Any, **kwargs: Any) -> None: ...
    def _run_pre_execute(self, task: Task) -> None: ...
    def _run_post_execute(self, task: Task, task_value: Any, exception: BaseException | None) -> None: ...
    def _timeout_context(self, task: Task) -> AbstractContextManager[Any]: ...
