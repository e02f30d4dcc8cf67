"""``Settings.from_env``: what is read, and how a mistake is told."""

import dataclasses
from dataclasses import fields
from pathlib import Path

import pytest

from taskengine import settings as settings_module
from taskengine.errors import InvalidSetting
from taskengine.settings import Settings


def test_without_variables_every_setting_has_its_default() -> None:
    assert Settings.from_env({"PATH": "/bin", "HOME": "/"}) == Settings()


def test_an_empty_variable_is_an_unset_one() -> None:
    assert Settings.from_env({"TASKENGINE_API_PORT": ""}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("TASKENGINE_REDIS_URL", "rediss://user:pw@there:6380/1", "redis_url", "rediss://user:pw@there:6380/1"),
        ("TASKENGINE_NAMESPACE", "shop-2", "namespace", "shop-2"),
        ("TASKENGINE_DATA_DIR", "/var/lib/te", "data_dir", Path("/var/lib/te")),
        ("TASKENGINE_API_PORT", "8080", "api_port", 8080),
        ("TASKENGINE_DASHBOARD_PORT", "65535", "dashboard_port", 65_535),
        ("TASKENGINE_LEASE_SECONDS", "0.5", "lease_seconds", 0.5),
        ("TASKENGINE_GRACE_SECONDS", "3", "grace_seconds", 3.0),
        ("TASKENGINE_MAX_WORKER_LOSSES", "1", "max_worker_losses", 1),
        ("TASKENGINE_KEEP_FINISHED_JOBS", "10", "keep_finished_jobs", 10),
    ],
)
def test_a_variable_becomes_its_field(variable: str, text: str, field: str, value: object) -> None:
    assert getattr(Settings.from_env({variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        (
            "TASKENGINE_REDIS_URL",
            "http://there",
            "expected a URL such as redis://127.0.0.1:6379/0 (redis, rediss or unix)",
        ),
        ("TASKENGINE_NAMESPACE", "two words", "expected 1 to 64 of the characters A-Z a-z 0-9 _ . -, got 'two words'"),
        ("TASKENGINE_API_PORT", "0", "expected a port from 1 to 65535, got '0'"),
        ("TASKENGINE_API_PORT", "65536", "expected a port from 1 to 65535, got '65536'"),
        ("TASKENGINE_DASHBOARD_PORT", "http", "expected a port from 1 to 65535, got 'http'"),
        ("TASKENGINE_LEASE_SECONDS", "0.1", "expected 0.5 to 3600 seconds, got '0.1'"),
        ("TASKENGINE_GRACE_SECONDS", "soon", "expected a number of seconds above 0, got 'soon'"),
        ("TASKENGINE_MAX_WORKER_LOSSES", "-1", "expected a whole number of at least 1, got '-1'"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable: str, text: str, told: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_env({variable: text})
    assert str(refused.value) == f"{variable} is not valid: {told}"


def test_a_url_that_is_refused_shows_nothing_of_its_password() -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_env({"TASKENGINE_REDIS_URL": "http://:hunter2@there"})
    assert "hunter2" not in str(refused.value)


def test_a_name_that_is_no_setting_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidSetting, match="TASKENGINE_LEASE_SECOND is not a setting; did you mean .*LEASE_SECONDS"):
        Settings.from_env({"TASKENGINE_LEASE_SECOND": "5"})


@pytest.mark.parametrize("variable", ["TASKENGINE_API_GRAPHIQL", "TASKENGINE_DASHBOARD_HOST"])
def test_the_other_packages_settings_are_left_to_them(variable: str) -> None:
    assert Settings.from_env({variable: "anything"}) == Settings()


def test_every_field_can_be_set_from_the_environment() -> None:
    samples = {"redis_url": "redis://a", "namespace": "a", "data_dir": "a", "encryption_key": "A" * 43 + "="}
    env = {f"TASKENGINE_{field.name.upper()}": samples.get(field.name, "7") for field in fields(Settings)}
    settings = Settings.from_env(env)
    assert {field.name for field in fields(Settings) if getattr(settings, field.name) != field.default} == {
        field.name for field in fields(Settings)
    }


def test_a_key_that_is_none_is_refused_without_being_told() -> None:
    with pytest.raises(InvalidSetting, match="key 2 of 2 is not 32 bytes in base64; `openssl rand") as caught:
        Settings.from_env({"TASKENGINE_ENCRYPTION_KEY": f"{'A' * 43}=, hunter2hunter2"})
    assert "hunter2" not in str(caught.value)


def test_keys_are_read_in_their_order_and_not_shown() -> None:
    first, second = "A" * 43 + "=", "+/" + "b" * 40 + "A="
    settings = Settings.from_env({"TASKENGINE_ENCRYPTION_KEY": f"{first}, {second}"})
    assert settings.encryption_key == (first, second)
    assert first not in repr(settings)


def test_every_field_can_be_set() -> None:
    assert set(settings_module._READERS) == {field.name for field in dataclasses.fields(Settings)}
