"""Everything that an expression of a bundle may look at: `order.method`, `node.distance_km`, `item.product_class`.

Each fact has two example values of its type, by which expressions are tried when a bundle is checked. CEL does not
mix whole numbers and numbers with a point in arithmetic: km, degrees and shares are `double`, all others `int`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from bodega.core.routing.inputs import Offer
from bodega.core.routing.question import Candidate

Known: TypeAlias = bool | int | float | str | list[str] | dict[str, str]


class Fact(NamedTuple):
    """`of` takes it from what an expression is judged for. `late`: known once the stock has been looked at."""

    of: Callable[..., Known]
    examples: tuple[Known, Known]
    text: str
    late: bool = False


_EITHER = (False, True)


def _best(take: Callable[[Candidate, Offer], Known], *, none: Known) -> Callable[[Candidate], Known]:
    """A fact of the best carrier service of a node, or what it is where there is none."""
    return lambda node: none if node.offer is None else take(node, node.offer)


ORDER: Mapping[str, Fact] = {
    "method": Fact(lambda q: q.inputs.method, ("parcel", "pickup"), "parcel, courier, locker or pickup"),
    "channel": Fact(lambda q: q.inputs.channel, ("", "storefront"), "where it was ordered"),
    "service_class": Fact(
        lambda q: q.inputs.service_class, ("standard", "same_day"), "how soon it is to come"
    ),
    "country": Fact(
        lambda q: q.inputs.destination.country, ("PT", "CH"), "ISO 3166-1 alpha-2, of the recipient"
    ),
    "postal_code": Fact(lambda q: q.inputs.destination.postal_code, ("", "1000-001"), "of the recipient"),
    "units": Fact(lambda q: sum(item.quantity for item in q.items), (1, 100000), "base units asked in all"),
    "skus": Fact(lambda q: len(q.items), (1, 250), "different SKUs"),
    "weight_g": Fact(
        lambda q: sum(item.quantity * item.line.weight_g for item in q.items), (0, 1000000), "0: not known"
    ),
    "volume_ml": Fact(
        lambda q: sum(item.quantity * item.line.volume_ml for item in q.items), (0, 1000000), "0: not known"
    ),
    "classes": Fact(
        lambda q: sorted({item.line.product_class for item in q.items} - {""}),
        ([], ["frozen"]),
        "of products",
    ),
    "ship_complete": Fact(lambda q: q.inputs.ship_complete, _EITHER, "all from one node, or nothing"),
    "at_node": Fact(lambda q: q.inputs.at_node, ("", "lisbon-01"), "where the customer comes to"),
    "now_ms": Fact(lambda q: q.inputs.now_ms, (0, 4000000000000), "since 1970-01-01 UTC"),
    "ship_by_ms": Fact(lambda q: q.inputs.ship_by_ms, (0, 4000000000000), "0: not said"),
    "shares_max": Fact(lambda q: q.inputs.shares_max, (1, 6), "nodes that it may be split over"),
}

NODE: Mapping[str, Fact] = {
    "node_id": Fact(lambda c: c.site.node_id, ("lisbon-01", "porto-01"), "its name"),
    "kind": Fact(lambda c: c.site.kind, ("", "store"), "the operator's word for its sort"),
    "country": Fact(lambda c: c.site.country, ("", "PT"), "ISO 3166-1 alpha-2"),
    "labels": Fact(lambda c: dict(c.site.labels), ({}, {"region": "south"}), "the operator's own words"),
    "distance_km": Fact(lambda c: c.distance_km, (0.0, 20000.5), "great circle to the recipient"),
    "open_orders": Fact(lambda c: c.site.open_orders, (0, 10000), "waiting there"),
    "capacity_orders": Fact(lambda c: c.site.capacity_orders, (0, 10000), "that may wait there, 0: no bound"),
    "silent_s": Fact(lambda c: c.site.silent_s, (-1, 1000000), "since it was heard, -1: never"),
    "local_minute": Fact(lambda c: c.site.local_minute, (-1, 1439), "of its own day, -1: not known"),
    "weekday": Fact(lambda c: c.site.weekday, (0, 7), "ISO 8601, of its own day, 0: not known"),
    "covers_all": Fact(lambda c: c.covers_all, _EITHER, "may serve all of the order", late=True),
    "covered_units": Fact(lambda c: sum(c.gives.values()), (0, 100000), "units that it may serve", late=True),
    "stock_used": Fact(
        lambda c: c.stock_used,
        (0.0, 1.0),
        "share of what it may promise that this takes, worst SKU",
        late=True,
    ),
    "offers": Fact(lambda c: len(c.offers), (0, 50), "carrier services that may be chosen", late=True),
    "service": Fact(
        _best(lambda _, offer: offer.service, none=""), ("", "EXPRESS"), "the best of them", late=True
    ),
    "carrier": Fact(
        _best(lambda _, offer: offer.carrier, none=""), ("", "northpost"), "of that service", late=True
    ),
    "price_minor": Fact(
        _best(lambda _, offer: offer.price_minor, none=-1),
        (-1, 100000),
        "of that service, -1: none",
        late=True,
    ),
    "ship_in_days": Fact(
        _best(lambda node, offer: node.days_until(offer.ship_date), none=-1),
        (-1, 30),
        "-1: none",
        late=True,
    ),
    "due_in_days": Fact(
        _best(lambda node, offer: node.days_until(offer.due_date), none=-1),
        (-1, 30),
        "-1: none",
        late=True,
    ),
    "in_time": Fact(
        _best(lambda node, offer: node.in_time(offer) and node.question.keeps_class(offer), none=True),
        _EITHER,
        "the best service keeps class and day, or none is known",
        late=True,
    ),
}

ITEM: Mapping[str, Fact] = {
    "sku_id": Fact(lambda item: item.sku_id, ("TEA", "SALT"), "its name"),
    "quantity": Fact(lambda item: item.quantity, (1, 100000), "base units asked"),
    "product_class": Fact(lambda item: item.line.product_class, ("", "frozen"), "the class of the SKU"),
    "weight_g": Fact(lambda item: item.line.weight_g, (0, 100000), "of one base unit, 0: not known"),
    "volume_ml": Fact(lambda item: item.line.volume_ml, (0, 100000), "of one base unit, 0: not known"),
}

OFFER: Mapping[str, Fact] = {
    "service": Fact(lambda _, offer: offer.service, ("STANDARD", "EXPRESS"), "its name"),
    "carrier": Fact(lambda _, offer: offer.carrier, ("northpost", "southpost"), "who carries it"),
    "service_class": Fact(lambda _, offer: offer.service_class, ("standard", "same_day"), "how soon it is"),
    "price_minor": Fact(lambda _, offer: offer.price_minor, (0, 100000), "minor units of the currency"),
    "currency": Fact(lambda _, offer: offer.currency, ("EUR", "CHF"), "ISO 4217"),
    "ship_in_days": Fact(lambda node, offer: node.days_until(offer.ship_date), (0, 30), "to the collection"),
    "due_in_days": Fact(lambda node, offer: node.days_until(offer.due_date), (0, 30), "to the delivery"),
    "keeps_class": Fact(
        lambda node, offer: node.question.keeps_class(offer), _EITHER, "arrives within the days of the class"
    ),
    "in_time": Fact(lambda node, offer: node.in_time(offer), _EITHER, "leaves by the order's day"),
}

SHELF: Mapping[str, Fact] = {
    "bin_id": Fact(lambda shelf, _: shelf.bin_id, ("A-01-01", "B-02-03"), "its name"),
    "kind": Fact(lambda shelf, _: shelf.kind, ("", "pick_face"), "the kind of the bin"),
    "temperature_class": Fact(
        lambda shelf, _: shelf.temperature_class, ("", "chilled"), "of the bin, as the profile says"
    ),
    "lot": Fact(lambda shelf, _: shelf.lot, ("", "L42"), "the lot that lies there, if lots are kept"),
    "walk_order": Fact(lambda shelf, _: shelf.walk_order, (0, 10000), "the place of the bin in the walk"),
    "quantity": Fact(lambda shelf, _: shelf.quantity, (1, 100000), "base units there by the book"),
    "is_enough": Fact(
        lambda shelf, item: shelf.quantity >= item.quantity, _EITHER, "holds all that is asked"
    ),
}

FACTS: Mapping[str, Mapping[str, Fact]] = {
    "order": ORDER,
    "node": NODE,
    "item": ITEM,
    "offer": OFFER,
    "shelf": SHELF,
}
# What the rules of nodes may look at, and the rules of a node's own shelves.
OF_NODES, OF_SHELVES = ("order", "node", "item", "offer"), ("order", "node", "item", "shelf")
