"""Enqueueing: by name and JSON, and by each task's own typed mutation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.api import STORE, Api, bearer
from taskengine.retries import Backoff
from taskengine_api.roles import Role

BY_NAME = """
mutation ($task: String!, $args: JSON!, $options: EnqueueOptions) {
  enqueueJob(input: { task: $task, args: $args, options: $options }) {
    job { id state args priority tags maxAttempts timeoutSeconds runAt queue { name } task { name } }
    errors {
      __typename code message path
      ... on ValidationError { constraint } ... on LimitError { retryAfterSeconds }
    }
  }
}
"""
TYPED = """
mutation ($args: UniversalArgs!, $options: EnqueueOptions) {
  enqueueUniversal(input: { args: $args, options: $options }) {
    job { id state args }
    errors { __typename code message path }
  }
}
"""


async def by_name(api: Api, task: str = "universal", args: Any = None, **options: Any) -> dict[str, Any]:
    return (await api.data(BY_NAME, task=task, args={} if args is None else args, options=options))["enqueueJob"]


async def typed(api: Api, **args: Any) -> dict[str, Any]:
    return (await api.data(TYPED, args=args))["enqueueUniversal"]


async def error_of(api: Api, task: str = "universal", args: Any = None, **options: Any) -> dict[str, Any]:
    """The one error that enqueueing ends in; nothing may have changed."""
    payload = await by_name(api, task, args, **options)
    assert payload["job"] is None
    assert (await api.data("{ jobs { totalCount } }")) == {"jobs": {"totalCount": 0}}
    (error,) = payload["errors"]
    return error


async def test_a_job_is_enqueued_by_name_and_json(api: Api) -> None:
    payload = await by_name(api, args={"value": {"deep": [1, None]}})
    assert payload["errors"] == []
    assert payload["job"]["state"] == "QUEUED"
    assert payload["job"]["args"] == {"value": {"deep": [1, None]}}
    assert payload["job"]["task"] == {"name": "universal"}


async def test_a_job_is_enqueued_by_the_typed_mutation_of_its_task(api: Api) -> None:
    payload = await typed(api, to=["a", "b"], times=2**40)
    assert payload["errors"] == []
    assert payload["job"]["args"] == {"to": ["a", "b"], "times": 2**40, "value": None}


async def test_literals_and_variables_may_be_mixed(api: Api) -> None:
    document = """
      mutation ($who: String!) {
        enqueueUniversal(input: { args: { to: ["a", $who], value: { x: 1.5, y: [$who] } }, options: { priority: 9 } }) {
          job { args priority }
        }
      }
    """
    job = (await api.data(document, who="b"))["enqueueUniversal"]["job"]
    assert job == {"args": {"to": ["a", "b"], "value": {"x": 1.5, "y": ["b"]}, "times": 1}, "priority": 9}


async def test_every_option_reaches_the_job(api: Api) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    payload = await by_name(
        api, queue="slow", priority=9, runAt=at.isoformat(), maxAttempts=7, timeoutSeconds=1.5, tags=["a", "b"]
    )
    job = payload["job"]
    assert (job["state"], job["queue"], job["priority"]) == ("SCHEDULED", {"name": "slow"}, 9)
    assert (job["maxAttempts"], job["timeoutSeconds"], job["tags"]) == (7, 1.5, ["a", "b"])
    assert datetime.fromisoformat(job["runAt"]) == at


async def test_a_delay_is_a_wait_from_now(api: Api) -> None:
    job = (await by_name(api, delaySeconds=60))["job"]
    assert job["state"] == "SCHEDULED"
    wait = datetime.fromisoformat(job["runAt"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < wait < timedelta(seconds=70)


async def test_an_unknown_task_is_not_found(api: Api) -> None:
    error = await error_of(api, "univresal")
    assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", ["task"])
    assert "did you mean 'universal'?" in error["message"]


async def test_a_wrong_type_is_named_with_its_path(api: Api) -> None:
    error = await error_of(api, args={"to": ["a", 5]})
    assert (error["__typename"], error["code"]) == ("ValidationError", "INVALID")
    assert error["path"][:2] == ["args", "to"]


async def test_a_missing_argument_is_named(api: Api, redis: Redis) -> None:
    from support.api import a_task, publish

    def needs(first_name: str) -> None:
        """Need it."""
        del first_name

    publish(redis, a_task("needs", needs))
    error = await error_of(api, "needs")
    assert (error["path"], error["message"]) == (["args", "first_name"], "is required")


async def test_an_argument_that_there_is_not_is_named(api: Api) -> None:
    assert (await error_of(api, args={"vlaue": 1}))["path"] == ["args", "vlaue"]


@pytest.mark.parametrize("args", [[], "x", 1, True])
async def test_arguments_that_are_no_object_are_refused(api: Api, args: Any) -> None:
    assert (await error_of(api, args=args))["path"] == ["args"]


@pytest.mark.parametrize("priority", [0, 11, -1])
async def test_a_priority_is_from_1_to_10(api: Api, priority: int) -> None:
    error = await error_of(api, priority=priority)
    assert (error["code"], error["path"], error["constraint"]) == ("INVALID", ["options", "priority"], "1 to 10")


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"maxAttempts": 0}, "maxAttempts"),
        ({"timeoutSeconds": -1.0}, "timeoutSeconds"),
        ({"delaySeconds": -1.0}, "delaySeconds"),
        ({"queue": "no such/name"}, "queue"),
        ({"tags": [""]}, "tags"),
        ({"delaySeconds": 1.0, "runAt": "2030-01-01T00:00:00Z"}, "runAt"),
        ({"backoff": {"factor": 0.5}}, "backoff"),
    ],
    ids=str,
)
async def test_an_option_that_is_refused_is_named_as_it_was_written(
    api: Api, options: dict[str, Any], path: str
) -> None:
    assert (await error_of(api, **options))["path"][:2] == ["options", path]


BACKOFF = {"baseSeconds": 5, "factor": 3, "capSeconds": 60, "jitter": False}


async def test_how_long_it_waits_between_attempts_can_be_said_of_one_job(api: Api) -> None:
    by_its_task = (await by_name(api, maxAttempts=3))["job"]["id"]
    named = (await by_name(api, maxAttempts=3, backoff=BACKOFF))["job"]["id"]
    typed = (await api.data(TYPED, args={}, options={"backoff": BACKOFF}))["enqueueUniversal"]["job"]["id"]
    jobs = await api.client.get_jobs([by_its_task, named, typed])
    said = Backoff(base_seconds=5, factor=3, cap_seconds=60, jitter=False)
    assert [job.backoff for job in jobs if job is not None] == [None, said, said]


async def test_what_is_not_said_of_a_backoff_is_what_the_schema_says(api: Api) -> None:
    named = (await by_name(api, backoff={"baseSeconds": 5}))["job"]["id"]
    typed = (await api.data(TYPED, args={}, options={"backoff": {"baseSeconds": 5}}))["enqueueUniversal"]["job"]["id"]
    for job in await api.client.get_jobs([named, typed]):
        assert job is not None
        assert job.backoff == Backoff(base_seconds=5)


@pytest.mark.parametrize(
    ("backoff", "field", "constraint"),
    [
        ({"baseSeconds": -1}, "baseSeconds", "at least 0"),
        ({"factor": 0.5}, "factor", "at least 1"),
        ({"capSeconds": 1e300}, "capSeconds", "at most 1000000000"),
    ],
    ids=str,
)
async def test_a_backoff_that_is_refused_is_named_to_its_field(
    api: Api, backoff: dict[str, float], field: str, constraint: str
) -> None:
    error = await error_of(api, backoff=backoff)
    assert (error["code"], error["path"]) == ("INVALID", ["options", "backoff", field])
    assert error["constraint"] == constraint
    (typed,) = (await api.data(TYPED, args={}, options={"backoff": backoff}))["enqueueUniversal"]["errors"]
    assert typed["path"] == ["options", "backoff", field]


async def test_of_many_a_backoff_that_is_refused_keeps_no_other_out(api: Api) -> None:
    jobs = a_job(), a_job(backoff={"factor": 0}), a_job("nope")
    results = (await many(api, *jobs))["results"]
    assert [one["job"] is not None for one in results] == [True, False, False]
    path = ["jobs", "1", "options", "backoff", "factor"]
    assert results[1]["errors"][0]["path"] == path
    assert await count(api) == 1
    payload = await many(api, *jobs, atomic=True)
    assert payload["results"] == []
    assert [error["path"] for error in payload["errors"]] == [path, ["jobs", "2", "task"]]
    assert await count(api) == 1


async def test_a_large_argument_is_past_a_limit(api: Api) -> None:
    error = await error_of(api, args={"value": "x" * 300_000})
    assert (error["__typename"], error["code"], error["path"]) == ("LimitError", "LIMIT_EXCEEDED", ["args"])
    assert error["retryAfterSeconds"] is None
    assert "262,144" in error["message"]


async def test_a_huge_argument_is_past_the_limit_of_the_body(api: Api) -> None:
    body = {"query": BY_NAME, "variables": {"task": "universal", "args": {"value": "x" * 10_000_000}}}
    response = await api.post(body)
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"
    assert (await api.data("{ jobs { totalCount } }")) == {"jobs": {"totalCount": 0}}


async def test_several_things_that_are_wrong_are_all_named(api: Api) -> None:
    payload = await by_name(api, args={"to": 1, "times": "x"})
    assert sorted(error["path"][1] for error in payload["errors"]) == ["times", "to"]


async def test_the_path_of_a_typed_mutation_is_that_of_its_input(api: Api, redis: Redis) -> None:
    from typing import Annotated

    from pydantic import Field

    from support.api import a_task, has_field, publish

    def mail(first_name: Annotated[str, Field(min_length=3)]) -> None:
        """Mail."""
        del first_name

    publish(redis, a_task("mail", mail))
    await has_field(api, "enqueueMail")
    document = 'mutation { enqueueMail(input: { args: { firstName: "A" } }) { job { id } errors { path code } } }'
    assert (await api.data(document))["enqueueMail"] == {
        "job": None,
        "errors": [{"path": ["args", "firstName"], "code": "INVALID"}],
    }


async def test_options_of_a_typed_mutation_are_checked_alike(api: Api) -> None:
    data = await api.data(TYPED, args={}, options={"priority": 11})
    assert data["enqueueUniversal"]["errors"][0]["path"] == ["options", "priority"]


async def test_what_graphql_itself_refuses_says_where(api: Api) -> None:
    error = await api.error(TYPED, args={"to": 5.5})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "to" in error["message"]
    error = await api.error("mutation { enqueueUniversal(input: { args: { nope: 1 } }) { job { id } } }")
    assert error["extensions"]["code"] == "BAD_REQUEST"


async def test_several_mutations_in_one_document_fail_each_for_itself(api: Api) -> None:
    document = """
      mutation {
        bad: enqueueJob(input: { task: "nope", args: {} }) { job { id } errors { code } }
        good: enqueueJob(input: { task: "universal", args: {} }) { job { state } errors { code } }
      }
    """
    assert await api.data(document) == {
        "bad": {"job": None, "errors": [{"code": "NOT_FOUND"}]},
        "good": {"job": {"state": "QUEUED"}, "errors": []},
    }


MANY = """
mutation ($jobs: [EnqueueJobInput!]!, $atomic: Boolean! = false) {
  enqueueJobs(input: { jobs: $jobs, atomic: $atomic }) {
    results { job { id args } deduplicated errors { __typename code path } }
    errors {
      __typename code message path
      ... on ValidationError { constraint } ... on LimitError { retryAfterSeconds }
    }
  }
}
"""


def a_job(task: str = "universal", args: Any = None, **options: Any) -> dict[str, Any]:
    return {"task": task, "args": {} if args is None else args, "options": options}


async def many(api: Api, *jobs: dict[str, Any], **facts: Any) -> Any:
    return (await api.data(MANY, jobs=list(jobs), **facts))["enqueueJobs"]


async def count(api: Api) -> int:
    return (await api.client.count_jobs()).total


async def test_many_are_enqueued_in_the_order_given(api: Api) -> None:
    payload = await many(api, *(a_job(args={"times": number}) for number in range(3)))
    assert payload["errors"] == []
    assert [one["job"]["args"] for one in payload["results"]] == [{"times": 0}, {"times": 1}, {"times": 2}]
    assert [one["errors"] for one in payload["results"]] == [[], [], []]


@pytest.mark.parametrize("atomic", [False, True])
async def test_none_are_none(api: Api, *, atomic: bool) -> None:
    assert await many(api, atomic=atomic) == {"results": [], "errors": []}


async def test_one_that_is_refused_does_not_keep_the_others_out(api: Api) -> None:
    payload = await many(api, a_job(), a_job("nope"), a_job(args={"times": "x"}), a_job(dependsOn=["gone"]), a_job())
    assert payload["errors"] == []
    assert [one["job"] is not None for one in payload["results"]] == [True, False, False, False, True]
    refusals = [one["errors"][0] for one in payload["results"] if one["errors"]]
    assert [(error["__typename"], error["path"]) for error in refusals] == [
        ("NotFoundError", ["jobs", "1", "task"]),
        ("ValidationError", ["jobs", "2", "args", "times"]),
        ("ValidationError", ["jobs", "3", "options", "dependsOn"]),
    ]
    assert await count(api) == 2


async def test_all_or_nothing_is_nothing_when_one_is_refused(api: Api) -> None:
    payload = await many(api, a_job(), a_job("nope"), a_job(args={"times": "x"}), atomic=True)
    assert payload["results"] == []
    assert [(error["__typename"], error["path"]) for error in payload["errors"]] == [
        ("NotFoundError", ["jobs", "1", "task"]),
        ("ValidationError", ["jobs", "2", "args", "times"]),
    ]
    assert await count(api) == 0


async def test_all_or_nothing_says_which_one_waits_for_what_is_not_there(api: Api) -> None:
    payload = await many(api, a_job(), a_job(dependsOn=["gone"]), atomic=True)
    (error,) = payload["errors"]
    assert error["path"] == ["jobs", "1", "options", "dependsOn"]
    assert await count(api) == 0


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_thousand_are_the_most(api: Api, *, atomic: bool) -> None:
    payload = await many(api, *(a_job() for _ in range(1_001)), atomic=atomic)
    (error,) = payload["errors"]
    assert (error["path"], error["constraint"]) == (["jobs"], "at most 1000")
    assert await count(api) == 0
    payload = await many(api, *(a_job() for _ in range(1_000)), atomic=atomic)
    assert (len(payload["results"]), await count(api)) == (1_000, 1_000)


async def test_the_same_key_again_is_the_first_job(api: Api) -> None:
    first, second = (await many(api, a_job(idempotencyKey="k"), a_job(idempotencyKey="k")))["results"]
    assert (first["deduplicated"], second["deduplicated"]) == (False, True)
    assert first["job"]["id"] == second["job"]["id"]
    document = """
      mutation { enqueueUniversal(input: {options: {idempotencyKey: "k"}}) { deduplicated job { id idempotencyKey } } }
    """
    payload = (await api.data(document))["enqueueUniversal"]
    assert payload == {"deduplicated": True, "job": {"id": first["job"]["id"], "idempotencyKey": "k"}}


async def test_a_job_waits_for_another(api: Api) -> None:
    first = (await by_name(api))["job"]["id"]
    assert (await by_name(api, dependsOn=[first]))["job"]["state"] == "SCHEDULED"


async def test_a_job_that_was_not_started_in_time_expires(api: Api, redis: Redis) -> None:
    job_id = (await by_name(api, startBefore="2020-01-01T00:00:00Z"))["job"]["id"]
    STORE.promote_jobs(limit=10).run(redis)
    job = (await api.data("query ($id: ID!) { job(id: $id) { state cancelReason } }", id=job_id))["job"]
    assert job == {"state": "CANCELLED", "cancelReason": "expired"}


async def test_a_full_redis_takes_nothing_in(api: Api, redis: Redis) -> None:
    STORE.set_budget(1).run(redis)
    for payload in (await by_name(api), await many(api, a_job()), await many(api, a_job(), atomic=True)):
        (error,) = payload["errors"]
        assert (error["__typename"], error["code"]) == ("LimitError", "QUEUE_FULL")
        assert error["retryAfterSeconds"] == 1
    assert await count(api) == 0


RERUN = """
mutation ($id: ID!, $args: JSON, $options: EnqueueOptions) {
  rerunJob(input: { id: $id, args: $args, options: $options }) {
    job { id state args priority tags rerunOf { id } } errors { __typename code path }
  }
}
"""


async def rerun(api: Api, id: str, **facts: Any) -> Any:
    return (await api.data(RERUN, id=id, **facts))["rerunJob"]


async def test_a_job_is_repeated_as_it_was(api: Api) -> None:
    first = (await by_name(api, args={"times": 2}, priority=7, tags=["a"]))["job"]["id"]
    payload = await rerun(api, first)
    assert payload["errors"] == []
    assert payload["job"].pop("id") != first
    assert payload["job"] == {
        "state": "QUEUED",
        "args": {"times": 2},
        "priority": 7,
        "tags": ["a"],
        "rerunOf": {"id": first},
    }


async def test_a_job_is_repeated_with_changes(api: Api) -> None:
    first = (await by_name(api, args={"times": 2}))["job"]["id"]
    job = (await rerun(api, first, args={"times": 3}, options={"priority": 9}))["job"]
    assert (job["args"], job["priority"]) == ({"times": 3}, 9)


async def test_a_job_is_repeated_with_its_backoff_or_another(api: Api) -> None:
    first = (await by_name(api, backoff=BACKOFF))["job"]["id"]
    again = (await rerun(api, first))["job"]["id"]
    other = (await rerun(api, first, options={"backoff": {"baseSeconds": 9}}))["job"]["id"]
    backoffs = [job.backoff for job in await api.client.get_jobs([first, again, other]) if job is not None]
    assert backoffs[0] == backoffs[1] == Backoff(base_seconds=5, factor=3, cap_seconds=60, jitter=False)
    assert backoffs[2] == Backoff(base_seconds=9)


async def test_a_job_is_not_repeated_with_what_its_task_does_not_take(api: Api) -> None:
    first = (await by_name(api))["job"]["id"]
    (error,) = (await rerun(api, first, args={"times": "x"}))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["args", "times"])


async def test_a_job_that_is_gone_is_not_repeated(api: Api) -> None:
    (error,) = (await rerun(api, "job_nope"))["errors"]
    assert (error["__typename"], error["path"]) == ("NotFoundError", ["id"])


EVERY_WAY = """
mutation ($first: ID!) {
  byName: enqueueJob(input: { task: "universal", args: {} }) { job { enqueuedBy } }
  typed: enqueueUniversal(input: { args: {} }) { job { enqueuedBy } }
  each: enqueueJobs(input: { jobs: [{ task: "universal", args: {} }] }) { results { job { enqueuedBy } } }
  all: enqueueJobs(input: { jobs: [{ task: "universal", args: {} }], atomic: true }) { results { job { enqueuedBy } } }
  again: rerunJob(input: { id: $first }) { job { enqueuedBy } }
}
"""


async def test_each_way_to_enqueue_says_whose_key_it_was(api: Api) -> None:
    first = await api.enqueue()
    secret = await api.client.create_api_key("otto", Role.OPERATOR)
    answer = (await api.post({"query": EVERY_WAY, "variables": {"first": first}}, **bearer(secret))).json()
    by_otto = {"job": {"enqueuedBy": "otto"}}
    ways = {"byName": by_otto, "typed": by_otto, "again": by_otto}
    assert answer["data"] == {**ways, "each": {"results": [by_otto]}, "all": {"results": [by_otto]}}


async def test_without_keys_it_is_the_one_at_the_machine_and_past_the_api_nobody(api: Api) -> None:
    job_id = (await by_name(api))["job"]["id"]
    jobs = (await api.data("{ jobs { nodes { id enqueuedBy } } }"))["jobs"]["nodes"]
    assert jobs == [{"id": job_id, "enqueuedBy": "local"}]
    past = await api.enqueue()
    document = "query ($id: ID!) { job(id: $id) { enqueuedBy } }"
    assert (await api.data(document, id=past))["job"] == {"enqueuedBy": None}


async def test_who_enqueued_a_job_is_told_to_viewers_too(api: Api) -> None:
    operator, viewer = [
        await api.client.create_api_key(name, role) for name, role in (("otto", Role.OPERATOR), ("vera", Role.VIEWER))
    ]
    document = 'mutation { enqueueJob(input: { task: "universal", args: {} }) { job { id } } }'
    made = (await api.post({"query": document}, **bearer(operator))).json()["data"]["enqueueJob"]["job"]["id"]
    asked = {"query": "query ($id: ID!) { viewer { role } job(id: $id) { enqueuedBy } }", "variables": {"id": made}}
    answer = (await api.post(asked, **bearer(viewer))).json()
    assert answer["data"] == {"viewer": {"role": "VIEWER"}, "job": {"enqueuedBy": "otto"}}


async def test_enqueueing_is_told_by_the_record_and_not_by_the_audit(api: Api) -> None:
    await by_name(api)
    assert (await api.client.list_audit_entries()).entries == ()


async def test_repeating_is_written_down(api: Api) -> None:
    first = (await by_name(api))["job"]["id"]
    second = (await rerun(api, first))["job"]["id"]
    (entry,) = (await api.data("{ auditEntries { nodes { viewer action subject details } } }"))["auditEntries"]["nodes"]
    assert entry == {
        "viewer": "local",
        "action": "rerun_job",
        "subject": first,
        "details": {"job": second, "jobs": 1, "task": "universal"},
    }
