"""Messages as the sample mail tasks write them: a template filled in, stamped, as RFC 5322 bytes.

Pure: a message is composed here and written elsewhere. Nothing is ever sent.
"""

import hashlib
import html
import itertools
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from enum import StrEnum
from string import Template
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Email = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+$",
        json_schema_extra={"format": "email"},
    ),
]
Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\r\n]+$")]
"""One line of text: what may stand in a header."""
Postage = Annotated[
    int,
    Field(
        ge=0,
        le=20,
        description="Bits of hashcash postage on each message: the work that a sender does to show that "
        "he means it. Every bit more doubles the work; 16 take well under a second.",
    ),
]


class Parts(StrEnum):
    """What a message is made of."""

    TEXT = "TEXT"
    HTML = "HTML"
    BOTH = "BOTH"


class Sender(BaseModel):
    """Who a message is from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line = Field(default="The Corner Shop", description="The name that recipients see.")
    address: Email = Field(default="hello@example.org", description="The address that replies go to.")


THE_SHOP = Sender()


class BadTemplate(ValueError):
    """A template has no subject line, or a place that nothing fills."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


def fill_in(template: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and body of a template (``Subject: …``, an empty line, the body) with its places filled."""
    try:
        text = Template(template).substitute(facts)
    except (KeyError, ValueError) as problem:
        raise BadTemplate(f"the template cannot be filled in: {problem}; it may use ${', $'.join(facts)}") from None
    head, gap, body = text.partition("\n\n")
    if not gap or not head.startswith("Subject: ") or "\n" in head:
        raise BadTemplate("the template must begin with one line 'Subject: …' and an empty line")
    return head.removeprefix("Subject: "), body


def compose(
    template: str,
    facts: Mapping[str, str],
    *,
    sender: Sender,
    to: str,
    dated: date,
    parts: Parts = Parts.BOTH,
    postage_bits: int = 0,
) -> bytes:
    """Return one whole message, ready for the outbox."""
    message = EmailMessage(policy=SMTP)
    message["Subject"], body = fill_in(template, facts)
    message["From"] = formataddr((sender.name, sender.address))
    message["To"] = to
    message["Date"] = format_datetime(datetime.combine(dated, time(9), tzinfo=UTC))
    message["Message-ID"] = f"<{secrets.token_hex(12)}@example.org>"
    if postage_bits:
        message["X-Hashcash"] = stamp(to, postage_bits, dated)
    message.set_content(body if parts is not Parts.HTML else _as_html(body), subtype=_main_type(parts))
    if parts is Parts.BOTH:
        message.add_alternative(_as_html(body), subtype="html")
    return message.as_bytes()


def stamp(address: str, bits: int, dated: date) -> str:
    """Return a hashcash stamp (version 1): found by trying, checked by one SHA-1."""
    head = f"1:{bits}:{dated:%y%m%d}:{address}::{secrets.token_hex(6)}:"
    begun = hashlib.sha1(head.encode(), usedforsecurity=False)
    target = 1 << (begun.digest_size * 8 - bits)
    for number in itertools.count():
        trial = begun.copy()
        trial.update(b"%x" % number)
        if int.from_bytes(trial.digest(), "big") < target:
            return f"{head}{number:x}"
    raise AssertionError("unreachable: there is always a next number")


def _main_type(parts: Parts) -> str:
    return "html" if parts is Parts.HTML else "plain"


def _as_html(body: str) -> str:
    paragraphs = (html.escape(paragraph).replace("\n", "<br>\n") for paragraph in body.strip().split("\n\n"))
    return "<!doctype html>\n" + "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs) + "\n"
