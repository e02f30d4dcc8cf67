"""Fingerprints of failures, and what the client does with a group of them."""

import importlib.util
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType, TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from support.bench import Bench
from support.failing import GROUP, a_failed_job, failed_jobs
from support.jobs import FAILED, KEYS, QUEUED, find, get
from taskengine import Client, InvalidInput
from taskengine.bulk import BulkKind, BulkState
from taskengine.check import check
from taskengine.failures import cursor_of, folded, group_id, place_of
from taskengine.filters import JobFilter


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


# The message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("order 4711 is 3.5 late", "order # is # late"),
        ("no 'blue widget' in \"stock\"", "no '…' in '…'"),
        ("<Job object at 0x7f3a9c1b2d30>", "<Job object at #>"),
        ("user 550e8400-e29b-41d4-a716-446655440000 is gone", "user # is gone"),
        ("there is no job_01hzy3v5t8e9rabcdefghjkmnp", "there is no #"),
        ("commit deadbeef42 not found", "commit # not found"),
        ("at 2026-11-24 05:31:07", "at # #"),
        ("connect to 10.0.0.7:5432 failed", "connect to # failed"),
        ("two\n  lines", "two lines"),
        ("don't or can't", "don't or can't"),
        ("added faces", "added faces"),
        ("", ""),
    ],
)
def test_what_differs_from_one_failure_to_the_next_is_folded(message: str, expected: str) -> None:
    assert folded(message) == expected


@given(number=st.integers(0), name=st.from_regex(r"[a-z ]{1,20}", fullmatch=True))
def test_messages_that_differ_in_numbers_and_quotes_alone_fold_to_one(number: int, name: str) -> None:
    assert folded(f"order {number} of '{name}' failed") == "order # of '…' failed"


@given(message=st.text())
def test_folding_twice_is_folding_once(message: str) -> None:
    assert folded(folded(message)) == folded(message)


# The place

CODE = """
def outer(inner):
    return inner()

class Mailer:
    def send(self):
        raise ValueError("as told")

def parse():
    import json
    json.loads("{")
"""


