"""What replenishing must know: the pick face in work, or at idle the one that needs it most."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Source:
    """Units that may be sold and lie somewhere else than on the face. `first_out` sorts lots: the first to expire."""

    bin_id: str
    lot: str
    quantity: int
    walk_order: int = 0
    first_out: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """A pick face with a fixed SKU; `held` units lie there, it is refilled to `refill_to`."""

    bin_id: str
    sku_id: str
    held: int
    refill_below: int
    refill_to: int
    walk_order: int = 0
    name: str = ""
    gtins: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def wanted(self) -> int:
        """Units that are lacking."""
        return max(0, self.refill_to - self.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplenishFacts(Facts):
    """`face`: see the module's text; None if no face needs anything that the node has."""

    face: Face | None = None
