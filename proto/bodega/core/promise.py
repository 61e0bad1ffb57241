"""Promises: what may be sold. They authorize, and may refuse.

The hub promises only from rights that it holds: sellable units of a node less those whose rights the
node keeps for itself. A reservation is two-phase: units are pending until goods leave the shelf for
them (post) or are given back (void). available + reserved + safety + node rights = sellable, or less
when stock was lost under promises: that shortfall is measured, never hidden below zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bodega.core.lifecycles import RESERVATION, ReservationEvent, ReservationState
from bodega.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Standing:
    """One SKU at one node, in base units. `safety_stock` units are never promised."""

    sellable: int
    node_rights: int = 0
    reserved: int = 0
    safety_stock: int = 0

    @property
    def available(self) -> int:
        """Available to promise, not below zero."""
        return max(0, self.sellable - self.node_rights - self.reserved - self.safety_stock)

    @property
    def shortfall(self) -> int:
        """Units promised that the shelf does not hold any more; zero in good times."""
        return max(0, self.reserved + self.node_rights - self.sellable)


def demand_by_sku(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Lines summed per SKU: two lines for the same SKU are one question, not two."""
    total: dict[str, int] = {}
    for sku_id, quantity in lines:
        total[sku_id] = total.get(sku_id, 0) + quantity
    return total


@dataclass(frozen=True, slots=True)
class Reservation:
    """A promise of `quantity` base units, of which some are posted and some given back."""

    quantity: int
    posted: int = 0
    voided: int = 0
    state: ReservationState = ReservationState.PENDING

    @property
    def pending(self) -> int:
        """Units still promised and still on the shelf."""
        return self.quantity - self.posted - self.voided

    def post(self, quantity: int) -> Reservation:
        """Goods left the shelf for it. More than was pending is posted only up to what was pending."""
        taken = min(_positive(quantity), self.pending)
        return self._settle(replace(self, posted=self.posted + taken), ReservationEvent.POST)

    def void(self) -> Reservation:
        """Give back all that is pending; a settled reservation stays as it is."""
        if self.pending == 0:
            return self
        event = ReservationEvent.POST if self.posted else ReservationEvent.VOID
        return self._settle(replace(self, voided=self.voided + self.pending), event)

    def _settle(self, after: Reservation, event: ReservationEvent) -> Reservation:
        if after.pending or self.state is not ReservationState.PENDING:
            return after
        return replace(after, state=RESERVATION.step(self.state, event))


def _positive(quantity: int) -> int:
    if quantity <= 0:
        raise InvalidInput(f"quantity {quantity} must be above zero")
    return quantity
