"""A worker without a consumer: claims and runs jobs here, in the test's own thread, when told.

bench = Bench(redis_url)
@bench.engine.task()
def add(a: int, b: int) -> int: ...

add(1, 2)
bench.run()         # the next job, to the end of its attempt; the job as it is then
"""

from dataclasses import replace
from typing import Any

from redis import Redis

from support.jobs import KEYS, MINUTE, READS, STORE, WORKER
from taskengine import Settings, TaskEngine
from taskengine.catalogue import describe
from taskengine.jobs import Job
from taskengine.store import Answer
from taskengine.task import JobTask
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.queue_choice import QueueChoice


class Bench:
    """An engine in the namespace of ``support.jobs``, and a dispatcher for it."""

    def __init__(self, redis_url: str, **settings: Any) -> None:
        self.redis = Redis.from_url(redis_url, decode_responses=True)
        self.engine = TaskEngine("test", url=redis_url, settings=replace(Settings(), **settings))
        assert self.engine.job_storage.keys == KEYS
        self.dispatcher = self.a_dispatcher()
        self.engine.dispatcher = self.dispatcher

    def a_dispatcher(self, *, threads: int = 1, queues: str = "*") -> Dispatcher:
        """A further one, under the same worker's name."""
        choice = QueueChoice() if queues == "*" else QueueChoice.parse(queues)
        return Dispatcher(self.engine.job_storage, worker=WORKER, queues=choice, threads=threads, lease_ms=MINUTE)

    def publish(self) -> None:
        """Register the worker with the tasks that there are now."""
        tasks = {name: describe(task.info) for name, task in self.engine.tasks.items()}
        STORE.register_worker(WORKER, "{}", tasks).run(self.redis)

    def claim(self) -> JobTask:
        """Take the next job, as a worker does before it runs it. There has to be one."""
        self.publish()
        task = self.engine.dequeue()
        assert task is not None, "no job is ready"
        return task

    def run(self) -> Job:
        """Run the next job to the end of its attempt; return it as it is then."""
        task = self.claim()
        self.engine.execute(task)
        self.dispatcher.flush()
        return self.job(task.id)

    def job(self, job_id: str) -> Job:
        """A job that is there."""
        (job,) = READS.get_jobs([job_id]).run(self.redis)
        assert job is not None
        return job

    def beat(self) -> list[Answer]:
        """Renew the leases, and obey the answers as a consumer does."""
        held = self.dispatcher.held()
        answers = STORE.renew_leases(WORKER, held, "{}", lease_ms=MINUTE).run(self.redis).answers
        for pair, answer in zip(held, answers, strict=True):
            if answer is not Answer.OK:
                self.dispatcher.obey(pair, answer)
        return answers

    def close(self) -> None:
        """Drop the connections."""
        self.engine.job_storage.close()
        self.redis.close()
