"""What a caller may say of a job besides its arguments: checked, and filled in from the task."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from taskengine.errors import MAX_DELAY_SECONDS, InvalidInput
from taskengine.jobs import Job, Options, check_job_id, check_name, check_positive_int, check_priority, check_text

MAX_TIMEOUT_SECONDS = 30 * 86_400.0
MAX_TAGS = 20
MAX_KEY = 200
MAX_DEPENDENCIES = 10_000


def settled(options: Options, *, queue: str, priority: int, max_attempts: int, timeout: float | None) -> Options:
    """Return the options with the task's own values where nothing is said; raise ``InvalidInput``."""
    chosen = replace(
        options,
        queue=queue if options.queue is None else options.queue,
        priority=priority if options.priority is None else options.priority,
        max_attempts=max_attempts if options.max_attempts is None else options.max_attempts,
        timeout=timeout if options.timeout is None else options.timeout,
        tags=tuple(options.tags),
        depends_on=tuple(dict.fromkeys(options.depends_on)),
    )
    check_name(chosen.queue, ("options", "queue"))
    check_priority(chosen.priority)
    check_positive_int(chosen.max_attempts, ("options", "maxAttempts"))
    if chosen.timeout != 0:  # which is no limit, as with Huey
        _check_seconds(chosen.timeout, "timeoutSeconds", at_most=MAX_TIMEOUT_SECONDS, least=0.001)
    _check_seconds(chosen.delay, "delaySeconds", at_most=MAX_DELAY_SECONDS)
    _check_time(chosen.run_at, "runAt")
    _check_tags(chosen.tags)
    if chosen.delay is not None and chosen.run_at is not None:
        raise InvalidInput(("options", "runAt"), "give either a delay or a time to run at, not both")
    _check_time(chosen.start_before, "startBefore")
    _check_key(chosen.idempotency_key)
    _check_dependencies(chosen)
    if chosen.id is not None:
        check_job_id(chosen.id, ("options", "id"))
    return chosen


def as_before(job: Job, options: Options) -> Options:
    """Return the options of a job that is to run once more as another: the first's where nothing is said."""
    return replace(
        options,
        queue=job.queue if options.queue is None else options.queue,
        priority=job.priority if options.priority is None else options.priority,
        max_attempts=job.max_attempts if options.max_attempts is None else options.max_attempts,
        timeout=job.timeout_seconds if options.timeout is None else options.timeout,
        backoff=job.backoff if options.backoff is None else options.backoff,
        tags=options.tags or job.tags,
    )


def _check_seconds(value: float | None, name: str, *, at_most: float, least: float = 0.0) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= at_most:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(
            ("options", name),
            f"expected {least:g} to {at_most:,.0f} seconds, got {value!r}",
            f"{least:g} to {at_most:g}",
        )


def _check_time(value: datetime | None, name: str) -> None:
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(("options", name), f"expected a time with its offset from UTC, got {value!r}")


def _check_key(key: str | None) -> None:
    if key is not None and not (isinstance(key, str) and 1 <= len(key) <= MAX_KEY and key.isprintable()):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(
            ("options", "idempotencyKey"), f"expected 1 to {MAX_KEY} printable characters, got {key!r:.60}"
        )


def _check_dependencies(options: Options) -> None:
    if len(options.depends_on) > MAX_DEPENDENCIES:
        problem = f"expected at most {MAX_DEPENDENCIES:,} jobs to wait for, got {len(options.depends_on):,}"
        raise InvalidInput(("options", "dependsOn"), problem)
    for position, job_id in enumerate(options.depends_on):
        path = ("options", "dependsOn", str(position))
        if check_job_id(job_id, path) == options.id:
            raise InvalidInput(path, "a job cannot wait for itself", "no cycle")


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > MAX_TAGS:
        raise InvalidInput(("options", "tags"), f"expected at most {MAX_TAGS} tags, got {len(tags)}")
    for position, tag in enumerate(tags):
        check_text(tag, ("options", "tags", str(position)), at_most=100)
