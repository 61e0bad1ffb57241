"""What replenishing asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Refill(Effect):
    """`move` of goods that may be sold, from reserve to the pick face."""

    logged_as: ClassVar[str] = "face_refilled"

    goods: Goods
    source_bin: str
    face: str


@dataclass(frozen=True, slots=True)
class DoubtBin(Effect):
    """A bin did not hold what the book says: it is to be counted."""

    logged_as: ClassVar[str] = "count_asked"

    bin_id: str
    sku_id: str
    lot: str
