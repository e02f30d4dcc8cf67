"""What Huey keeps beside jobs, by key: an application's own data, counters, locks, uses, revoked tasks.

``BaseStorage``'s verbs for data take and give bytes. Locks and uses are ours,
for each is one move in Redis.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from huey.constants import EmptyData
from huey.storage import BaseStorage
from redis import Redis
from redis.exceptions import RedisError

from taskengine.keys import Keys
from taskengine.records import instant, ms_of, text
from taskengine.scripts import call, ours

_BATCH = 1000
CALL: Final = "id:"
"""Ahead of a job's id among the names of revoked tasks, which have no colon."""


class DataStorage(BaseStorage):
    """Data of one namespace, on Redis."""

    def __init__(self, name: str, *, redis: Redis) -> None:
        """``redis`` must not try again by itself: what counts or pops would do so twice."""
        super().__init__(name)
        self.keys = Keys(name)
        self._once = redis

    # An application's own data

    def put_data(self, key: Any, value: bytes, is_result: bool = False) -> None:
        """Keep a value until it is deleted."""
        del is_result
        self._ask("SET", self._data(key), _text(value))

    def put_if_empty(self, key: Any, value: bytes, ttl: float | None = None) -> bool:
        """Keep a value, for ``ttl`` seconds if given, unless there is one; tell whether it was kept."""
        expiry = () if ttl is None else ("PX", max(round(ttl * 1000), 1))
        return self._ask("SET", self._data(key), _text(value), "NX", *expiry) is not None

    def peek_data(self, key: Any) -> Any:
        """Return a value, or ``EmptyData``."""
        return _bytes(self._ask("GET", self._data(key)))

    def peek_many(self, keys: Sequence[Any]) -> dict[Any, bytes]:
        """Return the values that there are."""
        values: list[str | None] = self._ask("MGET", *map(self._data, keys)) if keys else []
        return {key: _bytes(value) for key, value in zip(keys, values, strict=True) if value is not None}

    def pop_data(self, key: Any) -> Any:
        """Return a value and forget it, or ``EmptyData``."""
        return _bytes(self._ask("GETDEL", self._data(key)))

    def delete_data(self, key: Any) -> bool:
        """Forget a value; tell whether there was one."""
        return self._ask("DEL", self._data(key)) == 1

    def has_data_for_key(self, key: Any) -> bool:
        return self._ask("EXISTS", self._data(key)) == 1

    def incr(self, key: Any, amount: int = 1) -> int:
        """Count; return the new number."""
        return int(self._ask("INCRBY", self.keys.counter(_name(key)), amount))

    def delete_counter(self, key: Any) -> None:
        self._ask("DEL", self.keys.counter(_name(key)))

    # Locks and uses

    def take_lock(self, name: str, owner: str, *, ttl_ms: int) -> bool:
        """Take a lock; tell whether it was free."""
        return bool(self._call("take_lock", name=name, owner=owner, ttl_ms=ttl_ms))

    def free_lock(self, name: str, owner: str = "*") -> bool:
        """Free a lock if ``owner`` holds it, ``*`` whoever does; tell whether it was held so."""
        return bool(self._call("free_lock", name=name, owner=owner))

    def is_locked(self, name: str) -> bool:
        """Whether somebody holds a lock."""
        return bool(self._call("look_at_lock", name=name))

    def count_use(self, name: str, *, limit: int, per_ms: int) -> tuple[bool, float]:
        """Use something once; tell whether that is allowed, and in how many seconds it is again."""
        allowed, ms = self._call("count_use", name=name, limit=limit, per_ms=per_ms)
        return bool(allowed), ms / 1000

    def uses(self, name: str) -> int:
        """How often something was used in the present stretch of time."""
        return int(self._ask("GET", self.keys.uses(name)) or 0)

    def forget_uses(self, name: str) -> None:
        self._ask("DEL", self.keys.uses(name))

    # Revoked tasks

    def revoke_task(self, task: str, *, until: datetime | None, once: bool) -> None:
        """Have jobs of a task end without running: the next one, those until a time, or all."""
        self._ask("HSET", self.keys.revoked, task, "once" if once else "always" if until is None else ms_of(until))

    def restore_task(self, task: str) -> bool:
        """Take that back; tell whether it was so."""
        return self._ask("HDEL", self.keys.revoked, task) == 1

    def revocation(self, task: str) -> datetime | bool:
        """Whether a task is revoked; until when, if that was said."""
        value = self._ask("HGET", self.keys.revoked, task)
        return instant(int(value)) if value and value.isdecimal() else value is not None

    # Calls that are revoked before they are enqueued: fields of the same hash, for a claim looks at it anyway

    def revoke_call(self, job_id: str, *, until: datetime) -> None:
        """Have a job that is yet to come end without running, if it would start before then. Drops what is over."""
        now = ms_of(datetime.now(until.tzinfo))
        known: dict[str, str] = self._ask("HGETALL", self.keys.revoked)
        over = [name for name, ms in known.items() if name.startswith(CALL) and int(ms) <= now]
        if over:
            self._ask("HDEL", self.keys.revoked, *over)
        self._ask("HSET", self.keys.revoked, CALL + job_id, ms_of(until))

    def restore_call(self, job_id: str) -> bool:
        """Take that back; tell whether it was so."""
        return self._ask("HDEL", self.keys.revoked, CALL + job_id) == 1

    def is_call_revoked(self, job_id: str) -> bool:
        """Whether a job that is yet to come, or to start, will end without running."""
        value = self._ask("HGET", self.keys.revoked, CALL + job_id)
        return value is not None and instant(int(value)) > datetime.now(UTC)

    # Everything

    def flush_all(self) -> None:
        """Remove everything of this namespace, a batch at a time: jobs, history, data."""
        cursor: Any = 0
        while True:
            cursor, names = self._ask("SCAN", cursor, "MATCH", _literally(self.keys.prefix) + "*", "COUNT", _BATCH)
            if names:
                self._ask("UNLINK", *names)
            if int(cursor) == 0:
                return

    def _data(self, key: Any) -> str:
        return self.keys.data(_name(key))

    def _ask(self, *command: Any) -> Any:
        try:
            return cast("Any", self._once.execute_command(*command))
        except RedisError as error:
            raise ours(error) from None

    def _call(self, script: str, **arguments: Any) -> Any:
        return call(script, self.keys.prefix, lambda reply: reply, **arguments).run(self._once)


def _name(key: Any) -> str:
    return text(key)


def _literally(pattern: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in pattern)


def _text(value: bytes) -> str:
    """JSON is text; what is not (a serializer of the user's own) is kept byte by byte."""
    return value.decode("latin-1")


def _bytes(value: str | None) -> Any:
    return EmptyData if value is None else value.encode("latin-1")
