"""Rights: for each unit that may be promised, exactly one side holds the right to promise it.

An escrow (bounded counter; O'Neil, "The Escrow Transactional Method", 1986): a side promises only from
rights that it holds, so that no partition can oversell. Moving rights is two-phase: the giver gives up
first, then the taker takes; in between they are in flight and nobody's. Nothing moves by time alone.

hub -> node: the hub grants (RightsGranted), the node takes (RightsTaken).
node -> hub: the hub may ask (RightsWanted), the node gives up (RightsReturned), the hub has them once it reads that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bodega.core.ledger import CUSTOMER, Movement
from bodega.errors import InvalidInput, Refused
from bodega.limits import QUANTITY_MAX

POST = "post"


@dataclass(frozen=True, slots=True)
class OwnRights:
    """A node's rights to one SKU: `promised` of those `held` stand behind its pending reservations."""

    held: int = 0
    promised: int = 0

    @property
    def free(self) -> int:
        """Units that may be promised, or given up, as far as rights go."""
        return self.held - self.promised

    def take(self, units: int) -> OwnRights:
        """The hub has given them."""
        return replace(self, held=self.held + _whole(units))

    def give_up(self, asked: int) -> tuple[OwnRights, int]:
        """Give up what is free, at most `asked`; the rights left and the units given up, which may be none."""
        given = min(_whole(asked), self.free)
        return replace(self, held=self.held - given), given

    def promise(self, units: int) -> OwnRights:
        """Put rights behind a reservation. Refused with code "insufficient-rights" if too few are free."""
        if _whole(units) > self.free:
            raise Refused(
                f"{units} asked, {self.free} rights are free",
                code="insufficient-rights",
                hint="ask for less, or have the hub grant rights: bodegactl rights grant",
            )
        return replace(self, promised=self.promised + units)

    def release(self, units: int) -> OwnRights:
        """A reservation gave these back; the rights stay."""
        return replace(self, promised=self.promised - units)

    def spend(self, units: int) -> OwnRights:
        """Goods left the shelf for a reservation: right and promise end together."""
        return OwnRights(self.held - units, self.promised - units)


@dataclass(frozen=True, slots=True)
class NodeRights:
    """What the hub knows of a node's rights to one SKU.

    `held`: the node's word, as far as its journal is read. `in_flight`: granted, and not yet seen taken.
    `wanted`: asked back, and not yet answered; until then they are the node's.
    """

    held: int = 0
    in_flight: int = 0
    wanted: int = 0

    @property
    def not_the_hubs(self) -> int:
        """Units that the hub must not promise."""
        return self.held + self.in_flight

    def grant(self, units: int) -> NodeRights:
        """The hub gives up; the caller has checked that it may."""
        return replace(self, in_flight=self.in_flight + _whole(units))

    def taken(self, granted: int, held: int) -> NodeRights:
        """The node has taken what was `granted` and holds `held` now."""
        return replace(self, held=held, in_flight=max(0, self.in_flight - granted))

    def want(self, units: int) -> NodeRights:
        """The hub asks for rights; nothing is its own before the answer."""
        return replace(self, wanted=self.wanted + _whole(units))

    def returned(self, asked: int, held: int) -> NodeRights:
        """The node has given rights up, holds `held` now, and has answered a request for `asked` (0: none)."""
        return replace(self, held=held, wanted=max(0, self.wanted - asked))

    def spent(self, units: int) -> NodeRights:
        """The node posted: the goods are gone, and the right with them."""
        return replace(self, held=max(0, self.held - units))


def spent_by(movement: Movement) -> Mapping[str, int]:
    """SKU -> rights that a movement used up: what a `post` brought to a customer, and nothing else.

    Both ends read it from the movement itself, so shelf and rights change in one commit wherever an
    envelope is cut.
    """
    spent: dict[str, int] = {}
    if movement.command == POST:
        for account, quantity, _serials in movement.postings:
            if account.external == CUSTOMER:
                spent[account.sku_id] = spent.get(account.sku_id, 0) + quantity
    return spent


def _whole(units: int) -> int:
    if not 0 < units <= QUANTITY_MAX:
        raise InvalidInput(f"{units} rights can not move", hint=f"give 1 to {QUANTITY_MAX} base units")
    return units
