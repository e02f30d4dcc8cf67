"""The shop's tasks.

taskengine worker shop.tasks:engine
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from shop.orders import Item, Order, Shipping
from taskengine import TaskEngine, current_job

engine = TaskEngine.from_env()

PRICE = {Shipping.STANDARD: Decimal("4.90"), Shipping.EXPRESS: Decimal("12.50")}
DAYS = {Shipping.STANDARD: 4, Shipping.EXPRESS: 1}


class Invoice(BaseModel):
    """What the customer pays, and when the parcel arrives."""

    order: UUID
    total: Decimal
    arrives_on: date


@dataclass(frozen=True)
class Receipt:
    """Proof that a mail went out."""

    to: str
    subject: str
    length: int


class OutOfStock(Exception):
    """There are fewer pieces than were ordered; trying again would not help."""


@engine.task(name="orders.invoice", queue="orders", priority=7, max_attempts=3, timeout=30)
def invoice(order: Order, discount: Decimal = Decimal(0)) -> Invoice:
    """Work out what an order costs and when it arrives."""
    goods = Decimal(0)
    for number, item in enumerate(order.items, start=1):
        goods += item.unit_price * item.quantity
        current_job.progress(number, total=len(order.items), message=item.sku)
    return Invoice(
        order=order.id,
        total=goods - discount + PRICE[order.shipping],
        arrives_on=order.placed_on + timedelta(days=DAYS[order.shipping]),
    )


@engine.task(name="stock.reserve", queue="orders", fail_on=(OutOfStock,), max_attempts=5)
def reserve(sku: str, quantity: int = 1, *, warehouse: Literal["north", "south"] = "north", in_stock: int = 10) -> int:
    """Set pieces aside, and return how many are left."""
    if quantity > in_stock:
        raise OutOfStock(f"{quantity} of {sku} ordered from {warehouse}, {in_stock} there")
    return in_stock - quantity


@engine.task(name="mail.send", queue="mail", priority=8)
def send_mail(to: str, subject: str, body: str = "") -> Receipt:
    """Send one mail."""
    return Receipt(to=to, subject=subject, length=len(body))


@engine.task()
def weigh(items: list[Item], grams: dict[str, int], default: int | None = None) -> int:
    """Return the weight of a parcel in grams. Its name, queue and priority are what the system gives."""
    return sum(_grams(item.sku, grams, default) * item.quantity for item in items)


def _grams(sku: str, grams: dict[str, int], default: int | None) -> int:
    known = grams.get(sku, default)
    if known is None:
        raise ValueError(f"nobody weighed {sku} yet")
    return known


def skus(items: Sequence[Item]) -> list[str]:
    """Return what is in a parcel. Not a task: a module may hold whatever it likes."""
    return [item.sku for item in items]
