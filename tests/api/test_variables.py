"""How much the variables of an operation may hold, counted by their types before any is read."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from support.api import Api
from taskengine_api.schema.build import Schema
from taskengine_api.variables import excess_of_values

SCHEMA = Schema().core
JOBS = "mutation ($i: EnqueueJobsInput!) { enqueueJobs(input: $i) { errors { code } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
PAGE = "query ($f: JobFilter, $n: Int) { jobs(filter: $f, first: $n) { totalCount } }"


def excess(document: str, limit: int, **variables: Any) -> str | None:
    (operation,) = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    error = excess_of_values(SCHEMA, operation, variables, limit)
    return None if error is None else error.message


@pytest.mark.parametrize(
    ("document", "variables", "values"),
    [
        (PAGE, {}, 0),
        (PAGE, {"f": None, "n": 1}, 2),
        (PAGE, {"f": {"states": ["QUEUED"], "priority": {"gte": 1, "lte": 2}}, "n": 1}, 7),
        (PAGE, {"f": {"argsContain": {"a": [1, 2, 3, {"b": [4]}]}}}, 3),
        (NODES, {"ids": ["a"] * 20}, 21),
        (NODES, {"ids": "a"}, 1),
        (JOBS, {"i": {"jobs": [{"task": "t", "args": {"many": [1] * 100}}] * 5}}, 17),
    ],
)
def test_each_value_of_a_type_of_ours_counts(document: str, variables: dict[str, Any], values: int) -> None:
    assert excess(document, values, **variables) is None
    if values:
        words = f"at most {values - 1:,} values are allowed, in all variables together"
        assert words in str(excess(document, values - 1, **variables))


def test_what_no_variable_is_there_for_is_not_looked_at() -> None:
    assert excess(PAGE, 2, other=[1] * 100) is None


def test_an_object_with_more_fields_than_there_are_is_not_read_field_by_field() -> None:
    problem = excess(PAGE, 1_000, f={f"k{n}": 1 for n in range(100)})
    assert problem is not None
    assert problem.startswith("variable $f has 100 fields where a JobFilter has ")


def test_a_value_of_another_form_is_left_to_whoever_reads_it() -> None:
    assert excess(JOBS, 10, i=["not an object"]) is None
    assert excess(PAGE, 10, f="x", n={"a": 1}) is None


async def test_what_holds_too_much_is_refused_before_it_is_read(api: Api) -> None:
    error = await api.error(NODES, ids=["a"] * 20_000)
    assert error["message"] == (
        "variable $ids holds too much: at most 20,000 values are allowed, in all variables together"
    )
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}


async def test_the_most_jobs_that_can_be_enqueued_at_once_are_within_it(api: Api) -> None:
    options = {"priority": 5, "tags": ["a", "b"], "delaySeconds": 1, "maxAttempts": 2, "timeoutSeconds": 5}
    one = {"task": "universal", "args": {"to": ["a"] * 5}, "options": options}
    assert (await api.data(JOBS, i={"jobs": [one] * 1_000}))["enqueueJobs"] == {"errors": []}
