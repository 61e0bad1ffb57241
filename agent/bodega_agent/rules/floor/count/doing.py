"""What counting remembers between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Choosing(Doing):
    """Which bin next: these were skipped, and come again at the end."""

    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counting(Doing):
    """A round of a count; SKU and lot are of the line that a number is about, if there is one."""

    count_id: str
    round: int
    sku_id: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Deciding(Doing):
    """Counts that wait for approval: these lines ("count/sku/lot") were skipped."""

    skipped: tuple[str, ...] = ()
