"""However often jobs report progress, on a busy machine: at most four events a second of each, by Redis's own clock."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from redis import Redis

from support.crowd import wait_for_end
from support.jobs import KEYS, STORE, row
from support.workers import TESTS, WorkerProcess
from taskengine.ids import new_id
from taskengine.records import dumps
from taskengine.worker.context import PROGRESS_SECONDS

JOBS = 8


def test_of_each_job_there_are_at_most_four_progress_events_a_second(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    rows = [row(new_id("job"), task="chatter", queue="default", args=dumps({"seconds": 3})) for _ in range(JOBS)]
    STORE.enqueue_jobs(rows).run(redis)
    with WorkerProcess(
        "limited:engine",
        redis_url,
        data_dir=tmp_path,
        concurrency=JOBS,
        path=(TESTS, TESTS / "faults"),
        namespace="test",
    ):
        wait_for_end(redis, [str(one[0]) for one in rows], timeout=60)
    told: dict[str, list[int]] = defaultdict(list)
    for event_id, event in redis.xrange(KEYS.events):
        if event["kind"] == "PROGRESS":
            told[str(event["job"])].append(int(str(event_id).split("-")[0]))
    assert len(told) == JOBS
    assert all(len(times) >= 3 for times in told.values())
    gaps = [later - earlier for times in told.values() for earlier, later in pairwise(times)]
    assert min(gaps) >= PROGRESS_SECONDS * 1000 - 1  # an event's id is in whole ms
