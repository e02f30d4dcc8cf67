"""Bytes of Redis memory a small job takes, with its record, one attempt and all its indexes."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.redis_server import RedisServer
from taskengine.ids import new_id
from taskengine.jobs import Options
from taskengine.keys import Keys
from taskengine.records import row_of
from taskengine.store import Ending, Outcome, Store

JOBS = 50_000
STORE = Store(Keys("default"))
MAX_QUEUED, MAX_FINISHED = 600, 900
"""What a job may take at the most, in bytes."""


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            with server.client() as redis:
                queued, finished = measure(redis)
        finally:
            server.stop()
    print(f"queued:   {queued:4.0f} bytes a job (at most {MAX_QUEUED})")
    print(f"finished: {finished:4.0f} bytes a job (at most {MAX_FINISHED})")
    raise SystemExit(queued > MAX_QUEUED or finished > MAX_FINISHED)


def measure(redis: Redis) -> tuple[float, float]:
    STORE.register_worker("host-4242-ab12", "{}", {"mail.send": "{}"}).run(redis)
    empty = used(redis)
    for start in range(0, JOBS, 500):
        rows = [
            row_of(
                new_id("job"), "mail.send", f'{{"to":"{n}@example.org"}}', queue="mail", priority=5, options=Options()
            )
            for n in range(start, start + 500)
        ]
        STORE.enqueue_jobs(rows).run(redis)
    queued = used(redis) - empty
    while claim := STORE.claim_jobs("host-4242-ab12", "*", 500, lease_ms=10_000).run(redis).jobs:
        outcomes = [
            Outcome(job_id=job.id, lease=job.lease, ending=Ending.COMPLETED, value='{"sent":true}') for job in claim
        ]
        STORE.finish_jobs(outcomes, "host-4242-ab12", "*", 0, lease_ms=10_000).run(redis)
    return queued / JOBS, (used(redis) - empty) / JOBS


def used(redis: Redis) -> int:
    """Memory without the event stream, which has a cap of its own and is not a job's."""
    redis.delete("te:{default}:events")
    info: Any = redis.info("memory")
    return int(info["used_memory"])


if __name__ == "__main__":
    main()
