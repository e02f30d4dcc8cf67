"""What the enqueue form sends, and which of its problems are still open."""

from taskengine_dashboard.client import ApiUnreachable
from taskengine_dashboard.source import Refusal, Reply
from taskengine_dashboard.views.enqueue.forms import Problem
from taskengine_dashboard.views.enqueue.requests import Sent, request


def test_options_that_are_not_given_are_the_tasks_own() -> None:
    chosen = {"queue": None, "priority": 9, "delaySeconds": None, "tags": [], "maxAttempts": None}
    assert request("greet", {"name": "Ada"}, chosen) == {
        "task": "greet",
        "args": {"name": "Ada"},
        "options": {"priority": 9},
    }


def test_without_options_none_are_sent() -> None:
    assert request("greet", {}, {"queue": None, "tags": []}) == {"task": "greet", "args": {}}


def test_a_delay_of_nothing_is_an_option_all_the_same() -> None:
    assert request("greet", {}, {"delaySeconds": 0.0})["options"] == {"delaySeconds": 0.0}


def test_refusals_keep_their_place() -> None:
    sent = Sent.answered({"task": "greet", "args": {}}, Reply(refusals=(Refusal("too long", ("args", "name")),)))
    assert sent.problems == (Problem(("args", "name"), "too long"),)
    assert sent.job_id is None


def test_an_option_is_found_by_the_engines_name_for_it() -> None:
    sent = Sent.answered({}, Reply(refusals=(Refusal("too long", ("options", "delay")),)))
    assert sent.problems[0].path == ("options", "delaySeconds")


def test_a_problem_on_the_way_is_about_the_whole_form() -> None:
    sent = Sent.answered({}, Reply(problem=ApiUnreachable("http://api")))
    assert sent.problems == (Problem((), "Nothing answers at http://api."),)


def test_a_job_is_what_it_was_for() -> None:
    assert Sent.answered({}, Reply(payload={"job": {"id": "job_1"}})) == Sent(request={}, job_id="job_1")


def test_a_problem_goes_when_its_value_is_changed() -> None:
    before = {"task": "greet", "args": {"name": "x", "rows": [{"a": 1}]}}
    sent = Sent(
        request=before,
        problems=(Problem(("args", "name"), "too short"), Problem(("args", "rows", "0", "a"), "too small")),
    )
    assert sent.seen_against(before) == sent
    after = {"task": "greet", "args": {"name": "xyz", "rows": [{"a": 1}]}}
    assert sent.seen_against(after).problems == (Problem(("args", "rows", "0", "a"), "too small"),)
