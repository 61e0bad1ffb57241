"""Values of shipping: cards, carriers, quotes and promises."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.parcels import Parcels
from bodega.core.rates import Quote
from bodega.core.routing.inputs import Offer


@dataclass(frozen=True, slots=True)
class CardView:
    """A card in a list; fields as in bodega.v1.RateCardSummary."""

    version: int
    name: str
    digest: bytes
    valid_from: str
    imported_at_ms: int
    services: int
    carriers: tuple[str, ...]
    currency: str
    in_force: bool


@dataclass(frozen=True, slots=True)
class CarrierView:
    """A carrier as it stands; fields as in bodega.v1.CarrierStatus."""

    carrier: str
    services: tuple[str, ...]
    down: bool = False
    since_ms: int = 0
    said_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Priced:
    """One service for all parcels of an order: `quote` is of one parcel.

    `order_by_ms`: until when the collection of the quote is reached, milliseconds since 1970-01-01 UTC. `suspended`:
    the carrier is down.
    """

    parcels: Parcels
    quote: Quote
    order_by_ms: int
    suspended: bool = False

    @property
    def price_minor(self) -> int:
        """For all parcels."""
        return self.parcels.count * self.quote.price_minor

    @property
    def offer(self) -> Offer:
        """As routing rules see it."""
        quote = self.quote
        return Offer(
            quote.service,
            quote.carrier,
            quote.service_class,
            self.price_minor,
            quote.currency,
            quote.ship_date.isoformat(),
            quote.due_date.isoformat(),
            quote.misses,
        )


@dataclass(frozen=True, slots=True)
class Shippers:
    """Nodes that have the same services and boxes, by id, and what each service takes from any of them."""

    node_ids: tuple[str, ...]
    priced: tuple[Priced, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer may be told for one class of service: who sends it, with which service, and when it arrives.

    `on_time`: it arrives within the days of `service_class` (the same day; the next working day; any); a class that
    no carrier can keep now is promised late, with its day. `order_by_ms`: until when this promise holds.
    """

    service_class: str
    node_id: str
    offer: Offer
    on_time: bool
    order_by_ms: int
