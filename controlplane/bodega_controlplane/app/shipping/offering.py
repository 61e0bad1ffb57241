"""What routing chooses from, and what a customer is promised: offers by node, promises by class of service."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bodega.core.parcels import Goods
from bodega.core.rates import SERVICE_CLASSES, keeps, preference
from bodega.core.routing.inputs import Destination, Line, Offer
from bodega_controlplane.app.shipping.quoting import Sent, Shipping, priced_at
from bodega_controlplane.app.shipping.views import Priced, Promise, Shippers
from bodega_controlplane.store.transaction import Transaction


def goods_of(lines: Iterable[Line]) -> tuple[Goods, ...]:
    """The lines of a routing question, as parcels are estimated from them."""
    return tuple(Goods(one.quantity, one.weight_g, one.volume_ml) for one in lines)


def offers_at(
    tx: Transaction,
    node_ids: Collection[str],
    destination: Destination,
    goods: Collection[Goods],
    now_ms: int,
    shipping: Shipping | None = None,
) -> dict[str, tuple[Offer, ...]]:
    """By node the services that take all of the goods, cheapest first; none of a carrier that is down.

    `shipping`: if it is known already.
    """
    found: dict[str, tuple[Offer, ...]] = dict.fromkeys(node_ids, ())
    for alike in priced_at(tx, node_ids, _sent(destination, goods), now_ms, shipping):
        usable = [one for one in alike.priced if not one.suspended]
        found |= dict.fromkeys(alike.node_ids, tuple(one.offer for one in sorted(usable, key=_best)))
    return found


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
    return promises_from(priced_at(tx, node_ids, _sent(destination, goods), now_ms))


def promises_from(shippers: Iterable[Shippers]) -> tuple[Promise, ...]:
    """The promises that can be made with these; of nodes that are alike the first by id is named."""
    usable = [(one, alike.node_ids[0]) for alike in shippers for one in alike.priced if not one.suspended]
    found = []
    for service_class in SERVICE_CLASSES:
        keeping = [(one, node_id) for one, node_id in usable if keeps(one.quote.service_class, service_class)]
        in_time = [(one, node_id) for one, node_id in keeping if service_class not in one.quote.misses]
        best = min(in_time, key=_cheapest) if in_time else min(keeping, key=_soonest, default=None)
        if best is not None:
            one, node_id = best
            found.append(Promise(service_class, node_id, one.offer, bool(in_time), one.order_by_ms))
    return tuple(found)


def _best(one: Priced) -> tuple[object, ...]:
    return (one.price_minor, *preference(one.quote)[1:])


def _cheapest(offered: tuple[Priced, str]) -> tuple[object, ...]:
    return (*_best(offered[0]), offered[1])


def _soonest(offered: tuple[Priced, str]) -> tuple[object, ...]:
    return (offered[0].quote.due_date, *_cheapest(offered))


def _sent(destination: Destination, goods: Collection[Goods]) -> Sent:
    return Sent(destination.country, destination.postal_code, tuple(goods))
