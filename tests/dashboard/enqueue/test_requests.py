"""What the enqueue form sends and shows, and which of its problems are still open."""

from typing import Any

from taskengine_dashboard.client import ApiUnreachable, RequestFailed
from taskengine_dashboard.source import Refusal, Reply
from taskengine_dashboard.views.enqueue.kinds import Problem
from taskengine_dashboard.views.enqueue.requests import Request, Sent, options

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "pin": {"type": "string", "format": "password", "writeOnly": True},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    },
}


def a_request(args: Any = None, **options: Any) -> Request:
    return Request(task="greet", schema=SCHEMA, args={} if args is None else args, options=options)


def problems_of(answer: Reply) -> tuple[Problem, ...]:
    return Sent.answered(a_request(), answer).problems


def test_options_that_are_not_given_are_the_tasks_own() -> None:
    assert options({"queue": None, "priority": 9, "delaySeconds": 0.0, "tags": [], "idempotencyKey": ""}) == {
        "priority": 9,
        "delaySeconds": 0.0,
    }


def test_without_options_none_are_sent_but_the_key() -> None:
    assert a_request().input(None) == {"task": "greet", "args": {}}
    assert a_request().input("k1") == {"task": "greet", "args": {}, "options": {"idempotencyKey": "k1"}}


def test_a_key_of_the_viewers_own_goes_before() -> None:
    assert a_request(idempotencyKey="mine").input("k1")["options"] == {"idempotencyKey": "mine"}


def test_a_secret_is_sent_and_not_shown() -> None:
    request = a_request({"name": "Ada", "pin": "hunter2"})
    assert request.input("k1")["args"] == {"name": "Ada", "pin": "hunter2"}
    assert request.shown("k1") == {**request.input("k1"), "args": {"name": "Ada", "pin": "********"}}
    assert "hunter2" not in request.fingerprint


def test_requests_that_say_something_else_are_told_apart() -> None:
    same = {a_request({"name": "Ada"}).fingerprint for _ in range(2)}
    assert len(same | {a_request({"name": "Eve"}).fingerprint, a_request({"name": "Ada"}, priority=1).fingerprint}) == 3


def test_refusals_keep_their_place() -> None:
    assert problems_of(Reply(refusals=(Refusal("too long", ("args", "name")),))) == (
        Problem(("args", "name"), "too long"),
    )


def test_an_option_is_found_by_the_engines_name_for_it() -> None:
    (problem,) = problems_of(Reply(refusals=(Refusal("too long", ("options", "delay")),)))
    assert problem.path == ("options", "delaySeconds")


def test_a_problem_on_the_way_is_about_the_whole_form() -> None:
    assert problems_of(Reply(problem=ApiUnreachable("http://api"))) == (Problem((), "Nothing answers at http://api."),)


def test_a_value_that_graphql_itself_refuses_is_a_problem_of_its_field() -> None:
    message = "Variable '$input' has invalid value at .args.rows[1].a: expected a whole number."
    assert problems_of(Reply(problem=RequestFailed("BAD_REQUEST", message))) == (
        Problem(("args", "rows", "1", "a"), "expected a whole number"),
    )


def test_a_job_is_what_it_was_for() -> None:
    sent = Sent.answered(a_request(), Reply(payload={"job": {"id": "job_1"}, "deduplicated": True}))
    assert (sent.job_id, sent.deduplicated, sent.problems) == ("job_1", True, ())
    assert sent.is_about(a_request())
    assert not sent.is_about(a_request({"name": "Eve"}))


def test_a_problem_goes_when_its_value_is_changed() -> None:
    before = a_request({"name": "x", "rows": [{"a": 1}]})
    stays = Problem(("args", "rows", "0", "a"), "too small")
    sent = Sent.of(before, [Problem(("args", "name"), "too short"), stays])
    assert sent.seen_against(before) == sent
    assert sent.seen_against(a_request({"name": "xyz", "rows": [{"a": 1}]})).problems == (stays,)
