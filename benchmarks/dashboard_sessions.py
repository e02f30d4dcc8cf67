"""What many open pages cost: sessions that speak Streamlit's protocol as a browser does, each with its timers.

For each number of sessions: CPU of the dashboard and of the API (of one core), refreshes asked for and lost, how long
one takes from asking to its end, and how memory grows.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from filling import fill

from support.household import Household
from support.redis_server import RedisServer

LOST_AFTER = 5.0
"""Seconds after which a refresh that has not ended is lost."""


@dataclass
class Session:
    """One page that someone has open."""

    address: str
    page: str
    ticks: list[float] = field(default_factory=list)
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    received: int = 0
    counts: bool = False
    _hash: str = ""
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def live(self) -> None:
        """Open the page and let it refresh until cancelled."""
        origin = self.address.replace("ws", "http", 1)
        async with connect(
            f"{self.address}/_stcore/stream",
            origin=origin,
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,  # type: ignore[arg-type]
        ) as socket:
            await self._ask(socket)
            async for message in socket:
                assert isinstance(message, bytes)
                self.received += len(message)
                self._hear(socket, ForwardMsg.FromString(message))

    async def _ask(self, socket: ClientConnection, fragment: str = "") -> None:
        wanted = BackMsg()
        state = wanted.rerun_script
        state.page_name = self.page
        state.page_script_hash = self._hash
        state.context_info.timezone = "Europe/Berlin"
        state.context_info.url = f"{self.address}/{self.page}"
        if fragment:
            state.fragment_id, state.is_auto_rerun = fragment, True
        await socket.send(wanted.SerializeToString())

    def _hear(self, socket: ClientConnection, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._hash = message.new_session.page_script_hash
        elif kind == "auto_rerun":
            one = message.auto_rerun
            if (old := self._timers.pop(one.fragment_id, None)) is not None:
                old.cancel()
            self._timers[one.fragment_id] = asyncio.create_task(self._refresh(socket, one.fragment_id, one.interval))
        elif kind == "script_finished":
            self._ended.set()
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self.failed.append(message.delta.new_element.exception.message)

    async def _refresh(self, socket: ClientConnection, fragment: str, every: float) -> None:
        due = time.perf_counter()
        while True:
            due += every  # a browser's interval, which does not wait for answers
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            async with self._one_at_a_time:
                self._ended.clear()
                counts, begun = self.counts, time.perf_counter()
                self.asked += counts
                await self._ask(socket, fragment)
                try:
                    await asyncio.wait_for(self._ended.wait(), LOST_AFTER)
                except TimeoutError:
                    continue
                if counts:
                    self.ticks.append((time.perf_counter() - begun) * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 25])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--page", default="", help="'' is the Overview; jobs, failures, queues, …")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = RedisServer(folder).start()
        stack.callback(server.stop)
        with server.client() as redis:
            fill(redis, options.jobs)
        house = Household(folder, "taskengine.samples:engine", redis_url=server.url).start()
        stack.callback(house.stop)
        print(f"{options.jobs:,} jobs, page /{options.page}, {options.seconds:.0f} s each, refresh every 2 s")
        print("sessions  dashboard CPU   API CPU   tick p50   p95   worst   asked   lost   errors   kB/s each   growth")
        for count in options.sessions:
            print(asyncio.run(measure(house, count, options)), flush=True)


async def measure(house: Household, count: int, options: argparse.Namespace) -> str:
    address = house.dashboard.replace("http", "ws", 1)
    sessions = [Session(address, options.page) for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(_late(session.live())) for session in sessions]
        await asyncio.sleep(10)  # until all are open and the caches are warm
        parts = house.processes()
        before, memory = (
            {name: _cpu(parts[name]) for name in ("dashboard", "api")},
            parts["dashboard"].memory_info().rss,
        )
        received = sum(session.received for session in sessions)
        for session in sessions:
            session.counts = True
        begun = time.perf_counter()
        await asyncio.sleep(options.seconds)
        spent = time.perf_counter() - begun
        shares = {name: (_cpu(parts[name]) - before[name]) / spent for name in before}
        growth = parts["dashboard"].memory_info().rss - memory
        received = sum(session.received for session in sessions) - received
        for session in sessions:
            session.counts = False
        await asyncio.sleep(LOST_AFTER)
        for life in lives:
            life.cancel()
    ticks = sorted(tick for session in sessions for tick in session.ticks)
    asked, errors = sum(session.asked for session in sessions), sum(len(session.failed) for session in sessions)
    return (
        f"{count:>8}{shares['dashboard']:>15.1%}{shares['api']:>10.1%}{ticks[len(ticks) // 2]:>9.0f} ms"
        f"{ticks[int(len(ticks) * 0.95)]:>6.0f}{ticks[-1]:>8.0f}{asked:>8}{asked - len(ticks):>7}{errors:>9}"
        f"{received / spent / count / 1000:>12.1f}{growth / 2**20:>+8.1f} MiB"
    )


async def _late(life: Coroutine[None, None, None]) -> None:
    """People do not open their pages all at once."""
    await asyncio.sleep(random.random() * 4)
    await life


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
