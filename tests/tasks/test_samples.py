"""The sample tasks: what they read, what they write, and that a retry goes on instead of over.

Called in place (``call_local``) where the function is what counts, and run by a
real worker where attempts, cancelling or a killed process are.
"""

import hashlib
import json
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from support.clients import a_client, reaches, run_job
from support.redis_server import RedisServer
from support.workers import WorkerProcess
from taskengine.errors import InvalidInput
from taskengine.ids import new_id
from taskengine.jobs import JobState, Options
from taskengine.samples import engine, places
from taskengine.samples.campaign import Audience, BadRecipients, read_recipients, send_campaign
from taskengine.samples.images import Size, Subject, as_png, render_images
from taskengine.samples.luck import breaking_step
from taskengine.samples.mail import send_mail
from taskengine.samples.messages import BadTemplate, Parts, Sender, fill_in, stamp
from taskengine.samples.places import PathRefused, keep_newest, readable_file, readable_files, write_once
from taskengine.samples.report import Unit, build_report
from taskengine.samples.sync import SyncReport, Target, TooManyRejected, import_csv

RECIPIENTS, PRODUCTS, BAD_PRODUCTS = 42, 316, 4


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``samples`` in a data directory of this test's own."""
    monkeypatch.setattr(engine, "settings", replace(engine.settings, data_dir=tmp_path / "data"))
    home = tmp_path / "data" / "samples"
    home.mkdir(parents=True)
    return home


