"""An order that was given to one node and moved to another: what the hub knows of it, and both nodes by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bodega.codec import fulfillment_state_from_wire, parse_node_event
from bodega.core.deadline import BootTime
from bodega.core.lifecycles import FulfillmentState
from bodega_controlplane.app.applying.journal import Delivery
from bodega_controlplane.app.ordering import orders, upkeep
from bodega_controlplane.app.ordering.reassigning import Move, reassign
from bodega_controlplane.app.views import Caller, OrderView
from bodega_controlplane.store import orders as order_rows
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of, settle

F = FulfillmentState
SKU = "TEA"
LISBON, PORTO = "lisbon-01", "porto-01"
NODES = (LISBON, PORTO)
HUB = Caller(upkeep.ACTOR, upkeep.ACTOR, SHOP.now_ms)
NOW = BootTime("boot-1", 1_000)
PARCELS = {LISBON: "1" * 18, PORTO: "2" * 18}


def later(caller: Caller, ms: int) -> Caller:
    """The same caller so much later."""
    return replace(caller, now_ms=caller.now_ms + ms)


def two_nodes(store: Store, lisbon: int = 10, porto: int = 10) -> tuple[NodeByHand, NodeByHand]:
    """Both nodes with so many units of SKU, which the hub has heard of."""
    settle(store, SKU, node_ids=NODES)
    nodes = NodeByHand(LISBON), NodeByHand(PORTO)
    for node, units in zip(nodes, (lisbon, porto), strict=True):
        if units:
            node.shelve(SKU, units)
            deliver(store, node.delivery())
    return nodes


def place(store: Store, units: int = 3, after_ms: int = 0, **about: Any) -> OrderView:
    """An order that the nearer node, in Lisbon, gets while it can; `about`: fields of the draft."""
    draft = replace(order_draft((SKU, units)), **about)
    caller = later(SHOP, after_ms)
    order = store.write(lambda tx: orders.place_order(tx, caller, draft, POLICY))[0]
    assert order_now(store, order.order_id) == order, "what placing answers is what reading answers"
    return order


def move(store: Store, order_id: str, to: str = "", caller: Caller = OPERATOR, **about: Any) -> OrderView:
    """A person, or with `by_rule` a rule, moves it."""
    asked = Move(order_id, "the node is flooded", to, **about)
    return store.write(lambda tx: reassign(tx, caller, asked, POLICY))[0]


def look_after(store: Store, caller: Caller = HUB, now: BootTime = NOW) -> None:
    """One round of the hub's upkeep."""
    for job in store.read(lambda tx: upkeep.due(tx, caller, POLICY, now)):
        store.write(job.run)


def order_now(store: Store, order_id: str) -> OrderView:
    """The order."""
    return store.read(lambda tx: orders.get_order(tx, order_id))


def works_of(store: Store, order_id: str) -> list[str]:
    """Its fulfillment orders, the first assignment first."""
    works = store.read(lambda tx: order_rows.work_of(tx, [order_id]))[order_id]
    return [str(work.fulfillment_order_id) for work in works]


@dataclass
class Hand:
    """One node's hands on one assignment of an order."""

    node: NodeByHand
    work_id: str
    order_id: str
    units: int = 3
    token: int = 1

    @property
    def state(self) -> FulfillmentState:
        """How far it is by the node's own journal."""
        told = [parse_node_event(one.body).fulfillment_advanced for one in self.node.journal]
        mine = [one.state for one in told if one.fulfillment_order_id == self.work_id]
        state = fulfillment_state_from_wire(mine[-1]) if mine else F.ASSIGNED
        assert state is not None, "a node says what this version knows"
        return state

    def claim(self) -> None:
        """Somebody begins it."""
        self.node.advance(self.work_id, self.order_id, F.PICKING, token=self.token)

    def pick(self) -> None:
        """Claim it, and take the goods off the shelf."""
        self.claim()
        self._take()

    def _take(self) -> None:
        self.node.move(
            "pick",
            SKU,
            self.units,
            source="A-01-01",
            target=f"STAGE-{self.work_id}",
            fulfillment_order_id=self.work_id,
        )
        self.node.advance(self.work_id, self.order_id, F.PICKED, token=self.token)

    def pack(self) -> None:
        """Into a parcel."""
        source, sscc = f"STAGE-{self.work_id}", PARCELS[self.node.node_id]
        self.node.move("pack", SKU, self.units, source=source, target=f"PARCEL-{sscc}", sscc=sscc)
        self.node.advance(self.work_id, self.order_id, F.PACKED, sscc=sscc, token=self.token)

    def label(self) -> None:
        """Its label is on it."""
        sscc = PARCELS[self.node.node_id]
        self.node.advance(self.work_id, self.order_id, F.LABELLED, sscc=sscc, token=self.token)

    def hand_over(self) -> int:
        """The carrier has it; the sequence of the event that says so."""
        sscc, line = PARCELS[self.node.node_id], (1, self.units, 0)
        self.node.move("ship", SKU, self.units, source=f"PARCEL-{sscc}", sscc=sscc)
        return self.node.advance(self.work_id, self.order_id, F.SHIPPED, line, sscc=sscc, token=self.token)

    def ship(self) -> int:
        """All the way to the carrier, from wherever it is; the sequence of the event that says so."""
        steps = {F.ASSIGNED: self.claim, F.PICKING: self._take, F.PICKED: self.pack, F.PACKED: self.label}
        while (step := steps.get(self.state)) is not None:
            step()
        return self.hand_over()

    def stop(self) -> int:
        """It was cancelled, or revoked."""
        return self.node.advance(self.work_id, self.order_id, F.CANCELLED, token=self.token)


def news(store: Store, node: NodeByHand) -> list[Delivery]:
    """What the hub has not read of a node's journal, as one delivery; none if there is nothing."""
    (row,) = [row for row in rows_of(store, schema.node) if row.node_id == node.node_id]
    return [node.delivery(row.applied_seq)] if row.applied_seq < len(node.journal) else []


def conflicts_of(store: Store) -> list[tuple[str, str, str, str, str]]:
    """(id, kind, inputs, effects, order) of every row, by id."""
    return [
        (row.conflict_id, row.kind, row.inputs, row.effects, row.order_id)
        for row in rows_of(store, schema.conflict)
    ]
