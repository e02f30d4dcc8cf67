"""What each role may do: said in the description of each field, and held before anything is done."""

import re
from typing import Any, cast

import pytest
from redis import Redis

from support.api import Api, asked_by, end, run
from taskengine.audit import list_entries
from taskengine.keys import Keys
from taskengine.store import Ending
from taskengine_api.roles import Forbidden, Role, Viewer, needed_of
from taskengine_api.schema.build import Schema
from taskengine_api.schema.roots import Mutation

ADMINS = {"clearHistory", "deleteJobs", "updateQueue"}
"""Mutations that remove many jobs or set limits. All others need an operator."""
FIELDS = cast(Any, Mutation).__strawberry_definition__.fields


def test_each_role_covers_those_before_it() -> None:
    covered = {role: [other for other in Role if role.covers(other)] for role in Role}
    assert covered == {
        Role.VIEWER: [Role.VIEWER],
        Role.OPERATOR: [Role.VIEWER, Role.OPERATOR],
        Role.ADMIN: [Role.VIEWER, Role.OPERATOR, Role.ADMIN],
    }


@pytest.mark.parametrize("field", FIELDS, ids=[field.python_name for field in FIELDS])
def test_every_mutation_says_what_it_needs_and_asks_for_that(field: Any) -> None:
    needed = needed_of(field)
    assert needed is not None
    assert re.search(r"Needs ([A-Z]+)\.$", field.description or "") is not None, field.description
    assert field.description.endswith(f"Needs {needed}.")


def test_mutations_of_many_jobs_and_of_limits_need_an_admin_and_others_an_operator() -> None:
    mutation = Schema().core.mutation_type
    assert mutation is not None
    said = {name: field.description.rpartition(" ")[2] for name, field in mutation.fields.items() if field.description}
    assert said == {name: "ADMIN." if name in ADMINS else "OPERATOR." for name in mutation.fields}


async def test_a_mutation_refuses_a_viewer_with_an_error_of_its_payload_and_changes_nothing(api: Api) -> None:
    job_id = await api.enqueue()
    document = """
      mutation ($id: ID!) { cancelJob(input: {id: $id}) {
        job { id } errors { __typename code message path ... on ForbiddenError { neededRole } }
      } }
    """
    result = await asked_by(api, Role.VIEWER, document, id=job_id)
    assert result.errors is None
    assert result.data["cancelJob"] == {
        "job": None,
        "errors": [
            {
                "__typename": "ForbiddenError",
                "code": "FORBIDDEN",
                "message": "this needs OPERATOR; 'vera' is VIEWER",
                "path": None,
                "neededRole": "OPERATOR",
            }
        ],
    }
    assert (await api.data("query ($id: ID!) { job(id: $id) { state } }", id=job_id))["job"] == {"state": "QUEUED"}


async def test_a_typed_mutation_refuses_a_viewer_too(api: Api) -> None:
    document = "mutation { enqueueUniversal(input: {}) { job { id } errors { code } } }"
    result = await asked_by(api, Role.VIEWER, document)
    assert result.data["enqueueUniversal"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
    assert (await api.data("{ counts { queued } }"))["counts"] == {"queued": 0}


async def test_a_typed_mutation_says_what_it_needs(api: Api) -> None:
    fields = (await api.data('{ __type(name: "Mutation") { fields { name description } } }'))["__type"]["fields"]
    said = {field["name"]: field["description"] for field in fields}
    assert said["enqueueUniversal"] == "Do as told.\n\nEnqueues `universal`. Needs OPERATOR."


async def test_an_operator_steers_jobs_and_clears_no_history(api: Api) -> None:
    job_id = await api.enqueue()
    document = """
      mutation ($id: ID!) {
        cancelJob(input: {id: $id}) { job { state } errors { code } }
        clearHistory(input: {}) { operation { matched } errors { code } }
      }
    """
    result = await asked_by(api, Role.OPERATOR, document, id=job_id)
    assert result.data == {
        "cancelJob": {"job": {"state": "CANCELLED"}, "errors": []},
        "clearHistory": {"operation": None, "errors": [{"code": "FORBIDDEN"}]},
    }


async def test_tracebacks_are_for_operators(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    document = "query ($id: ID!) { job(id: $id) { error { message traceback } } }"
    for role, shown in ((Role.VIEWER, None), (Role.OPERATOR, "Traceback: as told")):
        result = await asked_by(api, role, document, id=job_id)
        assert result.data == {"job": {"error": {"message": "as told", "traceback": shown}}}


async def test_what_can_be_done_to_a_job_is_what_the_viewer_can_do(api: Api) -> None:
    job_id = await api.enqueue()
    document = "query ($id: ID!) { viewer { name role } job(id: $id) { viewerCanCancel viewerCanRetry } }"
    for role, can in ((Role.VIEWER, False), (Role.OPERATOR, True)):
        result = await asked_by(api, role, document, id=job_id)
        assert result.data == {
            "viewer": {"name": "vera", "role": role},
            "job": {"viewerCanCancel": can, "viewerCanRetry": False},
        }


async def test_what_is_done_is_written_down_under_the_viewers_name(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    await asked_by(api, Role.ADMIN, "mutation ($id: ID!) { cancelJob(input: {id: $id}) { job { id } } }", id=job_id)
    await asked_by(api, Role.ADMIN, "mutation { clearHistory(input: {}) { operation { id } } }")
    entries = list_entries(Keys("default"), cursor=None, limit=10).run(redis).entries
    assert [(entry.by, entry.action) for entry in entries] == [("vera", "clear_history"), ("vera", "cancel_job")]


async def test_without_keys_whoever_is_on_the_machine_is_an_admin(api: Api) -> None:
    assert await api.data("{ viewer { name role } }") == {"viewer": {"name": "local", "role": "ADMIN"}}


def test_part_of_an_input_may_need_more_than_the_rest() -> None:
    with pytest.raises(Forbidden, match="concurrencyLimit needs ADMIN; 'vera' is OPERATOR"):
        Viewer("vera", Role.OPERATOR).check(Role.ADMIN, "concurrencyLimit")
