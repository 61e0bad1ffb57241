"""A real hub and real nodes that trade rights: their stores, and envelopes that come late, twice, after restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bodega.codec import envelope_to_bytes, movement_from_wire, parse_hub_event, parse_node_event
from bodega.core.chain import GENESIS
from bodega.core.ledger import Goods
from bodega.core.promise import NodeStanding
from bodega.core.rights import NodeRights, OwnRights, spent_by
from bodega.core.sync import Head, Recorded, Verdict, judge, pack
from bodega.v1 import journal_pb2
from bodega_agent.store import inbound, ledger, promises, standing, work
from bodega_agent.store.expiry import expire_due
from bodega_agent.store.store import Store as AgentStore
from bodega_agent.store.transaction import Transaction
from bodega_controlplane.app.applying.journal import Delivery
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods import rights
from bodega_controlplane.app.goods import stock as hub_stock
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import AvailabilityView
from bodega_controlplane.store import nodes, schema
from bodega_controlplane.store import outbox as down_log
from bodega_controlplane.store import rights as rights_rows
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    deliver,
    open_test_store,
    order_draft,
    rows_of,
    settle,
)
from support.promising import SHELF, WHO, Clocks, shelve

T = TypeVar("T")
SKU = "TEA"
NODES = ("lisbon-01", "porto-01")
ALL = 1_000


def spent_in(fact: journal_pb2.NodeEvent) -> int:
    """Rights that one event used up."""
    return spent_by(movement_from_wire(fact.movement)).get(SKU, 0) if fact.HasField("movement") else 0


@dataclass
class RightsNode:
    """One node's store, as the agent opens it; `ask` runs a job as a command would."""

    node_id: str
    folder: Path
    clocks: Clocks = field(default_factory=Clocks)
    lost: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        """Start the agent's store on the file, new or old."""
        self._store = self._runner.run(self._opened())

    async def _opened(self) -> AgentStore:
        return AgentStore(
            self.folder / "ledger.db",
            node_id=self.node_id,
            now_ms=self.clocks.now_ms,
            clock=self.clocks.clock,
            verify=lambda _signature, _text: True,
        )

    def restart(self) -> None:
        """Close the store, and open it again."""
        self._store.close()
        self.open()

    def close(self) -> None:
        """Stop for good."""
        self._store.close()
        self._runner.close()

    def ask(self, job: Callable[[Transaction], T]) -> T:
        """Run a job; what it raises is raised here."""
        return self._runner.run(self._store.write(job))

    def take(self, events: list[tuple[int, bytes]], head: Head) -> None:
        """Apply hub events that have been judged."""
        self._runner.run(self._store.apply_down(events, head))

    def events(self, after: int) -> list[Recorded]:
        """The journal after a sequence."""
        sql = "SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq"
        return self.ask(lambda tx: [Recorded(*row) for row in tx.execute(sql, (after,))])

    def facts(self, after: int) -> list[journal_pb2.NodeEvent]:
        """The same, read."""
        return [parse_node_event(one.body) for one in self.events(after)]

    def down_seq(self) -> int:
        """How far it has applied the hub's stream."""
        return self.ask(inbound.down_head).seq

    def own(self) -> OwnRights:
        """Its rights."""
        return self.ask(lambda tx: standing.own_rights(tx, SKU))

    def standing(self) -> NodeStanding:
        """What it may promise."""
        return self.ask(lambda tx: promises.standing(tx, SKU, tx.today()))

    def parked(self) -> int:
        """Hub events that it could not apply."""
        return self.ask(lambda tx: len(list(tx.execute("SELECT seq FROM parked"))))

    def reserve(self, reservation_id: str, quantity: int, expires_after_ms: int) -> None:
        """Promise units."""
        self.ask(
            lambda tx: promises.reserve(
                tx,
                WHO,
                reservation_id=reservation_id,
                sku_id=SKU,
                quantity=quantity,
                expires_after_ms=expires_after_ms,
            )
        )

    def pending(self) -> list[str]:
        """Its open reservations, oldest first."""
        sql = "SELECT reservation_id FROM reservation WHERE state = 'pending' ORDER BY opened_seq"
        return self.ask(lambda tx: [str(row[0]) for row in tx.execute(sql)])

    def post(self, reservation_id: str, quantity: int, *, final: bool) -> None:
        """Hand goods over."""
        goods = Goods(SKU, quantity)
        self.ask(
            lambda tx: promises.post(
                tx, WHO, reservation_id=reservation_id, goods=goods, bin_id=SHELF, final=final
            )
        )

    def expire(self) -> None:
        """What the service does."""
        self.ask(expire_due)

    def lose(self) -> None:
        """A count finds one unit less."""
        self.ask(lambda tx: ledger.move(tx, WHO, "count_down", [Goods(SKU, 1)], source_bin=SHELF))
        self.lost += 1

    def pick_oldest(self) -> None:
        """Pick the whole of the oldest order of the hub."""

        def job(tx: Transaction) -> None:
            order = work.most_urgent(tx)
            if order is not None:
                work.claim(tx, WHO, order.fulfillment_order_id)
                for line in order.lines:
                    goods = Goods(line.sku_id, line.quantity)
                    work.pick(tx, WHO, order.fulfillment_order_id, line.line, goods, SHELF)

        self.ask(job)


