"""Secrets of jobs that fail, are tried again, lose their workers and are looked at from everywhere: told nowhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from support.api import running_api
from support.clients import ended
from support.everything import all_that_is_told
from support.safe import digest, everything_in
from support.waiting import until
from support.workers import WorkerProcess
from taskengine import Client, JobState, Settings
from taskengine_api.schema.build import Schema

KEY = "+/" + "A" * 41 + "="
PASSWORD, TOKEN, NUMBER = "pass'wörd-5f2c9a", 'tok\\en"7b1e4d', "4111-9c3a-2222"
PARTS = ("5f2c9a", "7b1e4d", "9c3a")
ARGS: dict[str, Any] = {"password": PASSWORD, "token": TOKEN, "card": {"number": NUMBER}}

ENQUEUE = "mutation($task: String!, $args: JSON!) { enqueueJob(input: {task: $task, args: $args}) { job { id } } }"
TYPED = "mutation($args: IndiscreetArgs!) { enqueueIndiscreet(input: {args: $args}) { job { id args } } }"


def told(text: str) -> list[str]:
    return [text[max(0, text.index(part) - 60) : text.index(part) + 20] for part in PARTS if part in text]


@pytest.mark.parametrize("mode", ["thread", "process"])
async def test_nothing_tells_the_secrets_of_jobs(redis: Redis, redis_url: str, tmp_path: Path, mode: Any) -> None:
    settings = Settings(redis_url=redis_url, encryption_key=(KEY,))
    worker = WorkerProcess(
        "support.safe:engine", redis_url, data_dir=tmp_path / "worker", mode=mode, lease_seconds=1, encryption_key=KEY
    )
    with worker:
        async with running_api(redis_url, settings=settings) as api:
            typed = await until(lambda: _typed(api), 20, "the typed field is there")
            assert typed["job"]["args"]["password"] == "********"
            ids = [typed["job"]["id"]]
            for do in ("OK", "FAIL", "FAIL_ONCE", "SNOOZE_ONCE", *(["KILL_ONCE"] if mode == "process" else [])):
                answer = await api.data(ENQUEUE, task="indiscreet", args={**ARGS, "do": do})
                ids.append(answer["enqueueJob"]["job"]["id"])
            ids.append((await api.client.rerun_job(ids[0])).id)
            await api.client.create_schedule("leak", "indiscreet", ARGS, every_seconds=3600)
            ids.append((await api.client.run_schedule("leak")).id)
            jobs = [await ended(api.client, job_id) for job_id in ids]
            assert [job.state for job in jobs].count(JobState.FAILED) == 1
            assert {job.result for job in jobs} == {None, digest(PASSWORD, TOKEN, NUMBER)}
            failed = next(job for job in jobs if job.state is JobState.FAILED)
            await api.client.retry_job(failed.id, by="ops")
            await ended(api.client, failed.id)
            refused = [await api.answer(TYPED, args={**ARGS, "nope": 1}), await _refused(api)]
            answers = await all_that_is_told(api, Schema().core, job=failed.id, schedule="leak", task="indiscreet")
            events = await _events(api.client)
    assert told(json.dumps(refused, ensure_ascii=False)) == []
    assert told(answers) == []
    assert "wrong: '******** and ******** and ********'" in answers
    assert told(events) == []
    log = worker.log.read_text()
    assert told(log) == []
    assert "the words are ******** and ******** and ********" in log
    assert told(everything_in(redis)) == []


async def _typed(api: Any) -> dict[str, Any] | None:
    answer = await api.answer(TYPED, args=ARGS)
    return None if "errors" in answer else answer["data"]["enqueueIndiscreet"]


async def _refused(api: Any) -> Any:
    return await api.answer(ENQUEUE, task="indiscreet", args={**ARGS, "password": [PASSWORD]})


async def _events(client: Client) -> str:
    newest = await client.newest_cursor()
    seen: list[str] = []
    async for event in client.events(after="0-0"):
        seen.append(repr(event))
        if event.cursor == newest:
            return "\n".join(seen)
    raise AssertionError("the stream of events ended")