def a_module(directory: Path, name: str, *, package: bool = False) -> ModuleType:
    """A user's module with ``CODE``."""
    path = (
        directory.joinpath(*name.split(".")) / "__init__.py"
        if package
        else directory.joinpath(*name.split(".")).with_suffix(".py")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CODE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def frames_of(call: Callable[[], object]) -> TracebackType | None:
    """The traceback of what a call raises, without this function and pytest's."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it raises
        call()
    assert raised.tb is not None
    return raised.tb.tb_next


def test_the_place_is_where_it_was_raised(tmp_path: Path) -> None:
    shop = a_module(tmp_path, "shop.mail")
    assert place_of(frames_of(lambda: shop.outer(shop.Mailer().send))) == "shop/mail.py:7 in Mailer.send"


def test_the_place_is_the_last_of_the_users_own_not_the_librarys(tmp_path: Path) -> None:
    assert place_of(frames_of(a_module(tmp_path, "shop.mail").parse)) == "shop/mail.py:11 in parse"


def test_an_installed_library_is_not_the_users_own(tmp_path: Path) -> None:
    shop = a_module(tmp_path, "shop.mail")
    library = a_module(tmp_path / "site-packages", "smtp.client")
    assert place_of(frames_of(lambda: shop.outer(library.Mailer().send))).startswith("shop/mail.py:3 in outer")  # pyright: ignore[reportOptionalMemberAccess]


def test_code_that_is_installed_itself_is_the_users_own(tmp_path: Path) -> None:
    shop = a_module(tmp_path / "site-packages", "shop.mail")
    library = a_module(tmp_path / "site-packages", "smtp.client")
    frames = frames_of(lambda: shop.outer(library.Mailer().send))
    assert frames is not None
    assert place_of(frames.tb_next) == "shop/mail.py:3 in outer"  # this test's own frame is left out


def test_a_package_is_named_by_its_file(tmp_path: Path) -> None:
    assert (
        place_of(frames_of(a_module(tmp_path, "shop", package=True).Mailer().send))
        == "shop/__init__.py:7 in Mailer.send"
    )


def test_the_place_is_the_same_wherever_the_code_lies(tmp_path: Path) -> None:
    here, there = (a_module(tmp_path / place, "shop.mail") for place in ("app", "srv/app-2"))
    assert place_of(frames_of(here.Mailer().send)) == place_of(frames_of(there.Mailer().send))


def test_a_failure_in_no_code_of_the_users_has_no_place() -> None:
    assert place_of(frames_of(lambda: json.loads("{")).tb_next) is None  # pyright: ignore[reportOptionalMemberAccess]
    assert place_of(None) is None


# The group


@given(line=st.integers(1, 10_000), other=st.integers(1, 10_000))
def test_a_line_that_moves_makes_no_new_group(line: int, other: int) -> None:
    assert group_id("t", "E", f"a.py:{line} in f") == group_id("t", "E", f"a.py:{other} in f")


def test_task_exception_and_place_make_the_group() -> None:
    groups = {
        group_id(task, error, place)
        for task in "ab"
        for error in "EF"
        for place in ("a.py:1 in f", "a.py:1 in g", None)
    }
    assert len(groups) == 12


def test_a_failed_run_is_grouped_by_where_the_task_was(bench: Bench) -> None:
    @bench.engine.task(name="work")
    def work(n: int) -> None:
        raise ValueError(f"no {n}")

    for n in (1, 2):
        work(n)
    jobs = [bench.run(), bench.run()]
    assert jobs[0].error is not None
    assert jobs[0].error.place is not None
    assert jobs[0].error.place.endswith("in test_a_failed_run_is_grouped_by_where_the_task_was.<locals>.work")
    assert jobs[0].failure_group == jobs[1].failure_group == group_id("work", "ValueError", jobs[0].error.place)


# From outside


async def test_groups_can_be_listed_by_pages(client: Client, redis: Redis) -> None:
    for exception in "abc":
        a_failed_job(redis, exception, exception=exception)
    first = await client.list_failure_groups(first=2)
    rest = await client.list_failure_groups(first=2, after=cursor_of(first.groups[-1]))
    back = await client.list_failure_groups(last=1, before=cursor_of(rest.groups[0]))
    assert [group.exception for group in (*first.groups, *rest.groups, *back.groups)] == ["c", "b", "a", "b"]


async def test_a_group_can_be_looked_at(client: Client, redis: Redis) -> None:
    a_failed_job(redis)
    group = await client.get_failure_group(GROUP)
    assert group is not None
    assert (group.count, group.failed_jobs) == (1, 1)
    assert await client.get_failure_group(group_id("t", "Gone", None)) is None


async def test_the_jobs_of_a_group_can_be_walked(client: Client, redis: Redis) -> None:
    for job_id in "abc":
        a_failed_job(redis, job_id)
    first = await client.list_failed_jobs(GROUP, first=2)
    assert [job_id for job_id, _ in first] == ["a", "b"]
    assert [job_id for job_id, _ in await client.list_failed_jobs(GROUP, after=first[-1][1])] == ["c"]


async def test_a_group_is_retried_as_a_change_to_many(client: Client, redis: Redis) -> None:
    for job_id in "abcde":
        a_failed_job(redis, job_id)
    a_failed_job(redis, "other", exception="KeyError")
    operation = await client.retry_failure_group(GROUP, by="eve")
    assert (operation.kind, operation.state, operation.requested_by) == (BulkKind.RETRY, BulkState.DONE, "eve")
    assert (operation.matched, operation.changed, operation.skipped) == (5, 5, 0)
    assert {get(redis, job_id).state for job_id in "abcde"} == {QUEUED}
    assert get(redis, "other").state is FAILED
    (entry,) = (await client.list_audit_entries()).entries
    assert (entry.by, entry.action, entry.subject) == ("eve", "retry_failure_group", GROUP)
    assert (entry.details["operation"], entry.details["matched"]) == (operation.id, 5)


async def test_a_group_is_deleted_with_its_jobs(client: Client, redis: Redis) -> None:
    for job_id in "abcde":
        a_failed_job(redis, job_id)
    a_failed_job(redis, "other", exception="KeyError")
    assert (await client.delete_failure_group(GROUP)).changed == 5
    assert await client.get_failure_group(GROUP) is None
    assert [find(redis, job_id) for job_id in "abcde"] == [None] * 5
    assert get(redis, "other").state is FAILED
    assert failed_jobs(redis) == []
    assert check(redis, KEYS) == []


async def test_a_group_of_which_jobs_are_left_stays(client: Client, redis: Redis) -> None:
    a_failed_job(redis, "a")
    a_failed_job(redis, "b")
    matched, _ = await client.delete_jobs(JobFilter(failure_group=GROUP, ids=("a",)))
    assert matched == 1
    assert failed_jobs(redis) == ["b"]
    assert await client.get_failure_group(GROUP) is not None


@pytest.mark.parametrize(
    "method", ["get_failure_group", "retry_failure_group", "delete_failure_group", "list_failed_jobs"]
)
async def test_an_id_that_no_group_can_have_is_refused(client: Client, method: str) -> None:
    with pytest.raises(InvalidInput, match="expected fail_ and 16 hexadecimal digits, got 'j1'"):
        await getattr(client, method)("j1")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"after": "x y"}, "after"),
        ({"before": "-"}, "before"),
        ({"first": 0}, "first"),
        ({"last": 101}, "last"),
        ({"first": 1, "last": 1}, "last"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(client: Client, given: dict[str, object], path: str) -> None:
    for method in (client.list_failure_groups, client.list_audit_entries):
        with pytest.raises(InvalidInput) as refused:
            await method(**given)  # pyright: ignore[reportArgumentType]
        assert refused.value.path == (path,)
