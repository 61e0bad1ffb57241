"""What staging and collecting must know: the pickup that the session is about, the one that was scanned, the places."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.floor_words import Method, TemperatureClass
from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Pickup:
    """A fulfillment order as far as it is fetched by a customer; `method` is a `Method`, or empty for a parcel.

    `bin_id`: where it waits once it is staged. `code_sha256`: see `code.py`; empty if the hub has sent none.
    `wrong_codes`: how often a wrong one was said. `temperature`: the coldest class of its goods.
    """

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    method: str
    sscc: str
    bin_id: str = ""
    code_sha256: bytes = b""
    wrong_codes: int = 0
    temperature: str = TemperatureClass.AMBIENT

    @property
    def is_fetched(self) -> bool:
        """Whether a customer comes for it, and no carrier."""
        return self.method in {Method.PICKUP, Method.LOCKER}


@dataclass(frozen=True, slots=True)
class Place:
    """A bin of kind PICKUP or LOCKER. `waiting`: orders whose parcels wait in it.

    `left`: orders that are over while their goods are not put back yet; their parcels may still stand there.
    """

    bin_id: str
    kind: str
    temperature: str = TemperatureClass.AMBIENT
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
