"""A page of jobs as a file."""

import csv
import io
import json

import pytest

from support.fake_api import FakeApi
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.views.jobs import export, questions


@pytest.fixture
def jobs(api: FakeApi) -> tuple[JobRow, ...]:
    """A job that waits, and one that failed with a message that a spreadsheet would run."""
    api.add_job("FAILED", error={"exception": "shop.Trouble", "message": '=1+1, "so"'})
    api.add_job("QUEUED")
    found = questions.jobs(JobsQuery()).value
    assert found is not None
    return found.jobs


def test_csv_has_a_line_for_each_job(jobs: tuple[JobRow, ...]) -> None:
    waiting, failed = csv.DictReader(io.StringIO(export.as_csv(jobs)))
    assert [waiting["state"], failed["state"]] == ["QUEUED", "FAILED"]
    assert waiting["finishedAt"] == ""
    assert failed["finishedAt"] == "2026-11-24T11:59:40+00:00"


def test_a_message_is_no_formula(jobs: tuple[JobRow, ...]) -> None:
    _, failed = csv.DictReader(io.StringIO(export.as_csv(jobs)))
    assert failed["message"] == '\'=1+1, "so"'


def test_json_says_the_same_as_it_is(jobs: tuple[JobRow, ...]) -> None:
    waiting, failed = json.loads(export.as_json(jobs))
    assert waiting["finishedAt"] is None
    assert (failed["exception"], failed["message"]) == ("shop.Trouble", '=1+1, "so"')
    assert failed["runSeconds"] == 10


def test_no_jobs_are_an_empty_file() -> None:
    assert export.as_csv(()).strip() == ""
    assert json.loads(export.as_json(())) == []
