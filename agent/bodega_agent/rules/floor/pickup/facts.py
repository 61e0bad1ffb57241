"""What staging and collecting must know: the pickup that the session is about, the one that was scanned, the places."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Pickup:
    """A fulfillment order as far as it is fetched by a customer; `method` "parcel" (or empty) is not.

    `bin_id`: where it waits once it is staged. `code_sha256`: see `code.py`; empty if the hub has sent none.
    `wrong_codes`: how often a wrong one was said. `cold`: the coldest class of its goods, empty for ambient.
    """

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    method: str
    sscc: str
    bin_id: str = ""
    code_sha256: bytes = b""
    wrong_codes: int = 0
    cold: str = ""

    @property
    def is_fetched(self) -> bool:
        """Whether a customer comes for it, and no carrier."""
        return self.method in {"pickup", "locker"}


@dataclass(frozen=True, slots=True)
class Place:
    """A bin of kind "pickup" or "locker". `waiting`: orders whose parcels wait in it.

    `left`: orders that are over while their goods are not put back yet; their parcels may still stand there.
    """

    bin_id: str
    kind: str
    cold: str = ""
    waiting: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupFacts(Facts):
    """`pickup`: of the session. `scanned`: what the scan names by parcel, order or place; several in one place.

    `places`: every place for pickups and lockers, in walking order.
    """

    pickup: Pickup | None = None
    scanned: tuple[Pickup, ...] = ()
    places: tuple[Place, ...] = ()
