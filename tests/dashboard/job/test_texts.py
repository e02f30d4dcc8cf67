"""What is made of a job: its log as text, its relatives as a graph, the request that fetches it."""

import json
import shlex
from datetime import UTC

from support.fake_api import NOW, FakeApi
from taskengine_dashboard.views.job import log_text, questions, relations, request
from taskengine_dashboard.views.job.questions import JobDetail, LogLine

LINE = LogLine(at=NOW, level="WARNING", message="late", attempt=2, fields={"rows": 3, "of": "a b"}, logger="shop.mail")


def a_job(api: FakeApi, **facts: object) -> JobDetail:
    """A queued job with these facts."""
    found = questions.job(api.add_job(**facts)).value  # type: ignore[arg-type]
    assert found is not None
    assert found.job is not None
    return found.job


def test_a_line_says_when_how_bad_in_which_run_and_what_with_its_fields() -> None:
    assert log_text.shown([LINE], UTC) == '12:00:00.000 WARNING run 2  late rows=3 of="a b"'


def test_a_file_has_whole_times_and_who_said_it() -> None:
    assert log_text.file([LINE]) == ('2026-11-24T12:00:00+00:00 WARNING run=2 shop.mail late rows=3 of="a b"\n')


def test_text_is_found_in_messages_and_fields_in_any_case() -> None:
    assert log_text.found([LINE], "ROWS=3") == [LINE]
    assert log_text.found([LINE], "") == [LINE]
    assert log_text.found([LINE], "early") == []


def test_arrows_lead_from_what_comes_first_to_what_comes_later(api: FakeApi) -> None:
    other = {"id": "job_a", "state": "COMPLETED", "task": {"name": "a"}}
    later = {"id": "job_b", "state": "SCHEDULED", "task": {"name": "b"}}
    job = a_job(api, dependsOn=[other], dependents=[later])
    graph = relations.graph(job, dark=False)
    assert f'"job_a" -> "{job.id}"' in graph
    assert f'"{job.id}" -> "job_b"' in graph
    assert relations.in_words(job) == "Waits for a (completed); b (scheduled) wait for it"


def test_a_name_cannot_break_out_of_the_graph(api: FakeApi) -> None:
    evil = {"id": "job_a", "state": "COMPLETED", "task": {"name": '"] x [label="'}}
    assert '\\"] x [label=\\"' in relations.graph(a_job(api, dependsOn=[evil]), dark=True)


def test_the_command_asks_what_the_page_asks() -> None:
    words = shlex.split(request.curl("http://api.test/graphql", questions.JOB, {"id": "it's"}).replace("\\\n", " "))
    body = json.loads(words[-1])
    assert words[:2] == ["curl", "http://api.test/graphql"]
    assert body["variables"] == {"id": "it's"}
    assert body["query"].split() == questions.JOB.text.split()
