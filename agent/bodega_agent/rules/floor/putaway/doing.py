"""What put-away remembers between item and bin."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class InHand(Doing):
    """Goods that a person holds between two scans of put-away; the book still has them where they were."""

    sku_id: str
    name: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()
