"""What the hold flow remembers between item and verdict."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Judged(Doing):
    """Goods in the session's bin that a person judges. `quantity` is 0 until a number was said: then it is all of them.

    `serials`: the one unit that was scanned, where units have serials.
    """

    sku_id: str
    name: str
    lot: str
    quantity: int = 0
    serials: tuple[str, ...] = ()
