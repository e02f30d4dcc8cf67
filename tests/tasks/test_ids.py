"""Ids that sort by time: TypeIDs of a UUIDv7."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from taskengine.ids import new_id
from taskengine.jobs import check_job_id

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def uuid_of(job_id: str) -> UUID:
    number = 0
    for letter in job_id.removeprefix("job_"):
        number = number * 32 + ALPHABET.index(letter)
    return UUID(int=number)


def test_an_id_is_a_prefix_and_26_letters_that_cannot_be_mistaken() -> None:
    assert re.fullmatch(r"job_[0-7][0-9a-hjkmnp-tv-z]{25}", new_id("job"))


def test_a_job_may_have_it() -> None:
    job_id = new_id("job")
    assert check_job_id(job_id) == job_id


def test_it_is_a_uuid_of_version_7() -> None:
    uuid = uuid_of(new_id("job"))
    assert uuid.version == 7
    assert uuid.variant == "specified in RFC 4122"


def test_it_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid_of(new_id("job")).int >> 80
    # Within a busy millisecond the count may run over into the next.
    assert before <= made <= time.time_ns() // 1_000_000 + 10


def test_ids_of_one_process_rise() -> None:
    ids = [new_id("job") for _ in range(20_000)]
    assert ids == sorted(set(ids))


def test_threads_never_get_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: new_id("job"), range(8_000)))
    assert len(set(ids)) == 8_000
