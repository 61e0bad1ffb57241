"""What sending remembers between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Sending(Doing):
    """The transfer, and what was scanned last at this bin: a number says how many of it were taken in all."""

    transfer_id: str
    sku_id: str = ""
    lot: str = ""
    taken: int = 0
