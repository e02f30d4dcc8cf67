"""What it costs the API to refuse each request of an attack: CPU of its process, the median of several. Linux only."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.api import a_socket, a_task, publish
from support.attacks import ARGUMENTS, BODIES, DOCUMENTS, PLAIN
from support.ports import free_port
from support.redis_server import RedisServer
from support.served import an_api, answers
from support.waiting import wait_until

LIMIT_MS = 100
NEW_SOCKETS = 10
Ask = Callable[[int], Awaitable[str]]


def universal(value: object = None) -> object:
    """Do as told."""
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", default="", help="what the names are to hold")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis").start()
        try:
            with server.client() as redis:
                publish(redis, a_task("universal", universal))
            port = free_port()
            with an_api(server.url, Path(folder), port, api_max_new_sockets_per_address=NEW_SOCKETS) as process:
                wait_until(lambda: answers(port), 60, "the API answers")
                asyncio.run(measure(port, process.pid, options.times, options.only))
        finally:
            server.stop()


async def measure(port: int, pid: int, times: int, only: str) -> None:
    over = 0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        asked = {name: ask for name, ask in attacks(http, f"127.0.0.1:{port}").items() if only in name}
        for name, ask in asked.items():
            costs: list[float] = []
            answer = ""
            for turn in range(times):
                before = spent_ms(pid)
                answer = await ask(turn)
                costs.append(spent_ms(pid) - before)
            median = sorted(costs)[times // 2]
            over += median > LIMIT_MS
            print(f"{name:<52}{median:>8.1f} ms   most{max(costs):>8.1f}   {answer[:100]}", flush=True)
    print(f"{over} of {len(asked)} took more than {LIMIT_MS} ms")


def spent_ms(pid: int) -> float:
    """CPU of all threads of a process so far, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def attacks(http: httpx.AsyncClient, address: str) -> dict[str, Ask]:
    found: dict[str, Ask] = {"(a small query, to compare)": partial(in_other_words, http, "{ counts { queued } }")}
    for name, document in DOCUMENTS.items():
        found[f"document: {name}"] = partial(in_other_words, http, document)
        found[f"socket: {name}"] = partial(over_a_socket, address, document)
    for name, body in BODIES.items():
        found[f"body: {name}"] = partial(sent, http, body)
    for name, body in ARGUMENTS.items():
        found[f"arguments: {name}"] = partial(sent, http, body)
    found["another site: a mutation"] = partial(from_elsewhere, http)
    found["another site: a socket"] = partial(socket_from_elsewhere, address)
    found["socket: 60 subscriptions at once"] = partial(flood, address)
    found["sockets: 20 that say nothing, where 10 may"] = partial(crowd, address)
    return found


async def in_other_words(http: httpx.AsyncClient, document: str, turn: int) -> str:
    """Send a document that was not sent before, so that nothing is known of it."""
    return await sent(http, json.dumps({"query": f"{document}\n#{turn}"}).encode(), turn)


async def sent(http: httpx.AsyncClient, body: bytes, _turn: int) -> str:
    response = await http.post("/graphql", content=body, headers=PLAIN)
    return f"{response.status_code} {len(response.content)} bytes {response.text!r}"


async def over_a_socket(address: str, document: str, turn: int) -> str:
    async with a_socket(address) as socket:
        await socket.subscribe(f"{document}\n#{turn} over a socket")
        try:
            message = await socket.receive()
        except ConnectionClosed:
            code, reason = await socket.closed()
            return f"closed {code} {reason}"
        return f"{message['type']} {json.dumps(message.get('payload'))!r}"


async def from_elsewhere(http: httpx.AsyncClient, _turn: int) -> str:
    body = {"query": 'mutation { enqueueJob(input: {task: "universal", args: {}}) { errors { code } } }'}
    response = await http.post("/graphql", json=body, headers={"Origin": "https://elsewhere.example"})
    return f"{response.status_code} {len(response.content)} bytes {response.text!r}"


async def socket_from_elsewhere(address: str, _turn: int) -> str:
    try:
        async with a_socket(address, origin="https://elsewhere.example"):
            return "let in"
    except InvalidStatus as refusal:
        return str(refusal)


async def flood(address: str, _turn: int) -> str:
    async with a_socket(address) as socket:
        for number in range(60):
            await socket.subscribe("subscription { jobEvents { cursor } }", id=str(number))
        refused = [await socket.receive() for _ in range(10)]
        return f"{len(refused)} of 60 refused: {json.dumps(refused[-1])}"


async def crowd(address: str, _turn: int) -> str:
    refused: list[str] = []
    async with AsyncExitStack() as stack:
        for _ in range(2 * NEW_SOCKETS):
            try:
                await stack.enter_async_context(a_socket(address, init=False))
            except InvalidStatus as refusal:
                refused.append(f"{refusal.response.status_code} {refusal.response.body.decode()}")
    return f"{len(refused)} of {2 * NEW_SOCKETS} refused: {refused[-1]}"


if __name__ == "__main__":
    main()
