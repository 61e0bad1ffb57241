"""Where a parcel may wait for its customer, and which place to suggest."""

from __future__ import annotations

from collections.abc import Sequence

from bodega_agent.rules.floor.pickup.facts import Pickup, Place

LOCKER = "locker"


def fitting(pickup: Pickup, places: Sequence[Place]) -> tuple[Place, ...]:
    """Places of the kind that its method asks for; none if the node has none, and then any bin will do."""
    kind = LOCKER if pickup.method == LOCKER else "pickup"
    return tuple(place for place in places if place.kind == kind)


def is_taken(pickup: Pickup, place: Place) -> bool:
    """Whether a customer who opens this locker would find another's parcel."""
    return place.kind == LOCKER and any(order != pickup.fulfillment_order_id for order in place.waiting)


def suggested(pickup: Pickup, places: Sequence[Place]) -> str:
    """The place to put it: free, cold enough, and the one with the least in it; first in walking order among equals.

    Empty when every place that fits is taken.
    """
    free = [place for place in fitting(pickup, places) if not is_taken(pickup, place)]
    best = min(
        free,
        key=lambda place: (place.cold != pickup.cold, bool(place.left), len(place.waiting)),
        default=None,
    )
    return best.bin_id if best else ""
