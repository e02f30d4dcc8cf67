"""Exit code 0 if a worker of this host is online: ``python -m taskengine.worker_health``, for a container."""

import asyncio
import os
import socket
import sys

from taskengine.client import Client
from taskengine.embedded import find_redis_url
from taskengine.errors import TaskEngineError
from taskengine.settings import Settings


async def worker_is_online(settings: Settings, hostname: str) -> bool:
    """Whether a worker on this host has sent a heartbeat within its lease; raises ``RedisUnavailable``."""
    client = Client(find_redis_url(settings), namespace=settings.namespace, settings=settings)
    try:
        return any(worker.online and worker.hostname == hostname for worker in await client.list_workers())
    finally:
        await client.close()


def main() -> int:
    """Say in one line if there is none, and why."""
    try:
        if asyncio.run(worker_is_online(Settings.from_env(os.environ), socket.gethostname())):
            return 0
        problem = "no worker of this host is online"
    except TaskEngineError as error:
        problem = str(error)
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
