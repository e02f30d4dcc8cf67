"""What a worker uses of its machine, held to what psutil and the clock say."""

import subprocess
import sys
import time

import psutil

from support.waiting import wait_until
from taskengine.worker.usage import Usage, UsageMeter

BUSY = "print('began', flush=True)\nwhile True: pass"
HOLDING = "held = bytearray(b'x') * 50_000_000; print('began', flush=True); import time; time.sleep(60)"


def a_child(code: str) -> "subprocess.Popen[str]":
    """A process that has begun to do what its code says."""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "began\n"
    return child


def end(child: "subprocess.Popen[str]") -> None:
    with child:
        child.kill()


def measured(meter: UsageMeter, *children: int) -> Usage:
    """What the meter says once it has something to say."""
    found: list[Usage] = []

    def look() -> bool:
        usage = meter.measure(children)
        found.extend([usage] if usage else [])
        return usage is not None

    wait_until(look, 10, "it has measured")
    return found[0]


def compute(seconds: float) -> None:
    """Use so much CPU time in this process."""
    spent = time.process_time()
    while time.process_time() - spent < seconds:
        sum(range(1_000))


def test_what_this_process_computes_is_seen() -> None:
    meter = UsageMeter()
    began, spent = time.monotonic(), time.process_time()
    compute(0.3)
    share = 100 * (time.process_time() - spent) / (time.monotonic() - began)
    assert abs(measured(meter).cpu_percent - share) < 20


def test_children_count_too() -> None:
    meter = UsageMeter()
    began, own = time.monotonic(), time.process_time()
    child = a_child(BUSY)
    try:
        spent = psutil.Process(child.pid)
        wait_until(lambda: spent.cpu_times().user > 0.5, 30, "the child has computed")
        usage = measured(meter, child.pid)
        seconds = usage.cpu_percent / 100 * (time.monotonic() - began)
        assert seconds - (time.process_time() - own) > 0.4
    finally:
        end(child)


def test_memory_is_what_is_resident_children_included() -> None:
    child = a_child(HOLDING)
    try:
        alone, both = measured(UsageMeter()).memory_bytes, measured(UsageMeter(), child.pid).memory_bytes
        assert alone > 5_000_000
        assert both - alone > 50_000_000
    finally:
        end(child)


def test_a_look_soon_after_another_says_the_same() -> None:
    meter = UsageMeter()
    assert meter.measure() is None
    compute(0.2)
    first = measured(meter)
    assert meter.measure() is first


def test_a_child_that_has_ended_is_left_out() -> None:
    meter = UsageMeter()
    child = a_child(HOLDING)
    with_child = measured(meter, child.pid)
    end(child)
    compute(0.2)
    without = measured(meter, child.pid)
    assert with_child.memory_bytes - without.memory_bytes > 30_000_000
