"""What put-away remembers between item and bin."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.ledger import Disposition
from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class InHand(Doing):
    """Goods that a person holds between two scans of put-away; the book still has them where they were.

    `each`: base units of what was scanned last. `disposition` is empty until a person has said which of two sorts it
    is. `sscc`: a whole pallet, of whatever goods.
    """

    sku_id: str
    name: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()
    disposition: str = Disposition.IN_PROGRESS.value
    sscc: str = ""
    each: int = 1
