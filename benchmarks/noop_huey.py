"""The no-op as a plain Huey application."""

import os

from huey import PriorityRedisHuey

huey = PriorityRedisHuey("noop", url=os.environ["TASKENGINE_REDIS_URL"])


@huey.task()
def noop(n):
    return n


def enqueue(count: int) -> None:
    for n in range(count):
        noop(n)
