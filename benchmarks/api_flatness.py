"""What a GraphQL query costs with few jobs in Redis and with many: p50 and p99, measured in turns, and their ratio."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from filling import fill

from support.api import Api, running_api
from support.redis_server import RedisServer
from taskengine.settings import Settings
from taskengine_api.settings import ApiSettings

PATIENT = ApiSettings(request_seconds=60, catalogue_seconds=60)
FIELDS = """
  id state priority args tags attemptCount maxAttempts createdAt startedAt finishedAt waitSeconds runSeconds
  task { name } queue { name } error { exception message }
"""
PAGE = f"""query Page($first: Int, $after: String, $filter: JobFilter, $orderBy: JobOrder) {{
  jobs(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{
    totalCount scannedCount pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS} }}
  }}
}}"""
COUNTS = "{ scheduled queued running retrying completed failed cancelled }"
METRICS = """enqueued completed failed errorRate waitSecondsP95 runSecondsP95
  series { at enqueued completed failed runSecondsP95 }"""
LOOKS = {
    "counts": f"{{ counts {COUNTS} queues {{ name counts {COUNTS} oldestWaitSeconds }} }}",
    "failureGroups": "{ failureGroups(first: 20) { totalCount nodes { exception message count sample { id } } } }",
    "metrics of an hour": f"{{ metrics(window: HOUR) {{ {METRICS} }} }}",
    "metrics of a week": f"{{ metrics(window: WEEK) {{ {METRICS} }} }}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=100)
    asyncio.run(compare(parser.parse_args()))


async def compare(options: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        few, many = [await filled(stack, jobs) for jobs in (options.few, options.many)]
        wanted = [await questions(api) for api in (few, many)]
        print(
            f"{'milliseconds':<28}{options.few:>12,} p50   p99{options.many:>16,} p50    p99{'ratio p50':>14}{'p99':>7}"
        )
        for name in wanted[0]:
            times: tuple[list[float], list[float]] = ([], [])
            for turn in range(options.times + 5):
                for api, asked, spent in zip((few, many), wanted, times, strict=True):
                    begun = time.perf_counter()
                    await api.data(asked[name][0], **asked[name][1])
                    if turn >= 5:
                        spent.append((time.perf_counter() - begun) * 1000)
            (a50, a99), (b50, b99) = (percentiles(spent) for spent in times)
            print(f"{name:<28}{a50:>16.2f}{a99:>7.2f}{b50:>20.2f}{b99:>7.2f}{b50 / a50:>14.2f}{b99 / a99:>7.2f}")


def percentiles(spent: list[float]) -> tuple[float, float]:
    ordered = sorted(spent)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


async def questions(api: Api) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Each look with its variables; the deep page begins in the middle of all jobs."""
    page = partial(dict, first=50, orderBy={"field": "CREATED_AT", "direction": "DESC"})
    middle = (
        await api.data(
            '{ jobs(first: 1, filter: {tags: ["middle"]}) { pageInfo { endCursor } nodes { createdAt id } } }'
        )
    )["jobs"]
    groups = (await api.data("{ failureGroups { nodes { id count } } }"))["failureGroups"]["nodes"]
    group = max(groups, key=lambda one: one["count"])["id"]
    since = middle["nodes"][0]["createdAt"]
    filters: dict[str, dict[str, Any]] = {
        "states": {"states": ["FAILED"]},
        "queue, task and state": {"queues": ["queue-1"], "tasks": ["task-1"], "states": ["COMPLETED"]},
        "tag": {"tags": ["some"]},
        "created before": {"createdAt": {"lt": since}},
        "finished since": {"finishedAt": {"gte": since}},
        "priority": {"priority": {"gte": 9}},
        "priority of the queued": {"priority": {"gte": 9}, "states": ["QUEUED"]},
        "ids": {"ids": [middle["nodes"][0]["id"]]},
        "text that is common": {"text": "customer-7"},
        "text that is nowhere": {"text": "nowhere"},
        "arguments": {"argsContain": {"customer": "customer-7"}},
    }
    orders = {"by RUN_AT": "RUN_AT", "by FINISHED_AT": "FINISHED_AT", "by PRIORITY": "PRIORITY"}
    return {
        "first page": (PAGE, page()),
        "a deep page": (PAGE, page(after=middle["pageInfo"]["endCursor"])),
        **{f"filter: {name}": (PAGE, page(filter=wanted)) for name, wanted in filters.items()},
        # So many are of one failure among the few jobs, too.
        "filter: failure group": (PAGE, page(first=20, filter={"failureGroupId": group})),
        **{f"order: {name}": (PAGE, page(orderBy={"field": by, "direction": "ASC"})) for name, by in orders.items()},
        **{name: (document, {}) for name, document in LOOKS.items()},
    }


async def filled(stack: AsyncExitStack, jobs: int) -> Api:
    """An API on a Redis of its own with this many jobs: four in ten completed, one failed, the rest waits."""
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    server = RedisServer(Path(directory)).start()
    stack.callback(server.stop)
    with server.client() as redis:
        fill(redis, jobs)
    # Nothing is kept between two requests here: what is measured is the look itself.
    return await stack.enter_async_context(
        running_api(server.url, api=PATIENT, settings=Settings(redis_url=server.url))
    )


if __name__ == "__main__":
    main()
