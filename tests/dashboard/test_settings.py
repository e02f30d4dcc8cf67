"""What can be set about the dashboard."""

import pytest

from taskengine_dashboard.settings import DashboardSettings, Guests, InvalidSetting


def test_nothing_need_be_set() -> None:
    settings = DashboardSettings.from_env({})
    assert settings == DashboardSettings(
        host="127.0.0.1", allowed_hosts=(), api_url=None, public_api_url=None, refresh_seconds=2.0
    )


def test_each_is_read_from_its_variable() -> None:
    settings = DashboardSettings.from_env(
        {
            "TASKENGINE_DASHBOARD_HOST": "0.0.0.0",
            "TASKENGINE_DASHBOARD_ALLOWED_HOSTS": "jobs.example.org, Localhost",
            "TASKENGINE_DASHBOARD_API_URL": "http://api:8000",
            "TASKENGINE_DASHBOARD_PUBLIC_API_URL": "https://jobs.example.org/graphql",
            "TASKENGINE_DASHBOARD_API_KEY": "te_key",
            "TASKENGINE_DASHBOARD_GUESTS": "all",
            "TASKENGINE_DASHBOARD_REFRESH_SECONDS": "5",
        }
    )
    assert settings == DashboardSettings(
        host="0.0.0.0",
        allowed_hosts=("jobs.example.org", "localhost"),
        api_url="http://api:8000",
        public_api_url="https://jobs.example.org/graphql",
        api_key="te_key",
        guests=Guests.ALL,
        refresh_seconds=5.0,
    )


def test_an_empty_variable_is_not_set() -> None:
    assert DashboardSettings.from_env({"TASKENGINE_DASHBOARD_HOST": ""}).host == "127.0.0.1"


def test_variables_of_others_are_left_alone() -> None:
    env = {"TASKENGINE_DASHBOARD_PORT": "8501", "TASKENGINE_API_PORT": "x", "HOME": "/"}
    assert DashboardSettings.from_env(env) == DashboardSettings()


def test_an_unknown_name_is_refused_with_what_may_be_meant() -> None:
    with pytest.raises(InvalidSetting) as refused:
        DashboardSettings.from_env({"TASKENGINE_DASHBOARD_REFRESH_SECOND": "2"})
    assert str(refused.value) == (
        "TASKENGINE_DASHBOARD_REFRESH_SECOND is not a setting; did you mean TASKENGINE_DASHBOARD_REFRESH_SECONDS?"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HOST", "http://here", "expected a host name or address"),
        ("ALLOWED_HOSTS", "a, ,b", "expected a host name or address"),
        ("API_URL", "api:8000", "expected an address such as http://127.0.0.1:8000, got 'api:8000'"),
        ("PUBLIC_API_URL", "ftp://x", "expected an address"),
        ("REFRESH_SECONDS", "3", "expected one of 1, 2, 5, 10, 0 (seconds; 0 is off), got '3'"),
    ],
)
def test_a_bad_value_is_refused_saying_what_was_expected(name: str, value: str, expected: str) -> None:
    variable = f"TASKENGINE_DASHBOARD_{name}"
    with pytest.raises(InvalidSetting) as refused:
        DashboardSettings.from_env({variable: value})
    assert str(refused.value).startswith(f"{variable} is not valid: ")
    assert expected in str(refused.value)
