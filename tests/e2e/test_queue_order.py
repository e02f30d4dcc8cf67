"""Which queue a real worker takes from next: by priority over all of its queues, by weight, or one after the other."""

from pathlib import Path

import pytest
from redis import Redis

from support.crowd import ledger_in
from support.jobs import STORE, row
from support.ledger import Ledger
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.records import dumps

EACH = 8
MS = 20
"""Long enough that a worker fetches nothing ahead: then jobs begin in the order in which they are claimed."""


def enqueue_two_queues(redis: Redis, ledger: Ledger) -> None:
    """As many jobs of priority 1 in queue ``a`` as of priority 10 in ``b``."""
    args = dumps({"ms": MS, "ledger": str(ledger.path)})
    for number in range(EACH):
        rows = [
            row(f"{queue}{number}", task="universal", queue=queue, priority=priority, args=args)
            for queue, priority in (("a", 1), ("b", 10))
        ]
        STORE.enqueue_jobs(rows).run(redis)


@pytest.mark.parametrize(
    ("mode", "queues", "order", "expected"),
    [
        ("thread", "a,b", "priority", "bbbbbbbb" + "aaaaaaaa"),
        ("thread", "a,b", "strict", "aaaaaaaa" + "bbbbbbbb"),
        ("process", "a=3,b=1", "priority", "aaba" + "aaba" + "aa" + "bbbbbb"),
    ],
    ids=["by priority", "one first", "three to one"],
)
def test_jobs_begin_in_the_order_that_was_asked_for(
    redis: Redis, redis_url: str, tmp_path: Path, mode: str, queues: str, order: str, expected: str
) -> None:
    ledger = ledger_in(tmp_path)
    enqueue_two_queues(redis, ledger)
    worker = WorkerProcess(
        "support.universal:engine",
        redis_url,
        data_dir=tmp_path / "worker",
        namespace="test",
        mode=mode,  # pyright: ignore[reportArgumentType]
        concurrency=1,
        queues=queues.split(","),
        queue_order=order,
    )
    with worker:
        wait_until(lambda: len(ledger.ends()) == 2 * EACH, 40, "all have run")
    assert "".join(entry.job_id[0] for entry in ledger.starts()) == expected
