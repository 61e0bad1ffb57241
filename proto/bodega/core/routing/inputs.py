"""What a routing decision is made from: everything that a rule may look at, and nothing else.

Inputs are kept with the decision, so that it can be made again, bit for bit. Their destination is personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.core.promise import Standing


@dataclass(frozen=True, slots=True)
class Destination:
    """Where it goes: ISO 3166-1 alpha-2 country, postal code as it is printed, degrees of WGS 84."""

    country: str
    postal_code: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be served, in base units of a SKU; weight and volume are those of one base unit, 0 if not known."""

    line: int
    sku_id: str
    quantity: int
    product_class: str = ""
    weight_g: int = 0
    volume_ml: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """A carrier service that takes all of the order from a node: price in minor units, local days as YYYY-MM-DD.

    `ship_date` is the collection that a parcel still reaches, `due_date` the day of delivery. `misses`: classes that
    the service is for, but whose day it does not keep any more.
    """

    service: str
    carrier: str
    service_class: str
    price_minor: int
    currency: str
    ship_date: str
    due_date: str
    misses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A node as it stands. `standings` by SKU: one that is not there is one that the node does not hold.

    `open_orders` is what waits there, `capacity_orders` what it may have waiting (0: no bound); `silent_s` is how long
    nothing was heard of it, -1 if never. `labels` are the operator's own words for it. `local_minute` of its own day
    and ISO `weekday`, where its time zone is known (-1 and 0 if not).
    """

    node_id: str
    latitude: float
    longitude: float
    standings: Mapping[str, Standing]
    kind: str = ""
    country: str = ""
    open_orders: int = 0
    capacity_orders: int = 0
    silent_s: int = 0
    offers: tuple[Offer, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    local_minute: int = -1
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Sellable units of one SKU and lot in one bin of a node, as its book has them.

    `first_out` sorts lots, what must go first has the least. `kind` and `temperature_class` are the bin's, "" if not
    said; bins are walked by `walk_order`.
    """

    bin_id: str
    quantity: int
    lot: str = ""
    first_out: str = ""
    walk_order: int = 0
    kind: str = ""
    temperature_class: str = ""

    @property
    def name(self) -> str:
        """As choices call it."""
        return f"{self.bin_id} lot {self.lot}" if self.lot else self.bin_id


@dataclass(frozen=True, slots=True)
class Walk:
    """The shelves of the one SKU that is asked for, and the bin where the person stands.

    `lot`: what that person has said is taken there, before any other.
    """

    shelves: tuple[Shelf, ...] = ()
    at_bin: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """One question. `now_ms`: milliseconds since 1970-01-01 UTC.

    `method`: "parcel", "courier", "pickup" or "locker"; `at_node`: where the customer comes to, if so.
    `passed_over`: nodes that are not asked (they handed it back), each with the reason. `shares_max`: how many nodes
    the order may be split over, 1: it may not. `walk`: where a node asks itself which of its bins serve (`shelves.py`);
    `passed_over` are bins then.
    """

    now_ms: int
    channel: str
    method: str
    service_class: str
    lines: tuple[Line, ...]
    destination: Destination
    sites: tuple[Site, ...]
    ship_complete: bool = False
    ship_by_ms: int = 0
    at_node: str = ""
    passed_over: Mapping[str, str] = field(default_factory=dict)
    shares_max: int = 1
    walk: Walk = Walk()
