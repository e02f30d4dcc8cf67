"""``taskengine demo``: a realistic mix of the sample tasks, then a calm trickle until it is stopped.

What to enqueue is drawn by pure functions from a seeded die; ``run`` alone talks
to Redis. It runs no task: that is a worker's work.
"""

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from types import FrameType
from typing import Any

from taskengine.client import Client
from taskengine.embedded import find_redis_url
from taskengine.errors import InvalidInput, RedisUnavailable
from taskengine.jobs import Options
from taskengine.samples.campaign import Audience, send_campaign
from taskengine.samples.images import Subject, render_images
from taskengine.samples.mail import send_mail
from taskengine.samples.messages import Parts, Sender
from taskengine.samples.report import Unit, build_report
from taskengine.samples.sync import Target, import_csv
from taskengine.samples.trial import Crash, Trouble, fail_as_told
from taskengine.settings import Settings
from taskengine.task import Task

FEWEST_JOBS, MOST_JOBS = 10, 10_000
FULL = 500
"""With so many jobs waiting the trickle holds back: more would show nothing new."""
FIRST_GAP_SECONDS = 2.0
WAIT_FOR_REDIS_SECONDS = 5.0

_NAMES = ("Amara", "Bruno", "Chiara", "Daniel", "Elif", "Fatou", "Grace", "Hana", "Ibrahim", "Jonas", "Keiko", "Lucía")
_FOLDERS = ("stdlib/asyncio", "stdlib/email", "stdlib/http", "stdlib/json", "stdlib/unittest", "stdlib/xml", "stdlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Calls of one task that arrive together."""

    task: Task[..., Any]
    why: str
    """What happened in the shop that made these jobs."""
    calls: Sequence[dict[str, Any]]
    options: Options = field(default_factory=Options)

    def enqueue(self) -> None:
        """Send them all to Redis."""
        self.task.enqueue_many(self.calls, options=self.options)

    def __str__(self) -> str:
        return f"{len(self.calls):>3} x {self.task.info_once.name:<20} {self.why}"


def run(
    settings: Settings,
    *,
    jobs: int = 120,
    trickle: bool = True,
    trouble: bool = False,
    seed: int | None = None,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Enqueue ``jobs`` jobs, then a few more every so often until Ctrl-C, SIGTERM or ``stop``; return 0.

    ``trouble`` adds a job that kills its worker once and one that hangs until it is cancelled;
    without it no worker is harmed. Raises ``RedisUnavailable`` if Redis does not answer at the
    start; later it waits for Redis to come back.
    """
    if not FEWEST_JOBS <= jobs <= MOST_JOBS:
        raise InvalidInput(("jobs",), f"expected {FEWEST_JOBS} to {MOST_JOBS:,} jobs, got {jobs}")
    dice = Random(seed)
    stop = stop or threading.Event()
    with _stopped_by_signals(stop):
        _enqueue_mix(opening_mix(dice, jobs, trouble=trouble), stop, say)
        say(f"What they write is in {settings.data_dir / 'samples'}.")
        if trickle and not stop.is_set():
            say("From now on a few more every so often. Ctrl-C stops that, and leaves the jobs to the workers.")
            _keep_trickling(settings, dice, stop, say)
    return 0


def opening_mix(dice: Random, jobs: int, *, trouble: bool = False) -> list[Wave]:
    """Return waves of ``jobs`` jobs in all: what a busy morning of a shop would bring."""
    waves = [
        _campaigns(dice, max(1, jobs // 30)),
        _imports(dice, max(1, jobs // 10)),
        _reports(dice, max(1, jobs // 20)),
        _pictures(dice, max(1, jobs // 20)),
        _failures(dice, max(1, jobs // 12)),
        _urgent_resets(dice, max(1, jobs // 20)),
        *_reminders(dice, max(1, jobs // 12)),
    ]
    if trouble:
        waves += _troubles()
    others = sum(len(wave.calls) for wave in waves)
    return [_receipts(dice, max(1, jobs - others)), *waves]


def next_wave(dice: Random) -> Wave:
    """Return what comes next in the trickle: mostly mail, now and then something long."""
    (draw,) = dice.choices(
        (_receipts, _urgent_resets, _imports, _reports, _pictures, _failures, _campaigns, _a_reminder),
        weights=(30, 12, 16, 10, 10, 10, 4, 8),
    )
    most = {_receipts: 12, _urgent_resets: 3, _imports: 3, _failures: 3}.get(draw, 1)
    return draw(dice, dice.randint(1, most))


def gap_seconds(dice: Random) -> float:
    """Return the time to the next wave: several close together, then a rest. 8 seconds in the mean."""
    return dice.uniform(0.5, 3.0) if dice.random() < 0.6 else dice.uniform(10.0, 24.0)


def _enqueue_mix(waves: Sequence[Wave], stop: threading.Event, say: Callable[[str], None]) -> None:
    counts: Counter[str] = Counter()
    for wave in waves:
        if stop.is_set():
            break
        wave.enqueue()
        counts[wave.task.info_once.name] += len(wave.calls)
    parts = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    say(f"Enqueued {counts.total()} jobs: {parts}.")


def _keep_trickling(settings: Settings, dice: Random, stop: threading.Event, say: Callable[[str], None]) -> None:
    held_back = False
    gap = FIRST_GAP_SECONDS
    while not stop.wait(gap):
        gap = gap_seconds(dice)
        try:
            waiting = asyncio.run(_count_waiting(settings))
            if waiting < FULL:
                wave = next_wave(dice)
                wave.enqueue()
                say(f"{datetime.now():%H:%M:%S}  {wave}")  # noqa: DTZ005 a human's own clock
            elif not held_back:
                say(f"{waiting} jobs wait already, so no more until workers have caught up. Does one run?")
            held_back = waiting >= FULL
        except RedisUnavailable as problem:
            say(f"{problem}; trying again")
            stop.wait(WAIT_FOR_REDIS_SECONDS)


async def _count_waiting(settings: Settings) -> int:
    client = Client(find_redis_url(settings), namespace=settings.namespace, settings=settings)
    try:
        counts = await client.count_jobs()
    finally:
        await client.close()
    return counts.queued + counts.scheduled + counts.retrying


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Generator[None]:
    """Set ``stop`` on Ctrl-C and SIGTERM. In a thread, where Python takes no signals, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _person(dice: Random) -> dict[str, Any]:
    name = dice.choice(_NAMES)
    address = "".join(letter for letter in name.lower() if letter.isascii())
    return {"to": f"{address}{dice.randint(1, 999)}@example.org", "name": name}


def _receipts(dice: Random, count: int) -> Wave:
    calls = [
        {
            **_person(dice),
            "kind": "receipt",
            "reference": f"2025-{dice.randint(10_000, 99_999)}",
            "amount": Decimal(dice.randint(490, 34_000)) / 100,
        }
        for _ in range(count)
    ]
    return Wave(task=send_mail, why="receipts for new orders", calls=calls, options=Options(tags=("orders",)))


def _urgent_resets(dice: Random, count: int) -> Wave:
    calls = [{**_person(dice), "kind": "password_reset"} for _ in range(count)]
    return Wave(
        task=send_mail,
        why="somebody waits at the login page",
        calls=calls,
        options=Options(priority=10, tags=("login", "urgent")),
    )


def _reminders(dice: Random, count: int) -> list[Wave]:
    return [_a_reminder(dice, 1) for _ in range(count)]


def _a_reminder(dice: Random, count: int) -> Wave:
    calls = [{**_person(dice), "kind": "welcome"} for _ in range(count)]
    minutes = dice.randint(1, 20)
    return Wave(
        task=send_mail,
        why=f"a welcome, {minutes} minutes from now",
        calls=calls,
        options=Options(delay=minutes * 60 - dice.randint(0, 45), tags=("welcome",)),
    )


def _campaigns(dice: Random, count: int) -> Wave:
    calls = [
        {
            "campaign": dice.choice(("spring catalogue", "summer sale", "garden letter")),
            "audience": dice.choice(list(Audience)),
            "parts": dice.choice(list(Parts)),
            "sender": Sender(name=dice.choice(("The Corner Shop", "Rosa from The Corner Shop"))),
            "failure_rate": dice.choice((0.0, 0.0, 0.4)),
        }
        for _ in range(count)
    ]
    return Wave(task=send_campaign, why="a letter to everybody on the list", calls=calls)


def _imports(dice: Random, count: int) -> Wave:
    calls = [
        {
            "target": dice.choice(list(Target)),
            "page_size": dice.choice((10, 25, 50)),
            "changed_since": date(2025, 1, 2) + timedelta(days=dice.randint(0, 50)) if dice.random() < 0.3 else None,
            "dry_run": dice.random() < 0.1,
            "failure_rate": 0.4,
        }
        for _ in range(count)
    ]
    return Wave(
        task=import_csv, why="the supplier's list has changed", calls=calls, options=Options(tags=("supplier",))
    )


def _reports(dice: Random, count: int) -> Wave:
    calls = [
        {"folder": dice.choice(_FOLDERS), "unit": dice.choice(list(Unit)), "max_files": dice.choice((50, 150, 300))}
        for _ in range(count)
    ]
    return Wave(task=build_report, why="somebody wants to know", calls=calls, options=Options(tags=("nightly",)))


def _pictures(dice: Random, count: int) -> Wave:
    calls = [
        {
            "subject": dice.choice(list(Subject)),
            "palette": dice.choice(("fire", "forest", "ocean", "paper")),
            "pictures": dice.randint(3, 8),
        }
        for _ in range(count)
    ]
    return Wave(task=render_images, why="pictures for the catalogue", calls=calls)


def _failures(dice: Random, count: int) -> Wave:
    calls = [_failure(dice) for _ in range(count)]
    return Wave(task=fail_as_told, why="an unreliable partner", calls=calls, options=Options(tags=("partner",)))


def _failure(dice: Random) -> dict[str, Any]:
    if dice.random() < 0.3:
        return {"failure_rate": 0.7, "trouble": Trouble.PERMANENT, "message": "the partner does not know this article"}
    return {"failure_rate": 0.6, "trouble": Trouble.TRANSIENT, "message": "the partner's server closed the connection"}


def _troubles() -> list[Wave]:
    quiet = {"failure_rate": 0.0}
    return [
        Wave(task=fail_as_told, why="kills its worker, once", calls=[{**quiet, "crash": Crash.ONCE}]),
        Wave(task=fail_as_told, why="hangs until you cancel it", calls=[{**quiet, "hang": True}]),
    ]
