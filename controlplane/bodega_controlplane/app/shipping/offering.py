"""What routing chooses from, and what a customer is promised: offers by node, promises by class of service."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bodega.core.parcels import Goods
from bodega.core.rates import SERVICE_CLASSES, keeps, preference
from bodega.core.routing.inputs import Destination, Line, Offer
from bodega_controlplane.app.shipping.quoting import Sent, priced_at, usable
from bodega_controlplane.app.shipping.views import Priced, Promise
from bodega_controlplane.store.transaction import Transaction


def goods_of(lines: Iterable[Line]) -> tuple[Goods, ...]:
    """The lines of a routing question, as parcels are estimated from them."""
    return tuple(Goods(one.quantity, one.weight_g, one.volume_ml) for one in lines)


def offers_for(
    tx: Transaction, node_id: str, destination: Destination, goods: Collection[Goods], now_ms: int
) -> tuple[Offer, ...]:
    """Services that take all of the goods from a node, cheapest first; none of a carrier that is down."""
    return offers_at(tx, (node_id,), destination, goods, now_ms)[node_id]


def offers_at(
    tx: Transaction,
    node_ids: Collection[str],
    destination: Destination,
    goods: Collection[Goods],
    now_ms: int,
) -> dict[str, tuple[Offer, ...]]:
    """`offers_for` of many nodes, with the same few queries. A node that has no carrier has no offers."""
    priced = priced_at(tx, node_ids, _sent(destination, goods), now_ms)
    return {
        node_id: tuple(one.offer for one in sorted(usable(found), key=_best))
        for node_id, found in priced.items()
    }


def promises_for(
    tx: Transaction,
    node_ids: Collection[str],
    destination: Destination,
    goods: Collection[Goods],
    now_ms: int,
) -> tuple[Promise, ...]:
    """For each class of service that any of these nodes can serve, the promise to make; the soonest class first.

    `node_ids`: the nodes that hold the goods. Of those that keep a class in time the cheapest is promised, else the
    one that arrives first.
    """
    priced = priced_at(tx, node_ids, _sent(destination, goods), now_ms)
    return promises_from([one for found in priced.values() for one in usable(found)])


def promises_from(priced: Collection[Priced]) -> tuple[Promise, ...]:
    """The promises that can be made with these."""
    found = []
    for service_class in SERVICE_CLASSES:
        keeping = [one for one in priced if keeps(one.quote.service_class, service_class)]
        in_time = [one for one in keeping if service_class in one.kept]
        best = min(in_time, key=_best) if in_time else min(keeping, key=_soonest, default=None)
        if best is not None:
            found.append(Promise(service_class, best.node_id, best.offer, bool(in_time), best.order_by_ms))
    return tuple(found)


def _best(one: Priced) -> tuple[object, ...]:
    return (one.price_minor, *preference(one.quote)[1:], one.node_id)


def _soonest(one: Priced) -> tuple[object, ...]:
    return (one.quote.due_date, *_best(one))


def _sent(destination: Destination, goods: Collection[Goods]) -> Sent:
    return Sent(destination.country, destination.postal_code, tuple(goods))
