"""Where a parcel may wait for its customer, and which place to suggest."""

from __future__ import annotations

from collections.abc import Sequence

from bodega.core.floor_words import BinKind, Method
from bodega_agent.rules.floor.pickup.facts import Pickup, Place


def fitting(pickup: Pickup, places: Sequence[Place]) -> tuple[Place, ...]:
    """Places of the kind that its method asks for, and as cold as its goods.

    A node without a place so cold takes those that it has, and one without a place of the kind any bin: then none fits.
    """
    kind = BinKind.LOCKER if pickup.method == Method.LOCKER else BinKind.PICKUP
    of_kind = tuple(place for place in places if place.kind == kind)
    return tuple(place for place in of_kind if place.temperature == pickup.temperature) or of_kind


def is_taken(pickup: Pickup, place: Place) -> bool:
    """Whether a customer who opens this locker would find another's parcel."""
    return place.kind == BinKind.LOCKER and any(
        order != pickup.fulfillment_order_id for order in place.waiting
    )


def suggested(pickup: Pickup, places: Sequence[Place]) -> str:
    """The place to put it: free, and the one with the least in it; first in walking order among equals.

    Empty when every place that fits is taken, and where none does.
    """
    free = [place for place in fitting(pickup, places) if not is_taken(pickup, place)]
    best = min(free, key=lambda place: (len(place.left), len(place.waiting)), default=None)
    return best.bin_id if best else ""
