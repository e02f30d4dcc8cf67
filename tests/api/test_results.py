"""Answers that are kept for a moment: only for who says that some age will do, and never for anyone else."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from support.api import Api, a_socket, running_api, serving
from taskengine_api.bodies import write_json
from taskengine_api.results import Results, accepted_age
from taskengine_api.roles import Role, Viewer
from taskengine_api.settings import ApiSettings

COUNTS = "{ counts { queued } }"
AGE = {"Cache_Control": "max-age=60"}
CANCEL = "mutation ($job: ID!) { cancelJob(input: { id: $job }) { job { state } } }"


@pytest.fixture
async def keeping(redis_url: str, catalogue: None) -> AsyncGenerator[Api]:
    """An API that keeps answers as long as a test takes."""
    async with running_api(redis_url, api=ApiSettings(catalogue_seconds=60, cache_seconds=60)) as api:
        yield api


async def queued(api: Api, document: str = COUNTS, **headers: str) -> Any:
    return (await api.post({"query": document}, **headers)).json()["data"]["counts"]["queued"]


async def test_who_says_nothing_gets_what_is_so_now(keeping: Api) -> None:
    assert await queued(keeping) == 0
    await keeping.enqueue()
    assert await queued(keeping) == 1


async def test_who_says_that_some_age_will_do_gets_what_the_last_one_got(keeping: Api) -> None:
    assert await queued(keeping, **AGE) == 0
    await keeping.enqueue()
    assert await queued(keeping, **AGE) == 0
    assert await queued(keeping) == 1


async def test_a_kept_answer_is_the_same_to_the_byte(keeping: Api) -> None:
    document = "{ jobs { nodes { id args } } counts { queued } }"
    await keeping.enqueue(value=2**70, to=["ä"])
    first, again, fresh = [await keeping.post({"query": document}, **age) for age in (AGE, AGE, {})]
    # Without what the first one cost.
    assert first.content.startswith(again.content[:-1])
    assert first.json()["data"] == fresh.json()["data"]


@pytest.mark.parametrize(
    "other",
    [
        {"query": "query Other { counts { queued } }"},
        {"query": COUNTS, "variables": {"a": 1}},
        {"query": "query A { __typename } query B { counts { queued } }", "operationName": "B"},
    ],
    ids=["document", "variables", "operation"],
)
async def test_what_differs_in_anything_is_asked_anew(keeping: Api, other: dict[str, Any]) -> None:
    assert await queued(keeping, **AGE) == 0
    await keeping.enqueue()
    assert (await keeping.post(other, **AGE)).json()["data"]["counts"]["queued"] == 1


async def test_a_mutation_ends_what_was_kept(keeping: Api) -> None:
    job_id = await keeping.enqueue()
    assert await queued(keeping, **AGE) == 1
    await keeping.data(CANCEL, job=job_id)
    assert await queued(keeping, **AGE) == 0


async def test_a_mutation_over_a_socket_does_too(keeping: Api) -> None:
    job_id = await keeping.enqueue()
    assert await queued(keeping, **AGE) == 1
    async with serving(keeping.app) as address, a_socket(address) as socket:
        await socket.subscribe(CANCEL, job=job_id)
        await socket.next()
        await socket.receive()
    assert await queued(keeping, **AGE) == 0


async def test_an_answer_with_an_error_is_not_kept(keeping: Api) -> None:
    document = "query ($first: Int) { jobs(first: $first) { totalCount } }"
    for _ in range(2):
        answer = (await keeping.post({"query": document, "variables": {"first": 0}}, **AGE)).json()
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_it_can_be_turned_off(redis_url: str, catalogue: None) -> None:
    async with running_api(redis_url, api=ApiSettings(cache_seconds=0)) as api:
        assert await queued(api, **AGE) == 0
        await api.enqueue()
        assert await queued(api, **AGE) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("no-cache", 0),
        ("max-age=0", 0),
        ("max-age=1", 1),
        ("Max-Age=5, no-transform", 5),
        ("no-cache, max-age=5", 0),
        ("s-max-age=5", 0),
        ("max-age=-1", 0),
        ("max-age=soon", 0),
    ],
)
def test_the_age_that_will_do_is_read_from_the_request(header: str | None, seconds: float) -> None:
    assert accepted_age(header) == seconds


# In itself


async def answer_of(results: Results, key: object, data: Any, seconds: float = 60) -> bytes:
    async def work() -> ExecutionResult:
        return ExecutionResult(data=data, errors=None)

    return write_json((await results.answer(key, seconds, work)).data)


async def test_another_viewer_never_gets_it() -> None:
    results = Results()
    viewers = [Viewer("a", Role.VIEWER), Viewer("a", Role.ADMIN), Viewer("b", Role.VIEWER)]
    answers = [await answer_of(results, (viewer, "{ x }"), number) for number, viewer in enumerate(viewers)]
    assert answers == [b"0", b"1", b"2"]


async def test_an_older_one_is_not_given() -> None:
    results = Results()
    assert await answer_of(results, "k", 1) == b"1"
    assert await answer_of(results, "k", 2, seconds=0) == b"2"


async def test_what_a_change_overtook_is_not_kept() -> None:
    results = Results()

    async def overtaken() -> ExecutionResult:
        results.forget()
        return ExecutionResult(data=1, errors=None)

    await results.answer("k", 60, overtaken)
    assert len(results) == 0


async def test_they_take_no_more_than_so_many_bytes() -> None:
    results = Results(max_bytes=1_000)
    for number in range(100):
        await answer_of(results, number, "x" * 98)
    assert len(results) == 10
    await answer_of(results, "large", "x" * 2_000)
    assert len(results) == 0
