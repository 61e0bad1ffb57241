"""What arriving remembers between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Arriving(Doing):
    """The transfer, and what was scanned last: a number or "damaged" is about it.

    While `unknown`, nobody has confirmed yet that a text which this node has not heard of is a transfer.
    """

    transfer_id: str
    unknown: bool = False
    sku_id: str = ""
    name: str = ""
    lot: str = ""
    quantity: int = 0
    serials: tuple[str, ...] = ()
    serial_tracked: bool = False