class RightsWorld:
    """The hub's database, the nodes, and the wire between them."""

    def __init__(self, folder: Path, stock: int) -> None:
        self._folder = folder
        self.hub: Store = open_test_store("sqlite", folder)
        settle(self.hub, SKU, node_ids=NODES)
        self.nodes = [RightsNode(node_id, folder / node_id) for node_id in NODES]
        for node in self.nodes:
            node.ask(lambda tx: shelve(tx, SKU, stock))
            self.drain(node)

    def close(self) -> None:
        """Close every store."""
        for node in self.nodes:
            node.close()
        self.hub.close()

    def restart_hub(self) -> None:
        """Close and open the hub's database."""
        self.hub.close()
        self.hub = open_test_store("sqlite", self._folder)

    def move(self, kind: str, node: RightsNode, request_id: str, quantity: int) -> None:
        """Grant or recall at the hub."""
        draft = RightsDraft(request_id, node.node_id, SKU, quantity)
        if kind == rights.GRANT:
            self.hub.write(lambda tx: rights.grant(tx, OPERATOR, draft, POLICY))
        else:
            self.hub.write(lambda tx: rights.recall(tx, OPERATOR, draft))

    def order(self, quantity: int) -> None:
        """A customer's order, to whichever node can."""
        self.hub.write(lambda tx: orders.place_order(tx, SHOP, order_draft((SKU, quantity)), POLICY))

    def bring_down(self, node: RightsNode, back: int, count: int) -> None:
        """Deliver `count` hub events, from `back` before the first one that the node has not got."""
        first = max(1, node.down_seq() + 1 - back)
        envelope = self.hub.read(lambda tx: outbox.envelope_from(tx, node.node_id, 1, first))
        if envelope is None:
            return
        before = Head(1, first - 1, envelope.prev_hash)
        sql = self.hub.read(lambda tx: down_log.from_seq(tx, node.node_id, 1, first, back + count))
        judged = judge(node.ask(inbound.down_head), pack(node.node_id, before, sql))
        if judged.verdict is Verdict.APPLY:
            head = Head(1, judged.first_seq + len(judged.events) - 1, judged.hashes[-1])
            events = list(enumerate(judged.events, start=judged.first_seq))
            node.take(events, head)

    def bring_up(self, node: RightsNode, back: int, count: int) -> None:
        """Deliver `count` node events, from `back` before the first one that the hub has not got."""
        first = max(1, self.applied(node) + 1 - back)
        events = node.events(first - 1)[: back + count]
        if events:
            sql = "SELECT hash FROM journal WHERE seq = ?"
            before = node.ask(lambda tx: tx.one(sql, (first - 1,)))
            envelope = pack(node.node_id, Head(1, first - 1, before[0] if before else GENESIS), events)
            deliver(self.hub, Delivery(node.node_id, "up", envelope_to_bytes(envelope)))

    def drain(self, node: RightsNode) -> None:
        """Bring everything that is on its way, both ways."""
        self.bring_down(node, 0, ALL)
        self.bring_up(node, 0, ALL)

    def applied(self, node: RightsNode) -> int:
        """How far the hub has the node's journal."""
        row = self.hub.read(lambda tx: nodes.by_id(tx, node.node_id))
        assert row is not None, "every node is registered"
        return int(row.applied_seq)

    def known(self, node: RightsNode) -> NodeRights:
        """What the hub knows of its rights."""
        return self.hub.read(lambda tx: rights_rows.of(tx, node.node_id, SKU))

    def hub_stock(self, node: RightsNode) -> AvailabilityView:
        """What the hub may promise of its stock."""
        return self.hub.read(lambda tx: hub_stock.list_availability(tx, [SKU], POLICY))[
            self.nodes.index(node)
        ]

    def coming_down(self, node: RightsNode) -> int:
        """Rights that the hub has given and the node has not applied."""
        first = node.down_seq() + 1
        events = self.hub.read(lambda tx: down_log.from_seq(tx, node.node_id, 1, first, ALL))
        return sum(parse_hub_event(one.body).rights_granted.quantity for one in events)

    def unread(self, node: RightsNode) -> tuple[int, int]:
        """Rights taken, and rights given up or used, that the hub has not read yet."""
        facts = node.facts(self.applied(node))
        taken = sum(one.rights_taken.quantity for one in facts)
        gone = sum(one.rights_returned.quantity for one in facts)
        return taken, gone + sum(map(spent_in, facts))

    def refused_or_parked(self) -> int:
        """Envelopes and events that somebody could not apply."""
        kept = (schema.parked_event, schema.refused_envelope)
        return sum(len(rows_of(self.hub, table)) for table in kept) + sum(
            node.parked() for node in self.nodes
        )
