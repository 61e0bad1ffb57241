"""What packing and voiding remember between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Counted(Doing):
    """The SKU that was scanned last, and how many with that scan: a number after it says how many it was in all."""

    sku_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Doubted(Doing):
    """A box that does not hold it by the book: CMD-OVERRIDE takes it all the same."""

    carton_id: str


@dataclass(frozen=True, slots=True)
class Voiding(Doing):
    """The parcel that is to be voided, once somebody has said why."""

    sscc: str
