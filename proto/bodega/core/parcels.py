"""How many parcels an order becomes, and how heavy and large they are: an estimate, before anybody packs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bodega.limits_hub import PARCELS_PER_ORDER_MAX


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a node's list: inner sides, its own weight, and the most that it may weigh when closed (0: any)."""

    sides_mm: tuple[int, int, int]
    weight_g: int = 0
    max_weight_g: int = 0

    @property
    def room_ml(self) -> int:
        """What it holds."""
        length, width, height = self.sides_mm
        return length * width * height // 1000


@dataclass(frozen=True, slots=True)
class Goods:
    """Base units of one SKU; weight and volume are of one unit, 0 where nobody has said."""

    quantity: int
    weight_g: int = 0
    volume_ml: int = 0


@dataclass(frozen=True, slots=True)
class Parcels:
    """`count` parcels of the same weight and room. `sides_mm` is empty where the node has no list of boxes."""

    count: int
    weight_g: int
    volume_ml: int
    sides_mm: tuple[int, ...] = ()


def estimate(goods: Iterable[Goods], boxes: Sequence[Box]) -> Parcels:
    """As few parcels as the boxes allow, in the smallest box that does it; what is billed is the room of the box.

    Goods that even PARCELS_PER_ORDER_MAX boxes do not hold are taken as one parcel without a box: no bracket of a
    carrier takes it, and that is said where it is asked.
    """
    rows = list(goods)
    weight_g = sum(one.quantity * one.weight_g for one in rows)
    volume_ml = sum(one.quantity * one.volume_ml for one in rows)
    needed = [(count, box) for box in boxes if (count := _boxes(weight_g, volume_ml, box))]
    if not needed:
        return Parcels(1, weight_g, volume_ml)
    count, box = min(needed, key=lambda one: (one[0], one[1].room_ml, one[1].weight_g, one[1].sides_mm))
    return Parcels(count, -(-weight_g // count) + box.weight_g, box.room_ml, box.sides_mm)


def _boxes(weight_g: int, volume_ml: int, box: Box) -> int:
    """How many of this box it takes; 0 if it can not be done."""
    by_room = -(-volume_ml // box.room_ml) if box.room_ml else PARCELS_PER_ORDER_MAX + 1
    bears_g = box.max_weight_g - box.weight_g
    by_weight = 1
    if box.max_weight_g:
        by_weight = -(-weight_g // bears_g) if bears_g > 0 else PARCELS_PER_ORDER_MAX + 1
    count = max(1, by_room, by_weight)
    return count if count <= PARCELS_PER_ORDER_MAX else 0
