"""What the shop sells: plain pydantic models and enums, which know nothing of jobs."""

from datetime import date
from decimal import Decimal
from enum import Enum
from uuid import UUID

from pydantic import BaseModel, Field


class Shipping(Enum):
    """How a parcel travels. The values are what the carrier calls it."""

    STANDARD = "std"
    EXPRESS = "exp"


class Item(BaseModel):
    """One line of an order."""

    sku: str
    quantity: int = Field(default=1, ge=1)
    unit_price: Decimal = Field(ge=0)


class Order(BaseModel):
    """What a customer ordered."""

    id: UUID
    placed_on: date
    items: list[Item] = Field(min_length=1)
    shipping: Shipping = Shipping.STANDARD
    note: str | None = None
