"""The API's settings: read strictly, refused in words."""

import dataclasses

import pytest

from taskengine.errors import InvalidSetting
from taskengine_api import settings as settings_module
from taskengine_api.settings import ApiSettings


def test_nothing_said_is_the_defaults() -> None:
    assert ApiSettings.from_env({}) == ApiSettings()


def test_each_setting_is_read() -> None:
    env = {
        "TASKENGINE_API_GRAPHIQL": "off",
        "TASKENGINE_API_CATALOGUE_SECONDS": "0.5",
        "TASKENGINE_API_REQUEST_SECONDS": "3",
        "TASKENGINE_API_MAX_BODY_BYTES": "1000",
        "TASKENGINE_API_MAX_SUBSCRIPTIONS": "5",
    }
    assert ApiSettings.from_env(env) == ApiSettings(
        graphiql=False, catalogue_seconds=0.5, request_seconds=3.0, max_body_bytes=1000, max_subscriptions=5
    )


def test_an_empty_value_is_the_default() -> None:
    assert ApiSettings.from_env({"TASKENGINE_API_GRAPHIQL": ""}) == ApiSettings()


def test_what_belongs_to_others_is_left_to_them() -> None:
    env = {"TASKENGINE_API_PORT": "x", "TASKENGINE_REDIS_URL": "x", "HOME": "/"}
    assert ApiSettings.from_env(env) == ApiSettings()


def test_a_name_that_is_no_setting_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'TASKENGINE_API_GRAPHIQL'"):
        ApiSettings.from_env({"TASKENGINE_API_GRAPHQL": "on"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("GRAPHIQL", "perhaps"), ("REQUEST_SECONDS", "0"), ("REQUEST_SECONDS", "nan"), ("MAX_BODY_BYTES", "-1")],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=f"TASKENGINE_API_{name} is not valid: expected .*{value}"):
        ApiSettings.from_env({f"TASKENGINE_API_{name}": value})


def test_every_field_can_be_set() -> None:
    assert set(settings_module._READERS) == {field.name for field in dataclasses.fields(ApiSettings)}
