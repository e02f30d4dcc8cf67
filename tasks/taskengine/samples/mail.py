"""``mail.send``: one message that somebody waits for. Short and urgent, where a campaign is long and patient."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from taskengine import Backoff
from taskengine.samples.house import engine, this_job
from taskengine.samples.messages import THE_SHOP, Email, Line, Sender, compose
from taskengine.samples.places import PACKAGED, keep_newest, output_folder, shown, write_once

KEPT_MESSAGES = 1_000


class Receipt(BaseModel):
    """Where a message went."""

    to: str
    kind: str
    written_to: str
    written_at: datetime


@engine.task(
    name="mail.send",
    queue="mail",
    priority=8,
    max_attempts=5,
    timeout=30,
    retry_on=(OSError,),
    backoff=Backoff(base_seconds=1, factor=2, cap_seconds=60, jitter=True),
)
def send_mail(
    to: Annotated[Email, Field(description="Whom it is for.")],
    kind: Annotated[
        Literal["welcome", "receipt", "password_reset"], Field(description="Which message it is.")
    ] = "welcome",
    *,
    name: Annotated[Line, Field(description="How the message addresses the recipient.")] = "friend",
    reference: Annotated[Line | None, Field(description="Number of the order or token of the reset.")] = None,
    amount: Annotated[
        Decimal | None, Field(ge=0, max_digits=10, decimal_places=2, description="What was paid.")
    ] = None,
    sender: Annotated[Sender, Field(description="Who it is from.")] = THE_SHOP,
) -> Receipt:
    """Write one e-mail that somebody waits for: a welcome, a receipt, a password reset.

    The message goes to the folder outbox-single in the data directory; nothing is sent.
    """
    job_id, _ = this_job()
    template = (PACKAGED / f"{kind}.txt").read_text(encoding="utf-8")
    facts = {
        "name": name,
        "reference": reference or job_id,
        "amount": f"{amount:.2f} EUR" if amount is not None else "paid",
        "sender": sender.name,
    }
    now = datetime.now(UTC)
    folder = output_folder("outbox-single")
    keep_newest(folder, KEPT_MESSAGES)
    message_file = folder / f"{job_id}.eml"
    write_once(message_file, compose(template, facts, sender=sender, to=to, dated=now.date()))
    return Receipt(to=to, kind=kind, written_to=shown(message_file), written_at=now)
