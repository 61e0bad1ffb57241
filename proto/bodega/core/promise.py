"""Promises: what may be sold. They authorize, and may refuse.

The hub promises only from rights that it holds: sellable units of a node less those whose rights the
node keeps for itself (`core.rights`). A reservation is two-phase: units are pending until goods leave the
shelf for them (post) or are given back (void, expire). What a side may promise is never below zero, and
adds up with what it is made of; stock lost under promises is a measured shortfall, never hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from bodega.core.lifecycles import RESERVATION, ReservationEvent, ReservationState
from bodega.errors import FieldFault, InvalidInput, Refused


@dataclass(frozen=True, slots=True)
class Standing:
    """One SKU at one node, in base units. `safety_stock` units are never promised; a person keeps `held_back`."""

    sellable: int
    node_rights: int = 0
    reserved: int = 0
    safety_stock: int = 0
    held_back: int = 0

    @property
    def available(self) -> int:
        """Available to promise, not below zero."""
        kept = self.node_rights + self.reserved + self.held_back + self.safety_stock
        return max(0, self.sellable - kept)

    @property
    def shortfall(self) -> int:
        """Units promised that the shelf does not hold any more; zero in good times."""
        return max(0, self.reserved + self.node_rights - self.sellable)


class ServiceClass(StrEnum):
    """How soon an order was promised; the first is kept first where stock runs short."""

    SAME_DAY = "same_day"
    NEXT_DAY = "next_day"
    STANDARD = "standard"


class OverrideRule(StrEnum):
    """A rule that a person may set aside for a while, with a reason."""

    # Units that must not be promised, though they are sellable.
    HOLD = "hold"
    # A lot that may be sold though its expiry has passed.
    EXPIRED = "expired"
    # A later lot that may go before an earlier one.
    FEFO = "fefo"


class Hold(NamedTuple):
    """Units kept from being promised: of one lot, or of all where `lot` is empty; 0 units means all of them."""

    lot: str
    quantity: int


def held_back(holds: Iterable[Hold], sellable: Mapping[str, int]) -> int:
    """Units that the open holds keep back of what is sellable (by lot); never more than there is."""
    of_lots: dict[str, int] = {}
    of_all = 0
    for lot, quantity in holds:
        there = sellable.get(lot, 0) if lot else sum(sellable.values())
        kept = min(quantity, there) if quantity else there
        if lot:
            of_lots[lot] = min(there, of_lots.get(lot, 0) + kept)
        else:
            of_all += kept
    return min(sum(sellable.values()), sum(of_lots.values()) + of_all)


class Part(NamedTuple):
    """A line of a breakdown: signed base units, a stable word for programs and a phrase for people."""

    units: int
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """What a node may promise of one SKU, in base units.

    `sellable`: on sellable places, in lots that have not expired. `hub_reserved`: open lines of the hub's
    orders. `local_reserved`: pending reservations of the node's own. `rights_held`: units whose right the
    node holds, promised or not. `held_back`: kept by overrides.
    """

    sellable: int
    hub_reserved: int = 0
    local_reserved: int = 0
    rights_held: int = 0
    held_back: int = 0

    @property
    def shortfall(self) -> int:
        """Units promised, by whichever side, that the shelf does not hold any more; zero in good times."""
        return max(0, self.hub_reserved + self.local_reserved - self.sellable)

    @property
    def available(self) -> int:
        """Units that the node may promise: what its rights and its shelf both allow, not below zero."""
        on_shelf = self.sellable - self.hub_reserved - self.local_reserved - self.held_back
        return max(0, min(self.rights_held - self.local_reserved, on_shelf))

    def breakdown(self) -> tuple[Part, ...]:
        """How `available` comes about: the units of all lines sum to it."""
        unpromised = max(0, self.sellable - self.hub_reserved - self.local_reserved)
        kept = min(self.held_back, unpromised)
        return (
            Part(self.sellable, "sellable", "on sellable places, not expired"),
            Part(-self.hub_reserved, "hub_reserved", "promised to the hub's orders, not yet picked"),
            Part(-self.local_reserved, "local_reserved", "promised here, not yet handed over"),
            Part(self.shortfall, "shortfall", "promised, but not on the shelf any more"),
            Part(-kept, "held_back", "kept back by a person"),
            Part(
                self.available - (unpromised - kept), "no_right", "for the hub to promise, not for the node"
            ),
        )


def refuse_beyond(standings: Mapping[str, NodeStanding], demand: Mapping[str, int]) -> None:
    """Raise Refused with code "insufficient-rights" if any SKU is asked for more than may be promised.

    `faults` names every such SKU with what is there and what was asked.
    """
    faults = tuple(
        FieldFault(
            sku_id,
            f"{asked} asked, {standings[sku_id].available} may be promised ({_why(standings[sku_id])})",
        )
        for sku_id, asked in sorted(demand.items())
        if asked > standings[sku_id].available
    )
    if faults:
        raise Refused(
            f"this node may not promise that: {'; '.join(map(str, faults))}",
            code="insufficient-rights",
            hint="ask for less, release a reservation, or have the hub grant rights: bodegactl rights grant",
            faults=faults,
        )


def _why(standing: NodeStanding) -> str:
    return ", ".join(f"{part.word} {part.units:+d}" for part in standing.breakdown() if part.units)


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

    def lose(self, quantity: int) -> Reservation:
        """Units that the shelf does not hold for it; more than was pending counts only up to what was pending."""
        lost = min(_positive(quantity), self.pending)
        after = replace(self, voided=self.voided + lost)
        return self._settle(after, ReservationEvent.POST if self.posted else ReservationEvent.VOID)

    def void(self) -> Reservation:
        """Give back all that is pending; a settled reservation stays as it is."""
        return self._give_back(ReservationEvent.VOID)

    def expire(self) -> Reservation:
        """Give back all that is pending because its time is over; a settled reservation stays as it is."""
        return self._give_back(ReservationEvent.EXPIRE)

    def _give_back(self, event: ReservationEvent) -> Reservation:
        if self.pending == 0:
            return self
        after = replace(self, voided=self.voided + self.pending)
        return self._settle(after, ReservationEvent.POST if self.posted else event)

    def _settle(self, after: Reservation, event: ReservationEvent) -> Reservation:
        if after.pending or self.state is not ReservationState.PENDING:
            return after
        return replace(after, state=RESERVATION.step(self.state, event))


def _positive(quantity: int) -> int:
    if quantity <= 0:
        raise InvalidInput(f"quantity {quantity} must be above zero")
    return quantity
