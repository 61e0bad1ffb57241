"""What a customer may be told before ordering: what is there, and by when it would come.

The nodes are those that the routing bundle in force would let serve it, with the channel's buffer kept; of these the
rate card says, for each class of service, the promise to make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bodega.core.floor_words import Method
from bodega.core.parcels import Goods
from bodega.core.promise import ServiceClass
from bodega.core.routing.inputs import Destination, Line
from bodega_controlplane.app.ordering.choosing import Question, choose
from bodega_controlplane.app.shipping.offering import promises_for
from bodega_controlplane.app.shipping.views import Promise
from bodega_controlplane.app.views import Caller, GeoPoint, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import catalogue
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SkuPromise:
    """A promise for so many base units of one SKU to one destination."""

    sku_id: str
    promise: Promise


def promise_each(
    tx: Transaction,
    caller: Caller,
    sku_ids: Sequence[str],
    quantity: int,
    destination: Destination,
    policy: Policy,
) -> tuple[SkuPromise, ...]:
    """By SKU and class of service, the soonest class first; a SKU that no node can serve has none."""
    known = catalogue.by_ids(tx, sku_ids)
    found: list[SkuPromise] = []
    for sku_id in sorted(known):
        nodes = _nodes_for(tx, caller, sku_id, quantity, destination, policy)
        goods = (Goods(quantity, known[sku_id].weight_g, known[sku_id].volume_ml),)
        promises = promises_for(tx, nodes, destination, goods, caller.now_ms)
        found += [SkuPromise(sku_id, one) for one in promises]
    return tuple(found)


def _nodes_for(
    tx: Transaction, caller: Caller, sku_id: str, quantity: int, destination: Destination, policy: Policy
) -> tuple[str, ...]:
    """Nodes that may be given all of it."""
    place = GeoPoint(destination.latitude, destination.longitude)
    question = Question(
        lines=(Line(1, sku_id, quantity),),
        recipient=Recipient("", (), destination.postal_code, destination.country, place),
        channel=caller.channel,
        method=Method.PARCEL.value,
        service_class=ServiceClass.STANDARD.value,
    )
    return tuple(one.node_id for one in choose(tx, caller, question, policy).candidates if one.eligible)
