"""Which nodes can promise an order now, and the lock under which the one that was chosen does."""

from __future__ import annotations

from collections.abc import Mapping

from bodega.errors import FieldFault, Refused
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.rules.routing import Candidate, RouteChoice, RouteRequest, RoutingPolicy, decide
from bodega_controlplane.store import nodes, stock
from bodega_controlplane.store.transaction import Contended, Transaction


def candidates(
    tx: Transaction, demand: Mapping[str, int], policy: RoutingPolicy, only: str | None = None
) -> list[Candidate]:
    """Every node, or `only` one, with what it may promise of each SKU of the demand."""
    held = stock.held(tx, demand.keys(), only)
    return [
        Candidate(
            place.node_id,
            place.latitude,
            place.longitude,
            {sku: standing_of(held.get((place.node_id, sku), stock.Held()), policy) for sku in demand},
        )
        for place in nodes.places(tx)
        if only in (None, place.node_id)
    ]


def hold_promise(tx: Transaction, node_id: str, request: RouteRequest, policy: RoutingPolicy) -> None:
    """Where others write at the same time: lock the node and look again at what is left there; Contended if not."""
    if tx.exclusive:
        return
    tx.lock_nodes([node_id])
    again = decide(policy, request, candidates(tx, request.demand, policy, only=node_id))
    if again.node_id is None:
        raise Contended(f"another order has taken the stock of {node_id}")


def insufficient(choice: RouteChoice, hint: str) -> Refused:
    """The refusal that names, node by node, what is missing."""
    faults = tuple(
        FieldFault(one.node_id, reason.text) for one in choice.candidates for reason in one.reasons
    )
    return Refused(
        "no node has enough stock for the whole order",
        code="insufficient-stock",
        hint=hint,
        faults=faults or (FieldFault("nodes", "there is no node that could"),),
    )
