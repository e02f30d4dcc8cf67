"""``campaign.send``: one message for each row of a recipients file, written to an outbox folder."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from taskengine import Backoff, current_job
from taskengine.samples.house import engine, this_job
from taskengine.samples.luck import FailureRate, breaking_step
from taskengine.samples.messages import THE_SHOP, BadTemplate, Email, Line, Parts, Postage, Sender, compose
from taskengine.samples.places import (
    CsvFile,
    InputPath,
    PathRefused,
    keep_newest,
    output_folder,
    readable_file,
    shown,
    write_once,
)

KEPT_CAMPAIGNS = 100


class Audience(StrEnum):
    """Whom a campaign is for."""

    EVERYONE = "EVERYONE"
    CUSTOMER = "CUSTOMER"
    TRIAL = "TRIAL"
    PARTNER = "PARTNER"


class Recipient(BaseModel):
    """One row of a recipients file."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    first_name: Line
    last_name: Line
    address: Email
    audience: Audience
    company: str = ""
    joined: date


class BadRecipients(ValueError):
    """A row of a recipients file cannot be used. Nothing has been written."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line, self.problem = line, problem

    def __str__(self) -> str:
        return f"line {self.line} of the recipients: {self.problem}"


class OutboxUnavailable(OSError):
    """The outbox refused a message for now (by chance, see ``failure_rate``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """What a campaign did. ``already_written`` counts what earlier attempts of the same job had done."""

    campaign: str
    recipients: int
    written: int
    already_written: int
    bytes_written: int
    outbox: str


@engine.task(
    name="campaign.send",
    queue="mail",
    priority=6,
    max_attempts=5,
    timeout=600,
    retry_on=(OSError,),
    fail_on=(PathRefused, BadRecipients, BadTemplate),
    backoff=Backoff(base_seconds=1, factor=2, cap_seconds=60, jitter=True),
)
def send_campaign(
    campaign: Annotated[Line, Field(description="What it is about: stands in the subject.")] = "spring catalogue",
    *,
    audience: Annotated[Audience, Field(description="Which of the recipients get a message.")] = Audience.EVERYONE,
    sender: Annotated[Sender, Field(description="Who the messages are from.")] = THE_SHOP,
    parts: Annotated[Parts, Field(description="Plain text, HTML, or both as alternatives.")] = Parts.BOTH,
    dated: Annotated[date | None, Field(description="The date on the messages; today when left out.")] = None,
    recipients: CsvFile = "packaged/recipients.csv",
    template: Annotated[
        InputPath, Field(description="The message, with places such as $first_name.")
    ] = "packaged/message.txt",
    postage_bits: Postage = 16,
    failure_rate: FailureRate = 0.0,
) -> CampaignReport:
    """Write an e-mail for every recipient of a list.

    Each row of the recipients file is rendered through the template and written as an .eml file to
    an outbox folder in the data directory; nothing is sent. Progress counts the recipients. A
    campaign that breaks off goes on where it was: nobody is written to twice.
    """
    text = readable_file(template).read_text(encoding="utf-8")
    people = read_recipients(readable_file(recipients), audience)
    job_id, attempt = this_job()
    keep_newest(output_folder("outbox"), KEPT_CAMPAIGNS)
    outbox = output_folder("outbox", job_id)
    breaks_at = breaking_step(job_id, attempt, failure_rate, len(people))
    on = dated or datetime.now(UTC).date()
    sizes: list[int] = []
    for number, person in enumerate(people, start=1):
        if number - 1 == breaks_at:
            raise OutboxUnavailable(f"the outbox refused message {number} of {len(people)}, to {person.address}")
        file = outbox / f"{number:04}-{person.address}.eml"
        if not file.exists():  # stamping it again would be work for nothing
            facts = _facts(person, campaign, sender)
            message = compose(
                text, facts, sender=sender, to=person.address, dated=on, parts=parts, postage_bits=postage_bits
            )
            write_once(file, message)
            sizes.append(len(message))
        current_job.progress(number, total=len(people), message=person.address)
    return CampaignReport(
        campaign=campaign,
        recipients=len(people),
        written=len(sizes),
        already_written=len(people) - len(sizes),
        bytes_written=sum(sizes),
        outbox=shown(outbox),
    )


def read_recipients(path: Path, audience: Audience = Audience.EVERYONE) -> Sequence[Recipient]:
    """Return the rows for an audience; raise ``BadRecipients`` naming the first line that cannot be used."""
    people: list[Recipient] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        for row in rows:
            try:
                people.append(Recipient.model_validate(row))
            except ValidationError as refused:
                first = refused.errors(include_url=False)[0]
                raise BadRecipients(rows.line_num, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return [person for person in people if audience in (Audience.EVERYONE, person.audience)]


def _facts(person: Recipient, campaign: str, sender: Sender) -> dict[str, str]:
    closings = {
        Audience.TRIAL: "Your trial runs until the end of the month; the catalogue is yours to keep.",
        Audience.PARTNER: "As a partner you find the trade prices beside the usual ones.",
    }
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "address": person.address,
        "company": person.company,
        "joined": f"{person.joined:%B %Y}",
        "campaign": campaign,
        "closing": closings.get(person.audience, "We look forward to hearing from you."),
        "sender": sender.name,
    }
