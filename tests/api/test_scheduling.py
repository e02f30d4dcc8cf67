"""Schedules: made, changed, run, deleted and told of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from support.api import Api
from taskengine.jobs import Options

FIELDS = "id name task { name } cron everySeconds timezone summary args enabled declared nextRunAt lastJob { id }"
ERRORS = "errors { __typename code message path ... on ValidationError { constraint } }"
CREATE = f"""
mutation ($input: CreateScheduleInput!) {{ createSchedule(input: $input) {{ schedule {{ {FIELDS} }} {ERRORS} }} }}
"""
UPDATE = f"""
mutation ($input: UpdateScheduleInput!) {{ updateSchedule(input: $input) {{ schedule {{ {FIELDS} }} {ERRORS} }} }}
"""
DELETE = f"mutation ($id: ID!) {{ deleteSchedule(input: {{ id: $id }}) {{ deletedId {ERRORS} }} }}"
RUN = f"""
mutation ($id: ID!) {{
  runSchedule(input: {{ id: $id }}) {{ job {{ id state args schedule {{ name }} }} {ERRORS} }}
}}
"""


async def create(api: Api, **input: Any) -> Any:
    wanted = {"name": "nightly", "task": "universal", "args": {"times": 2}, **input}
    return (await api.data(CREATE, input=wanted))["createSchedule"]


async def update(api: Api, **input: Any) -> Any:
    return (await api.data(UPDATE, input={"id": "schedule_nightly", **input}))["updateSchedule"]


async def test_a_schedule_is_made_with_all_that_it_says(api: Api) -> None:
    payload = await create(api, cron="30 2 * * *", timezone="Europe/Berlin")
    assert payload["errors"] == []
    schedule = payload["schedule"]
    assert datetime.fromisoformat(schedule.pop("nextRunAt")) > datetime.now(UTC)
    assert "02:30" in schedule.pop("summary")
    assert schedule == {
        "id": "schedule_nightly",
        "name": "nightly",
        "task": {"name": "universal"},
        "cron": "30 2 * * *",
        "everySeconds": None,
        "timezone": "Europe/Berlin",
        "args": {"times": 2},
        "enabled": True,
        "declared": False,
        "lastJob": None,
    }


async def test_a_schedule_may_have_an_interval_and_options(api: Api) -> None:
    payload = await create(api, everySeconds=60, options={"queue": "slow", "priority": 9})
    assert (payload["errors"], payload["schedule"]["everySeconds"]) == ([], 60)
    job = (await api.data(RUN, id="schedule_nightly"))["runSchedule"]["job"]
    found = await api.data("query ($id: ID!) { job(id: $id) { priority queue { name } } }", id=job["id"])
    assert found["job"] == {"priority": 9, "queue": {"name": "slow"}}


@pytest.mark.parametrize(
    ("input", "kind", "path"),
    [
        ({}, "ValidationError", ["cron"]),
        ({"cron": "* * * * *", "everySeconds": 60}, "ValidationError", ["cron"]),
        ({"cron": "61 * * * *"}, "ValidationError", ["cron"]),
        ({"everySeconds": 0.5}, "ValidationError", ["everySeconds"]),
        ({"everySeconds": 60, "timezone": "Mars/Base"}, "ValidationError", ["timezone"]),
        ({"everySeconds": 60, "name": "a b"}, "ValidationError", ["name"]),
        ({"everySeconds": 60, "task": "nope"}, "NotFoundError", ["task"]),
        ({"everySeconds": 60, "args": {"times": "x"}}, "ValidationError", ["args", "times"]),
        ({"everySeconds": 60, "options": {"delaySeconds": 3}}, "ValidationError", ["options", "delaySeconds"]),
        ({"everySeconds": 60, "options": {"priority": 11}}, "ValidationError", ["options", "priority"]),
    ],
)
async def test_what_no_schedule_can_be_is_refused(api: Api, input: dict[str, Any], kind: str, path: list[str]) -> None:
    payload = await create(api, **input)
    (error,) = payload["errors"]
    assert (payload["schedule"], error["__typename"], error["path"]) == (None, kind, path)
    assert await api.data("{ schedules { name } }") == {"schedules": []}


async def test_another_of_the_same_name_is_refused(api: Api) -> None:
    await create(api, everySeconds=60)
    (error,) = (await create(api, everySeconds=90))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["name"])


async def test_a_change_leaves_what_it_does_not_say(api: Api) -> None:
    await create(api, cron="30 2 * * *")
    payload = await update(api, enabled=False)
    assert payload["errors"] == []
    assert (payload["schedule"]["enabled"], payload["schedule"]["nextRunAt"]) == (False, None)
    assert (payload["schedule"]["cron"], payload["schedule"]["args"]) == ("30 2 * * *", {"times": 2})


async def test_an_interval_takes_the_place_of_a_cron_rule(api: Api) -> None:
    await create(api, cron="30 2 * * *")
    schedule = (await update(api, everySeconds=60, args={"times": 3}))["schedule"]
    assert (schedule["cron"], schedule["everySeconds"], schedule["args"]) == (None, 60, {"times": 3})


async def test_a_run_is_a_job_of_the_schedule_and_its_last(api: Api) -> None:
    await create(api, everySeconds=3_600)
    payload = (await api.data(RUN, id="schedule_nightly"))["runSchedule"]
    assert payload["errors"] == []
    assert (payload["job"]["state"], payload["job"]["args"]) == ("QUEUED", {"times": 2})
    assert payload["job"]["schedule"] == {"name": "nightly"}
    (schedule,) = (await api.data(f"{{ schedules {{ {FIELDS} }} }}"))["schedules"]
    assert schedule["lastJob"] == {"id": payload["job"]["id"]}


async def test_a_schedule_has_its_jobs_by_page(api: Api) -> None:
    await create(api, everySeconds=3_600)
    made = [(await api.data(RUN, id="schedule_nightly"))["runSchedule"]["job"]["id"] for _ in range(3)]
    await api.enqueue(options=Options())
    document = """
      query ($after: String) {
        schedules { jobs(first: 2, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }
      }
    """
    (first,) = (await api.data(document))["schedules"]
    assert ([job["id"] for job in first["jobs"]["nodes"]], first["jobs"]["totalCount"]) == ([made[2], made[1]], 3)
    (second,) = (await api.data(document, after=first["jobs"]["pageInfo"]["endCursor"]))["schedules"]
    assert [job["id"] for job in second["jobs"]["nodes"]] == [made[0]]


async def test_a_deleted_schedule_is_gone_and_its_jobs_stay(api: Api) -> None:
    await create(api, everySeconds=3_600)
    job = (await api.data(RUN, id="schedule_nightly"))["runSchedule"]["job"]
    payload = (await api.data(DELETE, id="schedule_nightly"))["deleteSchedule"]
    assert payload == {"deletedId": "schedule_nightly", "errors": []}
    found = await api.data("query ($id: ID!) { schedules { id } job(id: $id) { schedule { id } state } }", id=job["id"])
    assert found == {"schedules": [], "job": {"schedule": None, "state": "QUEUED"}}


@pytest.mark.parametrize("id", ["schedule_nope", "nope", "queue_default", "schedule_", ""])
async def test_a_schedule_that_is_not_there_is_not_found(api: Api, id: str) -> None:
    payloads = [
        (await api.data(DELETE, id=id))["deleteSchedule"],
        (await api.data(RUN, id=id))["runSchedule"],
        await update(api, id=id, enabled=False),
    ]
    for payload in payloads:
        (error,) = payload["errors"]
        assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", ["id"])


async def test_a_schedule_is_a_node(api: Api) -> None:
    await create(api, everySeconds=60)
    document = "query ($id: ID!) { node(id: $id) { ... on Schedule { name } } }"
    assert (await api.data(document, id="schedule_nightly"))["node"] == {"name": "nightly"}
    assert await api.data(document, id="schedule_nope") == {"node": None}


async def test_what_is_done_to_a_schedule_is_written_down(api: Api) -> None:
    await create(api, everySeconds=60)
    await update(api, enabled=False)
    await api.data(RUN, id="schedule_nightly")
    await api.data(DELETE, id="schedule_nightly")
    entries = (await api.data("{ auditEntries { nodes { viewer action subject } } }"))["auditEntries"]["nodes"]
    assert [entry["action"] for entry in entries] == [
        "delete_schedule",
        "run_schedule",
        "update_schedule",
        "create_schedule",
    ]
    assert {(entry["viewer"], entry["subject"]) for entry in entries} == {("local", "nightly")}
