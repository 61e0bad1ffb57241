"""Which node serves an order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """The rule in force and the units of each SKU that a node never promises."""

    safety_stock: int
    rule: str = "nearest-with-floor@1"
