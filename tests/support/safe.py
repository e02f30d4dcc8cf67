"""Tasks that are given secrets and tell them wherever they can.

    taskengine worker support.safe:engine      (with tests/ on the path)

``indiscreet`` returns the SHA-256 of what it was given, so that a test can see that it came through.
"""

import hashlib
import logging
import os
import signal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from redis import Redis

from support.ledger import Ledger
from taskengine import Backoff, Fail, Secret, Snooze, TaskEngine, current_job

logger = logging.getLogger("shop")
Do = Literal["OK", "FAIL", "FAIL_ONCE", "KILL_ONCE", "SNOOZE_ONCE"]


class Card(BaseModel):
    """A model with a secret in it."""

    number: Secret[str]
    holder: str = "Ada"


def digest(*values: str) -> str:
    return hashlib.sha256("|".join(values).encode()).hexdigest()


def define(engine: TaskEngine) -> None:
    """Make them tasks of an engine."""

    @engine.task(
        name="indiscreet",
        max_attempts=2,
        redact=("token",),
        backoff=Backoff(base_seconds=0, jitter=False),
    )
    def indiscreet(  # pyright: ignore[reportUnusedFunction]
        password: Secret[str], token: str = "", card: Card | None = None, *, do: Do = "OK", ledger: str | None = None
    ) -> str:
        """Tell everyone."""
        values = [password.reveal(), token, card.number.reveal() if card else ""]
        words = " and ".join(value for value in values if value)
        first = current_job.checkpointed is None
        current_job.log.info(f"it is {words}", password=password, token=token, values=values, field=words)
        logger.warning("the words are %s", words)
        logger.info("the parts are %r", values)
        try:
            raise KeyError(words)
        except KeyError:
            logger.exception("inside")
        current_job.progress(1, message=f"now {words}")
        current_job.checkpoint({"words": words})
        if ledger:
            Ledger(Path(ledger)).note("start", current_job.id, current_job.attempt)
        if do == "KILL_ONCE" and first:
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "SNOOZE_ONCE" and first:
            raise Snooze(f"not yet {words}", after=0)
        if do == "FAIL" or (do == "FAIL_ONCE" and first):
            raise ValueError(f"wrong: {words!r}") from Fail(words)
        assert current_job.checkpointed == {"words": words}
        return digest(*values)

    @engine.task(name="follow")
    def follow(before: str, password: Secret[str]) -> str:  # pyright: ignore[reportUnusedFunction]
        return digest(password.reveal())

    @engine.task(name="on_error")
    def on_error(error: object, password: Secret[str]) -> str:  # pyright: ignore[reportUnusedFunction]
        return digest(password.reveal())


engine = TaskEngine.from_env()
define(engine)


def everything_in(redis: Redis, *, but: tuple[str, ...] = ()) -> str:
    """Return all that Redis holds as one text, but for these fields of hashes, and keys of these names."""
    parts: list[object] = []
    for key in redis.scan_iter():
        if any(f":{name}:" in key for name in but):
            continue
        kind = redis.type(key)
        if kind == "hash":
            parts.append({name: value for name, value in redis.hgetall(key).items() if name not in but})
        else:
            read = {
                "string": lambda key=key: redis.get(key),
                "list": lambda key=key: redis.lrange(key, 0, -1),
                "set": lambda key=key: redis.smembers(key),
                "zset": lambda key=key: redis.zrange(key, 0, -1),
                "stream": lambda key=key: redis.xrange(key),
            }
            parts.append(read[str(kind)]())
        parts.append(key)
    return repr(parts)
