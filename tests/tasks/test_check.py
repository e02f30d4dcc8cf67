"""``taskengine check``: all damage at once, what runs afterwards, and how the command ends."""

import json
import re
from pathlib import Path

import pytest
from redis import Redis

import taskengine
from support.damage import ALL, EXTRA, MISSING, MOVED, STRAY, full_house
from support.jobs import (
    COMPLETED,
    KEYS,
    QUEUED,
    STORE,
    a_job,
    enqueue,
    everything,
    find,
    finish_all,
    outcome,
    register,
    take,
)
from support.oddities import furnish
from taskengine.check import Checker, check
from taskengine.check.kinds import ENDING, INDEXES, JUDGED_BY, LEFT_ALONE, STANDING
from taskengine.cli import main
from taskengine.ids import new_id
from taskengine.jobs import JobState
from taskengine.keys import Keys
from taskengine.rules import Kind

JOBS = [
    *("completed", "retrying", "failed", "cancelled", "running", "keyed1", "keyed2"),
    *("scheduled", "queued", "other", "blocked", "last", "ticked"),
]
HARMLESS_TOGETHER = {**MISSING, **MOVED, **EXTRA, **STRAY}


def run_all(redis: Redis) -> None:
    """Let time run out for whatever waits or runs, and run what is ready, until nothing is left to do."""
    register(redis, "t", "k")
    for _ in range(10):
        for key in (KEYS.waiting, KEYS.leases):
            for job_id in redis.zrange(key, 0, -1):
                redis.zadd(key, {job_id: 1})
                if key == KEYS.waiting:
                    redis.hset(KEYS.job(str(job_id)), "run_at", 1)
        STORE.rescue_jobs(max_losses=3, limit=10).run(redis)
        finish_all(redis, [outcome(job, value="1") for job in take(redis, 20).jobs])


def states(redis: Redis) -> dict[str, JobState | None]:
    return {job_id: job.state if (job := find(redis, job_id)) else None for job_id in JOBS}


@pytest.mark.parametrize("name", sorted(ALL))
def test_after_a_repair_everything_runs_to_its_end(redis: Redis, name: str) -> None:
    full_house(redis)
    ALL[name].do(redis)
    check(redis, KEYS, mend=True)
    run_all(redis)
    unfinished = {job_id: state for job_id, state in states(redis).items() if state is not COMPLETED}
    gone = {"blocked", "last"} if name == "stuck: a dependency that is gone" else set()
    assert unfinished.keys() - gone == {"failed", "cancelled"}
    assert check(redis, KEYS) == []


def test_all_damage_at_once_is_mended_at_once(redis: Redis) -> None:
    full_house(redis)
    for damage in HARMLESS_TOGETHER.values():
        damage.do(redis)
    found = check(redis, KEYS)
    assert len(found) >= 60
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    assert check(redis, KEYS) == []
    run_all(redis)
    assert {job_id for job_id, state in states(redis).items() if state is not COMPLETED} == {"failed", "cancelled"}


def test_when_every_index_is_gone_all_is_made_anew_from_the_records(redis: Redis) -> None:
    full_house(redis)
    before = everything(redis)
    kinds = (
        "lane",
        "ready",
        "heads",
        "parked",
        "keyed",
        "finished",
        "failed",
        "schedule_jobs",
        "idempotency",
        "tagged",
    )
    single = ("lanes", "queues", "waiting", "leases", "expiring", "schedules", "failures", "bulking")
    lost = [
        key
        for key in map(str, redis.keys(KEYS.prefix + "*"))
        if key.removeprefix(KEYS.prefix).split(":")[0] in {*kinds, *single, "parked_keys", "parked_jobs", "dependents"}
    ]
    redis.delete(*lost)
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    STORE.claim_jobs("nobody", "none", 1, lease_ms=1).run(redis)
    assert check(redis, KEYS) == []
    after = everything(redis)
    # A deadline of a lease is made up, and one that had stepped aside is back in line.
    remade = {key.removeprefix(KEYS.prefix) for key in lost} - {"leases", "heads:q"}
    remade -= {key for key in remade if key.startswith(("parked", "ready:q:k"))}
    assert {key: after.get(key) for key in remade} == {key: before[key] for key in remade}
    run_all(redis)
    assert {job_id for job_id, state in states(redis).items() if state is not COMPLETED} == {"failed", "cancelled"}


def test_no_record_is_ever_removed_or_changed(redis: Redis) -> None:
    full_house(redis)
    records = {key: value for key, value in everything(redis).items() if key.startswith("job:")}
    for damage in {**MISSING, **MOVED, **EXTRA}.values():
        if damage.key != KEYS.checkpoint("running") and damage.member != "blockers":
            damage.do(redis)
    check(redis, KEYS, mend=True)
    assert {key: value for key, value in everything(redis).items() if key.startswith("job:")} == records


def test_a_repair_of_what_is_well_changes_nothing(redis: Redis) -> None:
    full_house(redis)
    before = everything(redis)
    assert check(redis, KEYS, mend=True) == []
    assert everything(redis) == before


