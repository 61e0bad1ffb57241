"""What packing must know beside what picking knows: what is in the box by now, the node's boxes, and its carriers.

- pack, pack_item, pack_short, pack_carton, pack_weigh: all of it, of the session's order.
- label: `work` only.
- void_parcel: `work` of the scanned parcel; void_reason: of the parcel, with its contents, box and weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from bodega.core.rates import Consignment, LocalTime, Service
from bodega_agent.rules.cartons import Carton, Piece
from bodega_agent.rules.floor.alone import Alone
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.session import FloorStep


@dataclass(frozen=True, slots=True)
class Content:
    """What of one SKU lies on the order's stage (`piece.quantity`), and how many units somebody has `seen` in the box.

    A scan counts, and so does a pass of the camera. `lots` and `serials` are those on the stage, `scanned` the serials
    that are in the box already.
    """

    sku_id: str
    piece: Piece
    gtins: tuple[str, ...] = ()
    seen: int = 0
    lots: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Units that nobody has seen in the box."""
        return max(0, self.piece.quantity - self.seen)


@dataclass(frozen=True, slots=True)
class Packing:
    """How far the packing of one order is.

    `carton_id` is None until a box is given, and empty for a box of no list. `weight_g` is a reading that a person must
    still accept, or what a closed parcel weighs. `verifies`: the contents must be seen before the parcel is closed.
    """

    begun: bool = False
    contents: tuple[Content, ...] = ()
    cartons: tuple[Carton, ...] = ()
    carton_id: str | None = None
    weight_g: int = 0
    has_scale: bool = False
    verifies: bool = False

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What is to be in the box."""
        return tuple(content.piece for content in self.contents)

    @property
    def missing(self) -> tuple[Content, ...]:
        """What nobody has seen in the box yet."""
        return tuple(content for content in self.contents if content.missing)

    @property
    def carton(self) -> Carton | None:
        """The box of the list that was given."""
        return next((one for one in self.cartons if one.carton_id == self.carton_id), None)

    @property
    def step(self) -> FloorStep:
        """Where packing goes on; PACK where nothing is in the way of closing the parcel, or nobody has begun."""
        if not self.begun:
            return FloorStep.PACK
        if self.verifies and self.missing:
            return FloorStep.PACK_ITEM
        if not self.cartons:
            return FloorStep.PACK
        return FloorStep.PACK_CARTON if self.carton_id is None else FloorStep.PACK_WEIGH

    def with_content(self, changed: Content) -> Packing:
        """The same with one SKU changed; none of it left: without it."""
        contents = (changed if one.sku_id == changed.sku_id else one for one in self.contents)
        return replace(self, contents=tuple(one for one in contents if one.piece.quantity))


@dataclass(frozen=True, slots=True)
class Shipping:
    """The carriers that collect here, and where the order goes. `without`: those that have no tracking number left.

    `alone`: what the node decides by if the hub's choice can not be; None before the hub has given it a bundle.

    Of `sent` the weight and the volume are still to come. Personal data: never logged.
    """

    card: tuple[Service, ...] = field(repr=False)
    sent: Consignment = field(repr=False)
    now: LocalTime = field(default=LocalTime(date.min, 0))
    without: frozenset[str] = frozenset()
    alone: Alone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFacts(PickFacts):
    """`shipping` is None where no carrier is asked: there is no rate card, or the customer fetches it.

    `slips`: packing slips are printed. `ship_complete`: all or nothing.
    """

    packing: Packing = Packing()
    shipping: Shipping | None = None
    slips: bool = False
    ship_complete: bool = False


def packing_of(facts: PickFacts) -> Packing:
    """How far packing is; where only picking's facts are at hand, as if nobody had begun."""
    return facts.packing if isinstance(facts, PackFacts) else Packing()
