"""The guide for whoever runs it: what it names is there."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from redis import Redis

from support.api import publish, running_api
from taskengine.jobs import TaskInfo

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "running.md").read_text("utf-8")


@pytest.mark.parametrize("document", re.findall(r"```graphql\n(.*?)```", GUIDE, re.DOTALL))
def test_its_operations_are_valid(document: str) -> None:
    schema = build_schema((ROOT / "api" / "schema.graphql").read_text("utf-8"))
    assert validate(schema, parse(document)) == []


async def test_its_rules_ask_for_metrics_that_there_are(redis: Redis, redis_url: str) -> None:
    named = set(re.findall(r"\btaskengine_[a-z_]+", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0]))
    redis.config_set("maxmemory", "1gb")
    publish(redis, TaskInfo(name="mail.send", args_schema={"type": "object"}))
    async with running_api(redis_url) as api:
        told = (await api.http.get("/metrics")).text
    redis.config_set("maxmemory", "0")
    families = set(re.findall(r"^# TYPE (taskengine_\w+)", told, re.MULTILINE))
    assert len(named) > 5
    assert named - families == set()


def test_its_settings_and_commands_are_named_elsewhere() -> None:
    readmes = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "api/README.md"))
    assert [name for name in re.findall(r"\bTASKENGINE_[A-Z_]*[A-Z]\b", GUIDE) if name not in readmes] == []
