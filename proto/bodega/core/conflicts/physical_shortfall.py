"""Fewer units on the shelf than are promised from it: who keeps a promise, and who is served from elsewhere.

What a node has promised by itself comes first: its customers are at the counter, and the hub cannot take that back.
Then the hub's orders, by service class, promise time and order id. An order whose own short pick uncovered the loss
is being picked: it takes what is left, and what it lacks is its own short, told by its own lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES
from bodega.core.promise import ServiceClass

KIND = "physical_shortfall"


@dataclass(frozen=True, slots=True)
class Promised:
    """What the hub has promised one order of one SKU at one node, and not yet seen leave the shelf.

    `promised_at_ms` is as the hub recorded it at the promise; `event` names the assignment in the node's stream.
    """

    order_id: str
    service_class: ServiceClass
    promised_at_ms: int
    units: int
    event: str = ""

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts promises, the first to be kept first."""
        return list(ServiceClass).index(self.service_class), self.promised_at_ms, self.order_id


def missing(
    sellable: int, local_promised: int, promises: Iterable[Promised], in_hand: str = ""
) -> Mapping[str, int]:
    """Rule physical_shortfall@1: order id -> units that it lacks, for the orders that do not fit.

    `local_promised`: the node's own pending promises. `in_hand`: the order that is being picked, or empty.
    """
    left = max(0, sellable - local_promised)
    lacking: dict[str, int] = {}
    for promise in sorted(promises, key=lambda one: (one.order_id != in_hand, one.rank)):
        given = min(left, promise.units)
        left -= given
        if given < promise.units:
            lacking[promise.order_id] = promise.units - given
    return lacking


def physical_shortfall(
    *, node_id: str, sku_id: str, basis_event: str, sellable: int, promised: int, order: Promised, units: int
) -> Conflict:
    """The row of one order that lacks `units` since `basis_event`, which left `sellable` for `promised` units."""
    inputs = tuple(filter(None, (basis_event, order.event)))
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=(
            f"{node_id} has {sellable} sellable units of {sku_id} left; {promised} were promised when the hub "
            "did not know that yet"
        ),
        effect=f"order {order.order_id} lacks {units} of {sku_id}: promises before it take what is left",
        undo="count the bin again: if the goods turn up, the promise stands",
        order_id=order.order_id,
        node_id=node_id,
        sku_id=sku_id,
        effects=(f"unkept:{order.order_id}", f"lacks:{units}"),
        needs="move the order to a node that has the goods, or let it ship short",
    )


def local_shortfall(
    *, node_id: str, sku_id: str, basis_event: str, sellable: int, local_promised: int
) -> Conflict:
    """The row of promises that the node has made by itself and can not keep since `basis_event`."""
    inputs = (basis_event,)
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"{node_id} has {sellable} sellable units of {sku_id} left and has promised {local_promised} by itself",
        effect=f"{local_promised - sellable} of the node's own promises of {sku_id} can not be kept",
        undo="count the bin again: if the goods turn up, the promises stand",
        node_id=node_id,
        sku_id=sku_id,
        effects=(f"unkept_local:{sku_id}", f"lacks:{local_promised - sellable}"),
        needs="tell the customers, or give their reservations back",
    )
