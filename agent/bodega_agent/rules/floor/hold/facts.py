"""What holding and releasing must know: what lies in the session's bin of the SKU that was scanned or is judged."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.ledger import Disposition
from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Lying:
    """Units of one SKU and lot in a bin."""

    sku_id: str
    lot: str
    disposition: Disposition
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts(Facts):
    """`lying` in the bin; `from_shelf`: the bin is one that sells, so what is released there may be sold at once."""

    lying: tuple[Lying, ...] = ()
    from_shelf: bool = True