# What they may read


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "etc/passwd",
        "packaged/../errors.py",
        "samples/../redis.url",
        "stdlib/../../../etc/passwd",
        "stdlib/site-packages/huey/api.py",
        "",
    ],
)
def test_a_path_outside_the_three_folders_is_refused(home: Path, path: str) -> None:
    (home.parent / "redis.url").write_text("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(PathRefused):
        readable_file(path)


def test_a_link_that_leads_out_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (home / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(PathRefused, match="it leads out of samples"):
        readable_file("samples/link.txt")


def test_a_walk_takes_no_links(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (home / "link.txt").symlink_to(tmp_path / "secret.txt")
    (home / "own.txt").write_text("mine")
    assert readable_files("samples", "*.txt", 10) == [home / "own.txt"]


def test_a_file_that_is_too_large_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_FILE_BYTES", 10)
    (home / "long.csv").write_bytes(b"x" * 11)
    with pytest.raises(PathRefused, match="expected at most 10 bytes, got 11"):
        readable_file("samples/long.csv")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(PathRefused, match="'packaged/nobody.csv' is not a file"):
        readable_file("packaged/nobody.csv")


# What they write


def test_a_file_is_written_once(tmp_path: Path) -> None:
    assert write_once(tmp_path / "a", b"first")
    assert not write_once(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    for _ in range(5):
        (tmp_path / new_id("job")).mkdir()
    names = sorted(folder.name for folder in tmp_path.iterdir())
    keep_newest(tmp_path, 2)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == names[3:]


def test_chance_is_the_same_each_time_and_differs_by_attempt() -> None:
    first = [breaking_step(f"job_{n}", 1, 0.5, 10) for n in range(200)]
    assert first == [breaking_step(f"job_{n}", 1, 0.5, 10) for n in range(200)]
    assert first != [breaking_step(f"job_{n}", 2, 0.5, 10) for n in range(200)]
    assert 60 < sum(step is not None for step in first) < 140


def test_a_rate_of_one_always_fails_and_of_none_never() -> None:
    assert all(breaking_step("j", n, 1.0, 3) in range(3) for n in range(50))
    assert all(breaking_step("j", n, 0.0, 3) is None for n in range(50))


# Messages


def test_every_recipient_gets_one_message(home: Path) -> None:
    report = send_campaign.call_local(postage_bits=4)
    assert (report.recipients, report.written, report.already_written) == (RECIPIENTS, RECIPIENTS, 0)
    assert len(_messages(home)) == RECIPIENTS
    assert {message["To"] for message in _messages(home)} == {
        person.address for person in read_recipients(places.PACKAGED / "recipients.csv")
    }


def test_a_message_reads_as_its_recipient_expects(home: Path) -> None:
    sender = Sender(name="Rosa", address="rosa@example.org")
    send_campaign.call_local("garden letter", sender=sender, dated=date(2025, 3, 1), postage_bits=4)
    message = _messages(home)[0]
    assert message["Subject"] == "Amara, the garden letter is here"
    assert message["From"] == "Rosa <rosa@example.org>"
    assert message["Date"] == "Sat, 01 Mar 2025 09:00:00 +0000"
    assert "Dear Amara," in _text(message, "plain")
    assert "<p>Dear Amara,</p>" in _text(message, "html")


def test_a_campaign_may_be_for_some(home: Path) -> None:
    everyone = read_recipients(places.PACKAGED / "recipients.csv")
    trials = [person for person in everyone if person.audience is Audience.TRIAL]
    report = send_campaign.call_local(audience=Audience.TRIAL, parts=Parts.TEXT, postage_bits=0)
    assert 0 < report.written == len(trials) < len(everyone)


def test_a_bad_row_is_named_before_anything_is_written(home: Path) -> None:
    rows = (places.PACKAGED / "recipients.csv").read_text(encoding="utf-8").splitlines()
    rows[7] = rows[7].replace("@", " at ")
    (home / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(BadRecipients, match="line 8 of the recipients: address: String should match"):
        send_campaign.call_local(recipients="samples/people.csv")
    assert _messages(home) == []


def test_a_template_with_an_unknown_place_is_refused() -> None:
    with pytest.raises(BadTemplate, match="'surname'; it may use \\$name"):
        fill_in("Subject: Hello\n\nDear $surname,", {"name": "Amara"})


def test_a_template_without_a_subject_is_refused() -> None:
    with pytest.raises(BadTemplate, match="must begin with one line 'Subject: …'"):
        fill_in("Dear $name,\n\nhello", {"name": "Amara"})


def test_what_a_caller_gives_is_escaped_in_html(home: Path) -> None:
    send_campaign.call_local(sender=Sender(name="<b>Rosa</b>"), audience=Audience.PARTNER, postage_bits=0)
    assert "&lt;b&gt;Rosa&lt;/b&gt;" in _text(_messages(home)[0], "html")


def test_a_line_that_would_forge_a_header_is_refused() -> None:
    with pytest.raises(ValidationError, match="String should match pattern"):
        Sender(name="Rosa\r\nBcc: everyone@example.org")


def test_postage_is_what_it_says() -> None:
    paid = stamp("amara@example.org", 12, date(2025, 3, 1))
    assert paid.startswith("1:12:250301:amara@example.org::")
    digest = hashlib.sha1(paid.encode()).digest()
    assert int.from_bytes(digest, "big") < 1 << (160 - 12)


@pytest.mark.parametrize("kind", ["welcome", "receipt", "password_reset"])
def test_a_single_message_is_written(home: Path, kind: Literal["welcome", "receipt", "password_reset"]) -> None:
    receipt = send_mail.call_local("amara@example.org", kind, name="Amara", reference="2025-10001")
    message = _message(home.parent / receipt.written_to)
    assert message["To"] == "amara@example.org"
    assert "Dear Amara," in _text(message, "plain")


# Imports


def test_a_file_is_imported(home: Path) -> None:
    report = import_csv.call_local()
    assert (report.rows, report.inserted, report.rejected) == (PRODUCTS, PRODUCTS - BAD_PRODUCTS, BAD_PRODUCTS)
    assert _rows(home) == PRODUCTS - BAD_PRODUCTS
    assert [(problem.line, problem.field) for problem in report.problems] == [
        (63, "price"),
        (150, "stock"),
        (235, "updated_on"),
        (292, "category"),
    ]


def test_an_import_can_be_repeated(home: Path) -> None:
    import_csv.call_local()
    again = import_csv.call_local()
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, PRODUCTS - BAD_PRODUCTS)


def test_only_what_changed_is_updated(home: Path) -> None:
    import_csv.call_local()
    text = (places.PACKAGED / "products.csv").read_text(encoding="utf-8")
    changed = text.replace("OFF-1175,", "OFF-1175,New ", 1).replace('New "Recycled', '"New Recycled')
    assert changed != text
    (home / "products.csv").write_text(changed, encoding="utf-8")
    report = import_csv.call_local("samples/products.csv")
    assert (report.inserted, report.updated) == (0, 1)


def test_a_dry_run_changes_nothing(home: Path) -> None:
    assert import_csv.call_local(dry_run=True).inserted == PRODUCTS - BAD_PRODUCTS
    assert _rows(home) == 0


def test_old_rows_may_be_left_out(home: Path) -> None:
    report = import_csv.call_local(changed_since=date(2025, 2, 1))
    assert report.skipped + report.inserted == PRODUCTS - BAD_PRODUCTS
    assert 0 < report.inserted == _rows(home)


def test_an_import_gives_up_when_too_much_is_wrong(home: Path) -> None:
    with pytest.raises(TooManyRejected, match="3 rows cannot be used, expected at most 2; the last is line 235"):
        import_csv.call_local(max_rejected=2)


def test_an_import_that_breaks_off_keeps_whole_pages(home: Path) -> None:
    with pytest.raises(OSError, match="went away before page"):
        import_csv.call_local(page_size=10, failure_rate=1.0)
    assert _rows(home) < PRODUCTS - BAD_PRODUCTS
    assert _rows(home) == import_csv.call_local(page_size=10).unchanged


def test_each_target_has_a_database_of_its_own(home: Path) -> None:
    import_csv.call_local(target=Target.LIVE)
    assert _rows(home, "live") == PRODUCTS - BAD_PRODUCTS
    assert import_csv.call_local(target=Target.STAGING).inserted == PRODUCTS - BAD_PRODUCTS


# Reports


def test_words_are_counted(home: Path) -> None:
    _write_texts(home, a="Rain, rain; sun. It's the sun's RAIN", b="snow")
    report = build_report.call_local("samples", pattern="*.txt", top=2, min_length=1)
    assert (report.files, report.total, report.distinct) == (2, 8, 6)
    assert [(count.value, count.count) for count in report.top] == [("rain", 3), ("it's", 1)]


def test_lines_are_counted(home: Path) -> None:
    _write_texts(home, a="one line\n\n  one line\nanother\n")
    report = build_report.call_local("samples", unit=Unit.LINES, pattern="*.txt")
    assert [(count.value, count.count) for count in report.top] == [("one line", 2), ("another", 1)]


def test_identifiers_are_names_and_no_keywords(home: Path) -> None:
    _write_texts(home, a="for name in names:\n    print(name)  # name\n")
    report = build_report.call_local("samples", unit=Unit.IDENTIFIERS, pattern="*.txt", min_length=1)
    assert {count.value: count.count for count in report.top} == {"name": 2, "names": 1, "print": 1}


def test_what_cannot_be_read_is_counted_and_left_out(home: Path) -> None:
    (home / "a.txt").write_bytes(b"\xff\xfe\x00")
    _write_texts(home, b="'''never closed", c="fine = 1\n")
    report = build_report.call_local("samples", unit=Unit.IDENTIFIERS, pattern="*.txt")
    assert (report.files, report.unreadable, report.total) == (3, 2, 1)


def test_the_report_is_written_as_it_is_returned(home: Path) -> None:
    report = build_report.call_local("stdlib/json", top=3)
    written = json.loads((home.parent / report.written_to).read_text(encoding="utf-8"))
    assert written == report.model_dump(mode="json")
    assert report.files >= 5


def test_the_standard_library_ends_where_other_packages_begin() -> None:
    files = readable_files("stdlib", "*.py", 100_000)
    assert len(files) > 500
    assert not [file for file in files if "site-packages" in file.parts]


# Pictures


@pytest.mark.parametrize("subject", list(Subject))
def test_pictures_are_png_files_of_the_size_asked_for(home: Path, subject: Subject) -> None:
    series = render_images.call_local(subject, pictures=2, size=Size(width=32, height=24), detail=20)
    first, second = (_pixels((home.parent / picture.file).read_bytes()) for picture in series.pictures)
    assert len(first) == 24
    assert {len(row) for row in first} == {32 * 3}
    assert first != second
    assert len({row[i : i + 3] for row in first for i in range(0, len(row), 3)}) > 8, "a picture has colours"


def test_a_png_says_its_size_and_its_checksums() -> None:
    png = as_png([b"\x01\x02\x03" * 2] * 3, 2)
    assert struct.unpack(">II", png[16:24]) == (2, 3)
    assert struct.unpack(">I", png[29:33])[0] == zlib.crc32(png[12:29])


# What callers see of them


def test_every_task_and_every_argument_is_described() -> None:
    assert set(engine.tasks) == {
        "campaign.send",
        "images.render",
        "mail.send",
        "report.build",
        "sync.import_csv",
        "trial.fail_as_told",
    }
    for name, task in engine.tasks.items():
        assert task.info.description, name
        for argument, schema in task.info.args_schema["properties"].items():
            assert schema.get("description"), f"{name}: {argument}"


def test_the_tasks_are_in_several_queues_with_priorities_of_their_own() -> None:
    infos = [task.info for task in engine.tasks.values()]
    assert {info.queue for info in infos} == {"mail", "sync", "reports", "images", "default"}
    assert len({info.priority for info in infos}) >= 4


# In a real worker


@pytest.fixture(scope="module")
def samples_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A worker with the sample tasks, on a Redis and in a data directory of its own."""
    folder = tmp_path_factory.mktemp("samples")
    server = RedisServer(folder / "redis").start()
    try:
        with WorkerProcess("taskengine.samples:engine", server.url, data_dir=folder / "data") as worker:
            yield worker
    finally:
        server.stop()


async def test_a_campaign_that_breaks_off_goes_on_where_it_was(samples_worker: WorkerProcess) -> None:
    job_id, step = _an_id_that(lambda a, b: a is not None and b is None, rate=0.6, steps=RECIPIENTS)
    args = {"failure_rate": 0.6, "postage_bits": 4}
    job = await run_job(samples_worker.redis_url, "campaign.send", args, Options(id=job_id))
    assert (job.state, job.attempt_count) == (JobState.COMPLETED, 2)
    assert (job.result["already_written"], job.result["written"]) == (step, RECIPIENTS - step)
    assert job.progress is not None
    assert (job.progress.current, job.progress.total) == (RECIPIENTS, RECIPIENTS)
    assert len(_messages(samples_worker.data_dir / "samples")) == RECIPIENTS


async def test_an_import_that_breaks_off_gets_through_at_the_next_attempt(samples_worker: WorkerProcess) -> None:
    pages = -(-PRODUCTS // 25)
    job_id, _ = _an_id_that(lambda a, b: a not in (None, 0) and b is None, rate=0.6, steps=pages)
    job = await run_job(samples_worker.redis_url, "sync.import_csv", {"failure_rate": 0.6}, Options(id=job_id))
    assert (job.state, job.attempt_count) == (JobState.COMPLETED, 2)
    report = SyncReport.model_validate(job.result)
    assert report.inserted + report.unchanged == PRODUCTS - BAD_PRODUCTS
    assert report.unchanged > 0


async def test_a_path_that_is_refused_is_not_tried_again(samples_worker: WorkerProcess) -> None:
    job = await run_job(samples_worker.redis_url, "sync.import_csv", {"source": "samples/nobody.csv"})
    assert (job.state, job.attempt_count) == (JobState.FAILED, 1)
    assert job.error is not None
    assert job.error.message == "'samples/nobody.csv' is not a file"


async def test_a_path_with_dots_is_refused_before_it_is_enqueued(samples_worker: WorkerProcess) -> None:
    with pytest.raises(InvalidInput, match="source"):
        await run_job(samples_worker.redis_url, "sync.import_csv", {"source": "samples/../redis.url"})


async def test_trouble_that_may_pass_is_tried_until_attempts_end(samples_worker: WorkerProcess) -> None:
    job = await run_job(samples_worker.redis_url, "trial.fail_as_told", {"failure_rate": 1}, Options(max_attempts=2))
    assert (job.state, job.attempt_count) == (JobState.FAILED, 2)


async def test_trouble_that_will_not_pass_fails_at_once(samples_worker: WorkerProcess) -> None:
    job = await run_job(samples_worker.redis_url, "trial.fail_as_told", {"failure_rate": 1, "trouble": "PERMANENT"})
    assert (job.state, job.attempt_count) == (JobState.FAILED, 1)
    assert job.error is not None
    assert (job.error.exception, job.error.message) == ("taskengine.samples.trial.PermanentTrouble", "as told")


async def test_a_job_that_hangs_ends_when_it_is_cancelled(samples_worker: WorkerProcess) -> None:
    async with a_client(samples_worker.redis_url) as client:
        job = await client.enqueue_job("trial.fail_as_told", {"hang": True})
        await reaches(client, job.id, JobState.RUNNING)
        await client.cancel_job(job.id, terminate=True)
        await reaches(client, job.id, JobState.CANCELLED)


async def test_pictures_stop_when_they_are_cancelled(samples_worker: WorkerProcess) -> None:
    async with a_client(samples_worker.redis_url) as client:
        size = {"width": 640, "height": 480}
        job = await client.enqueue_job("images.render", {"subject": "MANDELBROT", "size": size, "detail": 500})
        await reaches(client, job.id, JobState.RUNNING)
        await client.cancel_job(job.id, terminate=True)
        await reaches(client, job.id, JobState.CANCELLED)


async def test_a_crash_takes_its_process_and_the_next_one_finishes(redis_url: str, tmp_path: Path) -> None:
    with WorkerProcess("taskengine.samples:engine", redis_url, data_dir=tmp_path, mode="process") as worker:
        job = await run_job(worker.redis_url, "trial.fail_as_told", {"crash": "ONCE", "failure_rate": 0})
    assert (job.state, job.worker_losses, job.run_count) == (JobState.COMPLETED, 1, 2)
    assert job.result["attempt"] == 1, "a lost run does not count as an attempt"


# Help


def _an_id_that(fits: Callable[[int | None, int | None], bool], *, rate: float, steps: int) -> tuple[str, int]:
    """Return a job id whose first and second attempt break off as wanted, and where the first one does."""
    while True:
        job_id = new_id("job")
        first, second = (breaking_step(job_id, attempt, rate, steps) for attempt in (1, 2))
        if fits(first, second):
            return job_id, first or 0


def _messages(home: Path) -> list[EmailMessage]:
    return [_message(file) for file in sorted(home.glob("outbox/*/*.eml"))]


def _message(file: Path) -> EmailMessage:
    return BytesParser(EmailMessage, policy=modern).parsebytes(file.read_bytes())


def _text(message: EmailMessage, kind: Literal["plain", "html"]) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content()


def _rows(home: Path, database: str = "staging") -> int:
    with closing(sqlite3.connect(home / "databases" / f"{database}.sqlite3")) as connection:
        return connection.execute("SELECT count(*) FROM products").fetchone()[0]


def _write_texts(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def _pixels(png: bytes) -> list[bytes]:
    """Return the rows of an 8-bit RGB file whose rows are stored as they are."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width = struct.unpack(">I", png[16:20])[0]
    packed, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += 12 + length
    raw = zlib.decompress(packed)
    stride = width * 3 + 1
    return [raw[start + 1 : start + stride] for start in range(0, len(raw), stride)]
