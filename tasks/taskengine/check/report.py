"""``taskengine check``: prints what the check finds, a line each, and a summary; its exit code is for CI."""

import dataclasses
import json
import sys
import time
from typing import TextIO

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from taskengine.check.walk import Checker
from taskengine.embedded import check_redis, find_redis_url
from taskengine.errors import RedisUnavailable
from taskengine.keys import Keys
from taskengine.settings import Settings

CLEAN, DISAGREEMENTS, COULD_NOT_LOOK = 0, 1, 2
REST = 1.0
"""After each step as long as it took: at the most half of Redis's time."""
_ANSWER_SECONDS = 30.0


def run_check(settings: Settings, *, repair: bool, as_json: bool, out: TextIO | None = None) -> int:
    """Look once; return the exit code: 0 all is well or was mended, 1 something disagrees, 2 it could not look."""
    out = out or sys.stdout
    url, begun = find_redis_url(settings), time.monotonic()
    left = mended = 0
    try:
        check_redis(url)
        with _connect(url) as redis:
            checker = Checker(redis, Keys(settings.namespace), mend=repair, rest=REST)
            for difference in checker.differences():
                mended += difference.is_mended
                left += not difference.is_mended
                print(json.dumps(dataclasses.asdict(difference)) if as_json else difference, file=out, flush=True)
    except (RedisUnavailable, RedisError) as problem:
        print(f"taskengine: could not look: {problem}", file=sys.stderr)
        return COULD_NOT_LOOK
    summary = {
        "namespace": settings.namespace,
        "jobs": checker.jobs,
        "entries": checker.entries,
        "events": checker.events,
        "seconds": round(time.monotonic() - begun, 1),
        "disagreements": left + mended,
        "mended": mended,
    }
    print(json.dumps({"summary": summary}) if as_json else _worded(summary, left), file=out)
    return DISAGREEMENTS if left else CLEAN


def _worded(summary: dict[str, str | float], left: int) -> str:
    looked = "{jobs:,} jobs, {entries:,} index entries and {events:,} events of {namespace} in {seconds} s: ".format(
        **summary
    )
    if not summary["disagreements"]:
        return looked + "all agree"
    what = f"{summary['disagreements']:,} disagreement{'s' if summary['disagreements'] != 1 else ''}"
    if summary["mended"]:
        what += f", {summary['mended']:,} mended, {left:,} left"
    return looked + what


def _connect(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True, socket_timeout=_ANSWER_SECONDS, retry=Retry(NoBackoff(), 0))
