"""What the hub promises and routes by, at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.routing.bundle import DEFAULT, Bundle


@dataclass(frozen=True, slots=True)
class Policy:
    """`safety_stock`: base units of each SKU that a node never promises. `bundle`: the routing rules in force.

    `activation`: which one has put them in force; 0: none, they are the default.
    """

    safety_stock: int
    bundle: Bundle = DEFAULT
    activation: int = 0
