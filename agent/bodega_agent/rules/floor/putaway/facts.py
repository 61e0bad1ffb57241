"""What put-away must know: `waiting`, `load` and `bins` of what was scanned, or is in hand.

`load` is one base unit of it, or the whole pallet. `bins` are those that might do, and the one that was scanned.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.ledger import Disposition
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load

NOTHING = Load(0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units that wait to be put away: on DOCK, on a pallet, or on the stage of a cancelled fulfillment order."""

    place: str
    sku_id: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()
    disposition: str = Disposition.IN_PROGRESS.value
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAwayFacts(Facts):
    """See the module's text."""

    waiting: tuple[Waiting, ...] = ()
    load: Load = NOTHING
    bins: tuple[BinFacts, ...] = ()

    def bin(self, bin_id: str) -> BinFacts:
        """What is known of a bin; nothing speaks against one of which nothing is."""
        return next((place for place in self.bins if place.bin_id == bin_id), BinFacts(bin_id))