def test_more_jobs_than_a_page_are_all_looked_at(redis: Redis) -> None:
    job_ids = [new_id("job") for _ in range(1_500)]
    for start in range(0, 1_500, 500):
        enqueue(redis, *job_ids[start : start + 500])
    redis.zrem(KEYS.lane("q", "t", QUEUED), *job_ids[::100])
    checker = Checker(redis, KEYS, mend=True)
    found = list(checker.differences())
    assert sorted(one.job for one in found) == sorted(job_ids[::100])
    assert checker.jobs >= 1_500
    assert checker.events == 1_500
    assert list(Checker(redis, KEYS).differences()) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"by": "eve"},
        {"by": "eve", "action": "pause", "subject": "queue:q", "details": "", "colour": "red"},
        {"by": "eve", "action": "pause", "subject": "queue:q", "details": "?"},
    ],
)
def test_an_entry_of_the_audit_that_cannot_be_read_is_named_and_left(redis: Redis, entry: dict[str, str]) -> None:
    STORE.pause(Kind.QUEUE, "q", by="eve", reason="").run(redis)
    entry_id = redis.xadd(KEYS.audit, dict(entry))
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.key, difference.member, difference.is_mended) == (KEYS.audit, entry_id, False)
    assert redis.xlen(KEYS.audit) == 2


def test_where_no_place_can_be_told_nothing_more_is_looked_at(redis: Redis) -> None:
    furnish(redis)
    redis.set(KEYS.aging, "fast")
    redis.zrem(KEYS.waiting, "scheduled")
    assert [one.key for one in check(redis, KEYS)] == [KEYS.aging]


def test_a_repair_of_what_is_furnished_well_changes_nothing(redis: Redis) -> None:
    furnish(redis)
    before = everything(redis)
    assert check(redis, KEYS, mend=True) == []
    assert everything(redis) == before


def test_every_kind_of_key_is_looked_at_or_left_alone_on_purpose() -> None:
    source = (Path(taskengine.__file__).parent / "keys.py").read_text(encoding="utf-8")
    kinds = set(re.findall(r'f"\{self\.prefix\}(\w+)', source))
    looked_at = INDEXES | JUDGED_BY.keys() | STANDING | ENDING | {"job", "events", "audit", "chord"}
    assert kinds == looked_at | LEFT_ALONE
    assert looked_at & LEFT_ALONE == set()


def test_other_namespaces_are_left_alone(redis: Redis) -> None:
    a_job(redis, QUEUED)
    assert check(redis, Keys("other"), mend=True) == []
    redis.zrem(KEYS.ready("q", "t"), "j1")
    assert check(redis, Keys("t*"), mend=True) == []
    assert check(redis, KEYS) != []


# The command


@pytest.fixture
def command(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Redis:
    monkeypatch.setenv("TASKENGINE_REDIS_URL", redis_url)
    monkeypatch.setenv("TASKENGINE_NAMESPACE", "test")
    return redis


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_it_ends_with_0_when_all_is_well(command: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    a_job(command, QUEUED)
    assert main(["check"]) == 0
    (summary,) = lines(capsys)
    assert summary.startswith("1 jobs, 5 index entries and 1 events of test in ")
    assert summary.endswith(": all agree")


def test_it_ends_with_1_and_a_line_each_when_something_disagrees(
    command: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    a_job(command, QUEUED)
    command.srem(KEYS.queues, "q")
    assert main(["check"]) == 1
    named, summary = lines(capsys)
    assert named == "te:{test}:queues q (job j1): expected there, found absent"
    assert summary.endswith(": 1 disagreement")


def test_it_ends_with_0_when_all_was_mended(command: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    a_job(command, QUEUED)
    command.srem(KEYS.queues, "q")
    assert main(["check", "--repair"]) == 0
    named, summary = lines(capsys)
    assert named.endswith("found absent; mended")
    assert summary.endswith(": 1 disagreement, 1 mended, 0 left")
    assert main(["check"]) == 0


def test_it_ends_with_1_when_something_cannot_be_mended(command: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    command.set(KEYS.job("j1"), "?")
    assert main(["check", "--repair"]) == 1
    assert (
        lines(capsys)[0]
        == "te:{test}:job:j1 (job j1): expected a hash, found a string; cannot be mended: it is no record"
    )


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://:secret@127.0.0.1:1/0"])
def test_it_ends_with_2_when_it_could_not_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("TASKENGINE_REDIS_URL", url)
    assert main(["check"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("taskengine: could not look: ")
    assert "secret" not in told.err


def test_json_is_a_line_each(command: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    a_job(command, QUEUED)
    command.srem(KEYS.queues, "q")
    main(["check", "--json"])
    named, summary = map(json.loads, lines(capsys))
    assert named == {
        "key": KEYS.queues,
        "member": "q",
        "job": "j1",
        "expected": "there",
        "found": "absent",
        "outcome": "",
    }
    assert {**summary["summary"], "seconds": 0} == {
        "namespace": "test",
        "jobs": 1,
        "entries": 4,
        "events": 1,
        "seconds": 0,
        "disagreements": 1,
        "mended": 0,
    }
