"""Orders that were taken without stock: served when stock comes, the sooner promised first, then the older.

Whoever waits is asked first in every round of the upkeep, whole part by whole part: one that lacks more than has come
does not stand in the way of one that does not. An order that is placed between two rounds finds what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from bodega.core.parts import FINAL, PartState
from bodega.errors import Refused
from bodega.limits import UPKEEP_ROWS_MAX
from bodega_controlplane.app import wire
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.ordering import aggregate, reassigning
from bodega_controlplane.app.ordering.orders import lock_order
from bodega_controlplane.app.ordering.reassigning import TOO_OFTEN, Move
from bodega_controlplane.app.selling.channels import policy_of
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import orders, stock
from bodega_controlplane.store.transaction import Transaction

BACKORDER = "backorder@1"
WAITING = frozenset({PartState.BACKORDERED, PartState.PREORDERED})


class Waiting(NamedTuple):
    """A part that may be served now, or whose date has come; `node_id`: where its customer comes to."""

    order_id: str
    part: int
    node_id: str


def due(tx: Transaction, caller: Caller, policy: Policy) -> Iterator[Waiting]:
    """Parts to be looked at, the first to be served first: those that nodes could serve if nobody else was served.

    Whether one is served, `serve` finds out. None is counted on to be: a rule may forbid it, and it would stand in the
    way of all behind it for ever.
    """
    wanted = orders.skus_waited_for(tx, caller.now_ms)
    if not wanted:
        return
    held = stock.held(tx, wanted)
    there = {sku_id for (_, sku_id), at_node in held.items() if standing_of(at_node, policy).available}
    rows = orders.parts_waiting(tx, caller.now_ms, wanted - there, UPKEEP_ROWS_MAX)
    order_of = {row.order_id: row for row in orders.by_ids(tx, {row.order_id for row in rows})}
    # A channel's buffer stays with every node.
    channels = {row.channel for row in order_of.values()}
    pools = {channel: _pools(held, policy_of(tx, channel, policy)) for channel in channels}
    for (order_id, part), lines in groupby(rows, key=lambda row: (row.order_id, row.part)):
        of_part = list(lines)
        demand: Counter[str] = Counter()
        for line in of_part:
            demand[line.sku_id] += line.units
        order, pickup_at = order_of[order_id], wire.pickup_node(of_part[0].pickup)
        pool_of = pools[order.channel]
        some = [pool_of.get(pickup_at, Counter())] if pickup_at else list(pool_of.values())
        if order.parts_max > 1:
            some.append(sum(some, Counter()))
        if of_part[0].state == PartState.PREORDERED or any(demand <= pool for pool in some):
            yield Waiting(order_id, part, pickup_at)


def _pools(held: Mapping[tuple[str, str], stock.Held], policy: Policy) -> dict[str, Counter[str]]:
    """Node -> units of each SKU that may be promised there."""
    pools: dict[str, Counter[str]] = {}
    for (node_id, sku_id), at_node in held.items():
        pools.setdefault(node_id, Counter())[sku_id] = standing_of(at_node, policy).available
    return pools


def serve(tx: Transaction, caller: Caller, waiting: Waiting, policy: Policy) -> bool:
    """Give it to a node, if one may have all of it; what was ordered for a date waits for stock from that date on."""
    order = aggregate.look_at(tx, waiting.order_id)
    part = order.parts.get(waiting.part)
    if part is None or part.state not in WAITING or order.state in FINAL:
        return True
    move = Move(waiting.order_id, "its stock has come", waiting.node_id, by_rule=BACKORDER, part=waiting.part)
    try:
        reassigning.reassign(tx, caller, move, policy, part)
    except Refused as refusal:
        if refusal.code == TOO_OFTEN:
            reassigning.give_up(tx, caller, waiting.order_id, waiting.part, refusal.code)
            return True
        _is_due(tx, caller, waiting)
        return False
    return True


def _is_due(tx: Transaction, caller: Caller, waiting: Waiting) -> None:
    """It waits for stock from now on, no more for its date."""
    order = lock_order(tx, waiting.order_id)
    part = order.parts[waiting.part]
    if part.state is PartState.PREORDERED and order.state not in FINAL:
        part.become(PartState.BACKORDERED)
        order.follow()
        aggregate.save(tx, caller.now_ms, [order])
        tx.audit(
            at_ms=caller.now_ms,
            actor=caller.actor,
            action="order.part_backordered",
            subject=order.order_id,
            detail={"part": part.number, "why": "its date has come"},
        )
