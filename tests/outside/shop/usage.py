"""Calls that a type checker must pass, and calls that it must not: those end in ``# wrong``.

Never imported: a test hands it to the type checker and compares what it complains about.
"""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from shop.orders import Item, Order
from shop.tasks import Invoice, Receipt, invoice, reserve, send_mail
from taskengine import Options, TaskEngine

order = Order(id=uuid4(), placed_on=date(2025, 3, 1), items=[Item(sku="KIT-1007", unit_price=Decimal("9.90"))])

send_mail("a@example.org", "Hello")
send_mail(to="a@example.org", subject="Hello", body="…")
send_mail("a@example.org", 1)  # wrong
send_mail("a@example.org")  # wrong
send_mail("a@example.org", "Hello", copy="b@example.org")  # wrong

invoice(order)
invoice(order, discount=Decimal(1))
invoice("order 7")  # wrong

reserve("KIT-1007", 2, warehouse="south")
reserve("KIT-1007", warehouse="east")  # wrong

send_mail.enqueue("a@example.org", "Hello", options=Options(priority=10, delay=60))
send_mail.enqueue("a@example.org", "Hello", options=Options(priority="high"))  # wrong

receipt: Receipt = send_mail.call_local("a@example.org", "Hello")
bill: Invoice = send_mail.call_local("a@example.org", "Hello")  # wrong
job_id: str = send_mail("a@example.org", "Hello").id
sent: Receipt | None = send_mail("a@example.org", "Hello").get(blocking=True, timeout=10)
left: str | None = reserve("KIT-1007").get()  # wrong

engine = TaskEngine.from_env()
engine.task(name="x", priority="high")  # wrong


@engine.task(max_attempts=2)
async def count(page: str, limit: int = 10) -> int:
    return limit - len(page)


count("a page")
count(7)  # wrong
counted: int | None = count("a page").get(blocking=True)
counting: str | None = count("a page").get(blocking=True)  # wrong


async def here_and_now() -> int:
    return await count.call_local("a page")


every_hour = engine.schedule(every_seconds=3600, args={"page": "a"})(count)
number: int | None = every_hour("a page").get()
