"""What can be set about the dashboard."""

import pytest

from taskengine_dashboard.settings import DashboardSettings, Guests, InvalidSetting, SignInToken


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
            "TASKENGINE_DASHBOARD_PUBLIC_URL": "https://Jobs.example.org/",
            "TASKENGINE_DASHBOARD_OIDC_ISSUER": "https://login.example.org/realms/ops",
            "TASKENGINE_DASHBOARD_OIDC_CLIENT_ID": "dashboard",
            "TASKENGINE_DASHBOARD_OIDC_CLIENT_SECRET": "nobody knows",
            "TASKENGINE_DASHBOARD_OIDC_SCOPES": "openid roles, offline_access",
            "TASKENGINE_DASHBOARD_OIDC_TOKEN": "access",
            "TASKENGINE_DASHBOARD_OIDC_NAME": "ACME",
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
        public_url="https://jobs.example.org",
        oidc_issuer="https://login.example.org/realms/ops",
        oidc_client_id="dashboard",
        oidc_client_secret="nobody knows",
        oidc_scopes=("openid", "roles", "offline_access"),
        oidc_token=SignInToken.ACCESS,
        oidc_name="ACME",
    )
    assert "nobody knows" not in repr(settings)


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
        ("PUBLIC_URL", "http://jobs.example.org", "expected https, got 'http://jobs.example.org'"),
        ("PUBLIC_URL", "https://ops.example.org/jobs", "expected an address without a path"),
        ("OIDC_ISSUER", "http://login.example.org", "expected https"),
        ("OIDC_ISSUER", "https://login.example.org?a=b", "expected an address without a query"),
        ("OIDC_ISSUER", "https://me@login.example.org", "expected an address without a query or a user"),
        ("OIDC_SCOPES", "profile", "expected openid among them, got 'profile'"),
        ("OIDC_TOKEN", "refresh", "expected id, access, got 'refresh'"),
        ("OIDC_NAME", "x" * 41, "expected a name of at most 40 letters"),
        ("REFRESH_SECONDS", "3", "expected one of 1, 2, 5, 10, 0 (seconds; 0 is off), got '3'"),
    ],
)
def test_a_bad_value_is_refused_saying_what_was_expected(name: str, value: str, expected: str) -> None:
    variable = f"TASKENGINE_DASHBOARD_{name}"
    with pytest.raises(InvalidSetting) as refused:
        DashboardSettings.from_env({variable: value})
    assert str(refused.value).startswith(f"{variable} is not valid: ")
    assert expected in str(refused.value)


@pytest.mark.parametrize("name", ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "PUBLIC_URL"])
def test_an_issuer_needs_what_it_knows_us_by(name: str) -> None:
    env = {
        "TASKENGINE_DASHBOARD_OIDC_ISSUER": "https://login.example.org",
        "TASKENGINE_DASHBOARD_OIDC_CLIENT_ID": "dashboard",
        "TASKENGINE_DASHBOARD_OIDC_CLIENT_SECRET": "nobody knows",
        "TASKENGINE_DASHBOARD_PUBLIC_URL": "https://jobs.example.org",
    }
    assert DashboardSettings.from_env(env).provider_name == "login.example.org"
    del env[f"TASKENGINE_DASHBOARD_{name}"]
    with pytest.raises(InvalidSetting, match=f"TASKENGINE_DASHBOARD_{name} is needed with an issuer"):
        DashboardSettings.from_env(env)


def test_no_complaint_repeats_the_secret() -> None:
    env = {"TASKENGINE_DASHBOARD_OIDC_CLIENT_SECRET": "nobody knows", "TASKENGINE_DASHBOARD_OIDC_ISSUER": "https://a"}
    with pytest.raises(InvalidSetting) as refused:
        DashboardSettings.from_env(env)
    assert "nobody knows" not in str(refused.value)
