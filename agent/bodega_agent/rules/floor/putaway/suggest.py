"""Which bin goods go into: a rank for every bin that might do, and what speaks against the others.

What a bin must have: the goods' temperature class, no other SKU of its own, room for them, and the right purpose:
what is damaged or on hold goes to quality, everything else does not. Of those that do, in this order: the one that
people here have named for the SKU, the SKU's fixed bin, one that holds it already, one of its velocity class, one of
no class, any other; then an empty one, then the nearest to the door.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from bodega.core.floor_words import BinKind, TemperatureClass

# Purposes of bins that stock lies in until it is picked; the empty one serves as all of them.
SHELVES = frozenset({"", BinKind.PICK_FACE, BinKind.RESERVE})


class Tier(IntEnum):
    """How well a bin suits, the best first."""

    NAMED_HERE = 0
    FIXED = 1
    HAS_THE_SAME = 2
    SAME_CLASS = 3
    NO_CLASS = 4
    OTHER_CLASS = 5
    UNFIT = 6


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be put away at once. `sku_id` is empty for a pallet of several, `set_apart`: not for sale."""

    quantity: int
    sku_id: str = ""
    volume_ml: int = 0
    weight_g: int = 0
    temperature_class: str = TemperatureClass.AMBIENT
    velocity_class: str = ""
    set_apart: bool = False

    def times(self, number: int) -> Load:
        """So many of it."""
        return replace(
            self,
            quantity=self.quantity * number,
            volume_ml=self.volume_ml * number,
            weight_g=self.weight_g * number,
        )


@dataclass(frozen=True, slots=True)
class BinFacts:
    """A bin as `catalogue.proto` describes it, with what lies there; `named`: people here have named it for the SKU.

    `same`: units of the SKU; `units`, `used_ml`, `used_g`: of everything.
    """

    bin_id: str
    walk_order: int = 0
    kind: str = ""
    temperature_class: str = TemperatureClass.AMBIENT
    velocity_class: str = ""
    capacity_ml: int = 0
    capacity_g: int = 0
    fixed_sku_id: str = ""
    refill_to: int = 0
    named: bool = False
    same: int = 0
    units: int = 0
    used_ml: int = 0
    used_g: int = 0


def against(load: Load, place: BinFacts) -> str:
    """What speaks against putting the load there, in a few words; empty if nothing does."""
    if load.set_apart:
        return "" if place.kind == BinKind.QUALITY else "is not for goods that are set apart"
    if place.kind not in SHELVES:
        return f"is for {place.kind}"
    if place.temperature_class != load.temperature_class:
        return f"is {place.temperature_class}, not {load.temperature_class}"
    if place.fixed_sku_id not in {"", load.sku_id}:
        return f"is only for {place.fixed_sku_id}"
    if place.fixed_sku_id and place.refill_to and place.same + load.quantity > place.refill_to:
        return f"takes only {max(0, place.refill_to - place.same)} more"
    if place.capacity_ml and place.used_ml + load.volume_ml > place.capacity_ml:
        return "has no room"
    if place.capacity_g and place.used_g + load.weight_g > place.capacity_g:
        return "does not bear the weight"
    return ""


def tier(load: Load, place: BinFacts) -> Tier:
    """How well the bin suits."""
    if against(load, place):
        return Tier.UNFIT
    if place.named:
        return Tier.NAMED_HERE
    if place.fixed_sku_id and place.fixed_sku_id == load.sku_id:
        return Tier.FIXED
    if place.same:
        return Tier.HAS_THE_SAME
    if place.velocity_class == load.velocity_class:
        return Tier.SAME_CLASS
    return Tier.OTHER_CLASS if place.velocity_class else Tier.NO_CLASS


def best(load: Load, places: Iterable[BinFacts]) -> BinFacts | None:
    """The bin that suits best; None if none does."""
    fit = [place for place in places if not against(load, place)]
    return min(fit, key=lambda place: _rank(load, place), default=None)


def _rank(load: Load, place: BinFacts) -> tuple[int, int, bool, int, str]:
    """Of bins with the same goods the fullest comes first: a SKU does not spread without need."""
    return (tier(load, place), -place.same, place.units > 0, place.walk_order, place.bin_id)


# Bins that suit the goods alike: between these a person chooses as he likes.
_GRADE = {Tier.NAMED_HERE: 0, Tier.FIXED: 0, Tier.OTHER_CLASS: 2, Tier.UNFIT: 3}


def _grade(load: Load, place: BinFacts) -> int:
    return _GRADE.get(tier(load, place), 1)


def objection(load: Load, chosen: BinFacts, suggested: BinFacts | None) -> str:
    """Why a person who takes `chosen` instead must give a reason; empty for one that suits as well."""
    if spoken := against(load, chosen):
        return f"{chosen.bin_id} {spoken}."
    if suggested is None or _grade(load, chosen) <= _grade(load, suggested):
        return ""
    return f"{chosen.bin_id} is not {suggested.bin_id}."
