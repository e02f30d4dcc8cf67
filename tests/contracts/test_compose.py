"""compose.yaml and Dockerfile, as far as they can be held to their word without a container engine."""

import re
from dataclasses import fields
from pathlib import Path

from taskengine.settings import Settings
from taskengine_api.settings import ApiSettings
from taskengine_dashboard.settings import DashboardSettings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SETTINGS = {
    f"{prefix}{field.name.upper()}"
    for prefix, settings in (
        ("TASKENGINE_", Settings),
        ("TASKENGINE_API_", ApiSettings),
        ("TASKENGINE_DASHBOARD_", DashboardSettings),
    )
    for field in fields(settings)
}


def test_every_variable_that_a_container_gets_is_a_setting() -> None:
    given = set(re.findall(r"^ +(TASKENGINE_\w+)[:=]", COMPOSE + DOCKERFILE, re.MULTILINE))
    assert given >= {"TASKENGINE_REDIS_URL", "TASKENGINE_DASHBOARD_API_URL", "TASKENGINE_DATA_DIR"}
    assert given - SETTINGS == set()


def test_what_is_published_is_published_on_the_loopback_alone() -> None:
    published = re.findall(r"ports: \[(.*)\]", COMPOSE)
    assert len(published) == 2
    assert all(port.startswith('"127.0.0.1:') for port in published)


def test_redis_has_a_password_and_neither_forgets_nor_evicts() -> None:
    service = COMPOSE.split("\n  redis:\n")[1].split("\n  worker:\n")[0]
    for argument in ("--requirepass", "${REDIS_PASSWORD:?", '--appendonly\n      - "yes"', "noeviction"):
        assert argument in service
    assert "ports:" not in service


def test_every_service_has_a_health_check() -> None:
    services = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    names = re.findall(r"^  (\w+):$", services, re.MULTILINE)
    assert names == ["redis", "worker", "api", "dashboard"]
    assert services.count("    healthcheck:") == len(names)


def test_the_image_runs_without_root_and_installs_nothing_unchecked() -> None:
    final = DOCKERFILE.split("\nFROM ")[-1]
    assert "\nUSER taskengine\n" in final
    installs = re.findall(r"pip install (.*?)(?:\\|$)", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-deps dist/" in install for install in installs)
