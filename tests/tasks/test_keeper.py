"""Keeping one process running: seen healthy, started again when it ends, stopped in order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from taskengine.children import Child
from taskengine.keeper import DidNotStart, Keeper, Service


class Shop:
    """A service for tests: healthy once its process said so."""

    def __init__(self, code: str, *, may_end: bool = False) -> None:
        self.code = code
        self.children: list[Child] = []
        self.said: list[str] = []
        self.keeper = Keeper(
            Service(name="shop", start=self._start, healthy=self._healthy, grace_seconds=5, may_end=may_end),
            self.said.append,
        )

    async def _start(self) -> Child:
        self.children.append(Child([sys.executable, "-c", self.code], env=os.environ, on_line=lambda _line: None))
        return self.children[-1]

    async def _healthy(self, child: Child) -> bool:
        return "open" in child.last_lines


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop("import time; print('open', flush=True); time.sleep(60)")
    yield shop
    await shop.keeper.stop(asyncio.Event())


async def until_said(shop: Shop, text: str) -> None:
    async with asyncio.timeout(15):
        while text not in " ".join(shop.said):
            await asyncio.sleep(0.02)


async def test_who_was_killed_is_started_again_and_that_is_said(shop: Shop) -> None:
    await shop.keeper.start()
    await shop.keeper.become_healthy()
    shop.keeper.keep()
    shop.children[0].kill()
    await until_said(shop, "runs again")
    assert shop.said == ["was killed by SIGKILL; starting it again in 0.5 s", "runs again"]
    assert shop.children[1].returncode is None


async def test_who_ends_again_and_again_waits_longer_each_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.keeper._FIRST_DELAY", 0.1)
    await shop.keeper.start()
    await shop.keeper.become_healthy()
    shop.code = "print('no bread today'); exit(3)"
    shop.keeper.keep()
    shop.children[0].kill()
    await until_said(shop, "0.4 s")
    assert shop.said == [
        "was killed by SIGKILL; starting it again in 0.1 s",
        "the shop did not start: no bread today; starting it again in 0.2 s",
        "the shop did not start: no bread today; starting it again in 0.4 s",
    ]


async def test_who_ends_before_it_is_healthy_is_quoted() -> None:
    shop = Shop("print('taskengine: no bread today'); exit(3)")
    await shop.keeper.start()
    with pytest.raises(DidNotStart, match="^the shop did not start: no bread today$"):
        await shop.keeper.become_healthy()


async def test_who_ends_in_silence_is_told_by_its_exit_code() -> None:
    shop = Shop("exit(3)")
    await shop.keeper.start()
    with pytest.raises(DidNotStart, match="ended with exit code 3"):
        await shop.keeper.become_healthy()


async def test_who_stays_silent_for_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.keeper._HEALTHY_SECONDS", 0.3)
    shop = Shop("import time; time.sleep(60)")
    await shop.keeper.start()
    with pytest.raises(DidNotStart, match=r"not healthy within 0\.3 s"):
        await shop.keeper.become_healthy()
    assert await shop.children[0].wait() == -signal.SIGKILL


async def test_who_is_stopped_is_not_started_again(shop: Shop) -> None:
    await shop.keeper.start()
    await shop.keeper.become_healthy()
    shop.keeper.keep()
    await shop.keeper.stop(asyncio.Event())
    assert len(shop.children) == 1
    assert shop.children[0].returncode is not None
    assert shop.said == []


async def test_a_start_that_fails_is_tried_again(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.keeper._FIRST_DELAY", 0.1)
    await shop.keeper.start()
    await shop.keeper.become_healthy()
    shop.keeper.keep()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "not-there"))
        shop.children[0].kill()
        await until_said(shop, "No such file")
    await until_said(shop, "runs again")


async def test_who_may_end_and_does_so_in_order_is_not_started_again() -> None:
    shop = Shop("print('open', flush=True)", may_end=True)
    await shop.keeper.start()
    kept = shop.keeper.keep()
    await until_said(shop, "ended")
    assert shop.said == ["ended as it was asked to, and is not started again"]
    assert (len(shop.children), kept.done()) == (1, False)
    await shop.keeper.stop(asyncio.Event())


async def test_who_may_end_but_fails_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.keeper._FIRST_DELAY", 0.1)
    shop = Shop("exit(3)", may_end=True)
    await shop.keeper.start()
    shop.keeper.keep()
    await until_said(shop, "starting it again")
    assert shop.said[0] == "ended with exit code 3; starting it again in 0.1 s"
    await shop.keeper.stop(asyncio.Event())
