"""What is shown to those who must sign in, and to those who may only look."""

import pytest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.identity import Identity
from taskengine_dashboard.model.frame import Role
from taskengine_dashboard.navigation import PLACES
from taskengine_dashboard.source import Source
from taskengine_dashboard.views.overview import questions

VISIBLE = [place.name for place in PLACES if place.is_in_menu]


@pytest.mark.parametrize("name", VISIBLE)
def test_every_page_asks_for_a_key_when_the_api_wants_one(api: FakeApi, open_page: OpenPage, name: str) -> None:
    api.error_code = "UNAUTHENTICATED"
    page = open_page(name)
    said = texts(page)
    assert "Sign in" in said
    assert "This dashboard shows its pages to those who have a key of the API." in said
    assert len(page.error) == 0
    assert len(page.dataframe) == 0


def test_a_link_to_a_job_asks_for_a_key_and_opens_nothing(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("FAILED")
    api.error_code = "UNAUTHENTICATED"
    said = texts(open_page("jobs", job=job_id))
    assert "Sign in" in said
    assert job_id not in said


def test_who_may_not_ask_is_not_asked_for(api: FakeApi, open_page: OpenPage, viewers: list[Identity]) -> None:
    viewers.append(Identity(None, is_signed_in=False, may_ask=False))
    assert "Sign in" in texts(open_page("overview"))
    assert api.sent == []


def test_a_key_that_is_revoked_ends_what_was_shown_and_says_so(
    api: FakeApi, open_page: OpenPage, source: Source, viewers: list[Identity]
) -> None:
    viewers.append(Identity("mine", is_signed_in=True))
    page = open_page("overview")
    assert len(page.metric) == 6
    api.error_code = "UNAUTHENTICATED"
    source.expire()
    look(page)
    assert len(page.metric) == 0
    assert "Your key opens nothing any more" in texts(page)


def test_the_page_viewers_back_by_itself(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    api.error_code = "UNAUTHENTICATED"
    page = open_page("overview")
    api.error_code = None
    source.expire()
    look(page)
    assert len(page.metric) == 6


def test_nobody_sees_what_another_key_may_see(api: FakeApi, source: Source, viewers: list[Identity]) -> None:
    viewers.append(Identity("first", is_signed_in=True))
    questions.overview("HOUR", "HOUR")
    questions.overview("HOUR", "HOUR")
    viewers.append(Identity("second", is_signed_in=True))
    api.error_code = "FORBIDDEN"
    assert questions.overview("HOUR", "HOUR").value is None
    assert api.keys == ["first", "second"]


@pytest.mark.parametrize(("role", "is_said"), [("VIEWER", True), ("OPERATOR", False), ("ADMIN", False)])
def test_who_may_only_look_is_told_so(api: FakeApi, open_page: OpenPage, role: str, is_said: bool) -> None:
    api.answers["viewer"] = {"name": "vera", "role": role}
    assert (":gray-badge[:material/visibility: Read only]" in texts(open_page("overview"))) is is_said


@pytest.mark.parametrize(
    ("name", "role"), [("VIEWER", Role.VIEWER), ("ADMIN", Role.ADMIN), ("EMPEROR", Role.VIEWER), ("read", Role.VIEWER)]
)
def test_a_role_that_is_not_known_may_only_look(name: str, role: Role) -> None:
    assert Role.read(name) is role
