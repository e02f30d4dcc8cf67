"""What ``features.py`` runs: a no-op, and the same with one feature each."""

from taskengine import TaskEngine, current_job

engine = TaskEngine.from_env()


@engine.task(name="plain")
def plain(n: int) -> int:
    return n


@engine.task(name="keyed", concurrency_key=lambda n: str(n % 50), concurrency_per_key=100)
def keyed(n: int) -> int:
    return n


@engine.task(name="progress")
def progress(n: int) -> int:
    current_job.progress(n, total=n + 1, message="on its way")
    return n


@engine.task(name="log")
def log(n: int) -> int:
    current_job.log.info("on its way", n=n)
    return n


@engine.task(name="checkpoint")
def checkpoint(n: int) -> int:
    current_job.checkpoint(n)
    return n


@engine.task(name="failing")
def failing(n: int) -> int:
    raise ValueError(f"no such order: {n}")
