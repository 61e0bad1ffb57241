"""What must come once all faults have ended: both ends agree about everything, and nothing was set aside unasked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from bodega.core.checkpoints import physical_sha256
from bodega.core.ledger import Account
from bodega.core.lifecycles import FULFILLMENT
from bodega_agent.store.reader import Reader
from simulator.plan import ROGUE
from simulator.world import World


def the_hub_sees_what_the_node_has(world: World) -> Iterator[str]:
    """Bin by bin, and the digests of both books are one."""
    for name, node in world.single.items():
        assert node.store is not None, "all is well again"
        columns = "sku_id, bin, disposition, lot, owner, external, quantity"
        here = {Account(*row[:6]): row[6] for row in node.store.rows(f"SELECT {columns} FROM balance")}
        at_hub = world.hub.rows(f"SELECT {columns} FROM stock WHERE node_id = ?", name)
        there = {Account(*row[:6]): row[6] for row in at_hub}
        if physical_sha256(here) != physical_sha256(there):
            different = sorted(set(here.items()) ^ set(there.items()))
            yield f"the digests of {name} differ: {different[:4]}"


def the_ledgers_verify(world: World) -> Iterator[str]:
    """By the node's own full check."""
    for name, node in world.single.items():
        with closing(Reader(node.path)) as reader:
            report = reader.verify()
        if not report["ok"]:
            yield f"the ledger of {name} does not verify: {report}"


def orders_are_where_the_node_says(world: World) -> Iterator[str]:
    """The hub's copy of each fulfillment order is in the state that the node has it in.

    Of what a restored hub has forgotten and a node has not done yet a person is told.
    """
    states = dict(world.hub.rows("SELECT fulfillment_order_id, state FROM fulfillment_order"))
    told = {row[0] for row in world.hub.rows("SELECT effects FROM conflict WHERE kind = 'restored_hub'")}
    for name, node in world.single.items():
        assert node.store is not None, "all is well again"
        for order, state in node.store.rows("SELECT fulfillment_order_id, state FROM fulfillment_order"):
            if world.facts.hub_was_restored and order not in states:
                if state not in FULFILLMENT.terminal and not any(order in one for one in told):
                    yield f"the restored hub has forgotten order {order}, {state} at {name}, and nobody is told"
            elif states.get(order) != state:
                yield f"order {order} is {state} at {name}, and {states.get(order)} at the hub"


def nothing_was_set_aside_unasked(world: World) -> Iterator[str]:
    """Only what was meant not to be understood is parked, only what a rogue sent is refused.

    A restored hub parks what became of orders that it has forgotten; of a node that lost its place the fork is
    refused, and what a consumer brings again of the epoch before.
    """
    for node_id, seq, reason in world.hub.rows("SELECT node_id, seq, reason FROM parked_event"):
        forgotten = world.facts.hub_was_restored and "has no fulfillment order" in reason
        if node_id in world.single and "not known" not in reason and not forgotten:
            yield f"the hub parked event {seq} of {node_id}: {reason}"
    for node_id, reason in world.hub.rows("SELECT node_id, reason FROM refused_envelope"):
        if node_id in world.single and node_id not in world.facts.uprooted:
            yield f"the hub refused an envelope of {node_id}: {reason}"


def poison_harms_nobody(world: World) -> Iterator[str]:
    """What a rogue sent is kept with a reason, and none of it is in any book."""
    rows = world.hub.rows("SELECT count(*) FROM journal WHERE node_id = ?", ROGUE)
    if rows[0][0]:
        yield f"the hub has applied {rows[0][0]} events of a rogue"
