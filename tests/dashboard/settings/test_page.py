"""Settings: who you are here, what answers, and how pages look."""

import base64
import json

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.identity import Identity
from taskengine_dashboard.settings import DashboardSettings
from taskengine_dashboard.source import Source


@pytest.mark.parametrize(
    ("role", "words"),
    [("VIEWER", "change nothing"), ("OPERATOR", "steer jobs"), ("ADMIN", "do everything")],
)
def test_it_says_what_you_may_do(api: FakeApi, open_page: OpenPage, role: str, words: str) -> None:
    api.answers["viewer"] = {"name": "vera", "role": role}
    page = open_page("settings")
    assert words in texts(page)
    assert list(page.table[0].value["value"]) == ["vera", role, "Not signed in: from this machine itself"]


def test_it_says_what_answers(open_page: OpenPage) -> None:
    assert list(open_page("settings").table[1].value["value"]) == [
        "`http://api.test/graphql`",
        "0.1.0",
        "7.4.0, 1.5 MB",
        "aof",
    ]


def test_who_signed_in_can_sign_out(open_page: OpenPage, viewers: list[Identity]) -> None:
    viewers.append(Identity("mine", is_signed_in=True))
    page = open_page("settings")
    assert page.table[0].value["value"][2] == "Signed in with a key"
    page.button(key="sign-out").click()
    look(page)


@pytest.mark.parametrize(
    ("issuer", "words"),
    [("https://login.acme.example", "Signed in by ACME"), ("https://elsewhere", r"Signed in by https\://elsewhere")],
)
def test_a_token_is_told_from_a_key_by_who_issued_it(
    open_page: OpenPage, viewers: list[Identity], source: Source, issuer: str, words: str
) -> None:
    source.settings = DashboardSettings(
        oidc_issuer="https://login.acme.example", oidc_client_id="te", oidc_client_secret="secret", oidc_name="ACME"
    )
    said = base64.urlsafe_b64encode(json.dumps({"iss": issuer, "exp": 4e9}).encode()).decode().rstrip("=")
    viewers.append(Identity(f"e30.{said}.c2lnbmVk", is_signed_in=True))
    assert open_page("settings").table[0].value["value"][2] == words


def test_times_are_told_in_the_zone_that_one_chooses(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("settings", job=api.add_job("COMPLETED"))
    assert "24 Nov 2026, 11:59:30 on w1" in texts(page)
    page.selectbox(key="zone").set_value("Asia/Tokyo")
    look(page)
    assert "24 Nov 2026, 20:59:30 on w1" in texts(page)
    assert any(caption.value.endswith(" JST") for caption in page.caption), "the header names the zone"


def test_a_theme_that_one_chooses_is_handed_to_the_browser(open_page: OpenPage) -> None:
    page = open_page("settings")
    choice = page.segmented_control(key="theme")
    assert [option.split()[-1] for option in choice.options] == ["System", "Light", "Dark"]
    assert worn(page) == "System"
    choice.set_value("Dark")
    assert worn(look(page)) == "Dark"


def worn(page: AppTest) -> str:
    """Return the theme that the browser is told to show."""
    (script,) = [
        json.loads(element.proto.json)
        for element in page.get("bidi_component")
        if "frame" in element.proto.component_name
    ]
    return script["theme"]


def test_the_zone_of_ones_own_clock_needs_no_name(open_page: OpenPage) -> None:
    page = open_page("settings")
    (updated,) = [caption.value for caption in page.caption if caption.value.startswith("Updated ")]
    assert len(updated) == len("Updated 12:00:00")
