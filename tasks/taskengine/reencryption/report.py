"""``taskengine reencrypt``: prints a line for what no key opens, and how it went; its exit code is for scripts."""

import sys
import time
from typing import TextIO

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from taskengine.embedded import check_redis, find_redis_url
from taskengine.encryption import SETTING, Keyring
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.keys import Keys
from taskengine.reencryption.walk import Reencryption
from taskengine.settings import Settings

DONE, SOMETHING_LEFT, COULD_NOT_LOOK = 0, 1, 2
REST = 1.0
"""After each step as long as it took: at the most half of Redis's time."""
_ANSWER_SECONDS = 30.0


def run_reencrypt(settings: Settings, *, dry_run: bool, out: TextIO | None = None) -> int:
    """Go through all; return the exit code: 0 the first key opens all, 1 it does not, 2 it could not look.

    Raises ``InvalidSetting`` when there is no key.
    """
    out = out or sys.stdout
    if not settings.encryption_key:
        raise InvalidSetting(SETTING, "is not set: put the new key first, and the old one behind it")
    keyring, url, begun = Keyring(settings.encryption_key), find_redis_url(settings), time.monotonic()
    try:
        check_redis(url)
        with _connect(url) as redis:
            going = Reencryption(redis, Keys(settings.namespace), keyring, dry_run=dry_run, rest=REST)
            for unreadable in going.work():
                print(unreadable, file=out, flush=True)
    except (RedisUnavailable, RedisError) as problem:
        print(f"taskengine: could not look: {problem}", file=sys.stderr)
        return COULD_NOT_LOOK
    looked = ", ".join(f"{going.seen[kind]:,} {kind}s" for kind in ("job", "checkpoint", "schedule", "chord"))
    print(
        f"{looked} of {settings.namespace} in {time.monotonic() - begun:.1f} s: {going.changed:,} encrypted anew,"
        f" {going.unreadable:,} unreadable, {going.left:,} still need another key than the first",
        file=out,
    )
    return SOMETHING_LEFT if going.unreadable or going.left else DONE


def _connect(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True, socket_timeout=_ANSWER_SECONDS, retry=Retry(NoBackoff(), 0))
