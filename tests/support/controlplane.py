"""A control plane's hub on a real database, small orders and nodes, and a node played by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bodega.codec import envelope_to_bytes, fulfillment_state_to_wire, movement_to_wire
from bodega.core.chain import link
from bodega.core.gtin import check_digit
from bodega.core.ledger import Account, Goods, Reference
from bodega.core.lifecycles import FulfillmentState
from bodega.core.recipes import Book, Places, book
from bodega.core.sync import Envelope, Head, Recorded, pack
from bodega.v1 import journal_pb2, orders_pb2
from bodega_controlplane.app.applying.journal import Applied, Delivery, apply
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.node_views import BinDraft, NodeDraft, SsccRange
from bodega_controlplane.app.views import Caller, DraftLine, GeoPoint, OrderDraft, Recipient, SkuDraft
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.quick_stores import lay_schema, share_statements

LISBON = GeoPoint(38.7223, -9.1393)
PORTO = GeoPoint(41.1579, -8.6291)
SINTRA = GeoPoint(38.8029, -9.3817)

POLICY = Policy(safety_stock=2)
SHOP = Caller("storefront", "storefront", now_ms=1_700_000_000_000)
OPERATOR = Caller("operator", "operator", now_ms=1_700_000_000_000)

SECRET_NAME = "Maria Secreta"


def gtin_of(number: int) -> str:
    """A GTIN-13 with a right check digit."""
    digits = f"560{number:09d}"
    return f"{digits}{check_digit(digits)}"


def sku(sku_id: str, *gtins: str) -> SkuDraft:
    """A SKU of the catalogue."""
    return SkuDraft(sku_id, f"{sku_id} in a box", gtins)


def node_draft(node_id: str, place: GeoPoint = LISBON, *, number: int = 0) -> NodeDraft:
    """A node with two bins; `number` keeps SSCC ranges apart."""
    serials = SsccRange(3, "5600000", number * 1000, number * 1000 + 999)
    bins = (BinDraft("A-01-01", 1), BinDraft("A-01-02", 2))
    return NodeDraft(node_id, f"Node {node_id}", place, ("Rua Nova 1", "1100 Lisboa"), serials, bins)


def order_draft(
    *lines: tuple[str, int],
    place: GeoPoint = LISBON,
    reference: str = "R-1",
    service_class: str = "standard",
) -> OrderDraft:
    """An order to a person at a place."""
    recipient = Recipient(SECRET_NAME, ("Rua do Segredo 7",), "1200-001", "PT", place)
    return OrderDraft(reference, tuple(DraftLine(*line) for line in lines), recipient, service_class)


def open_test_store(database: str, folder: Path) -> Store:
    """A store on SQLite ("sqlite") or at a PostgreSQL URL."""
    if database == "sqlite":
        lay_schema(folder)
    store = open_store(database, folder)
    share_statements(store)
    return store


def make_hub(database: str, folder: Path) -> Hub:
    """A hub with a key of its own."""
    return Hub(open_test_store(database, folder), load_hub_key(folder), POLICY)


def settle(store: Store, *skus: str, node_ids: tuple[str, ...] = ("lisbon-01",)) -> None:
    """A catalogue and nodes, all in Lisbon but the second, which is in Porto."""
    places = {node_id: PORTO if number == 1 else LISBON for number, node_id in enumerate(node_ids)}

    def fill(tx: Transaction) -> None:
        for number, node_id in enumerate(node_ids):
            nodes.register_node(tx, OPERATOR, node_draft(node_id, places[node_id], number=number))
        catalogue.upsert_skus(tx, OPERATOR, [sku(sku_id) for sku_id in skus])

    store.write(fill)


@dataclass
class NodeByHand:
    """A node's journal in memory: records facts as an agent does, and packs them into envelopes."""

    node_id: str = "lisbon-01"
    epoch: int = 1
    seen_seq: int = 0
    journal: list[Recorded] = field(default_factory=list)
    balances: dict[Account, int] = field(default_factory=dict)

    def head(self) -> Head:
        """Where the journal ends."""
        return self.at(len(self.journal))

    def at(self, seq: int) -> Head:
        """The head after `seq` events."""
        return Head(self.epoch, seq, self.journal[seq - 1].hash) if seq else Head(self.epoch)

    def record_bytes(self, body: bytes) -> int:
        """Record bytes as they are; the sequence of the event."""
        seq = len(self.journal) + 1
        self.journal.append(Recorded(seq, body, link(self.head().hash, body)))
        return seq

    def record(self, **fact: object) -> int:
        """Record a fact by its name on the wire."""
        event = journal_pb2.NodeEvent(
            cmd_id=f"cmd-{len(self.journal) + 1}",
            at_ms=1_700_000_000_000 + len(self.journal),
            seen_seq=self.seen_seq,
            actor="associate",
            **fact,  # type: ignore[arg-type]  # the name of the fact is the test's choice
        )
        return self.record_bytes(event.SerializeToString())

    def move(
        self, command: str, sku_id: str, quantity: int, *, source: str = "", target: str = "", **about: Any
    ) -> int:
        """Book a ledger command on this node's own balances and record it; `about` as in ledger.Reference."""
        booked = book(
            command,
            [Goods(sku_id, quantity)],
            Book(self.balances),
            Places(source, target),
            reference=Reference(**about),
        )
        for account, change, _serials in booked.movement.postings:
            self.balances[account] = self.balances.get(account, 0) + change
        return self.record(movement=movement_to_wire(booked.movement))

    def shelve(self, sku_id: str, quantity: int, bin_id: str = "A-01-01") -> None:
        """Receive and put away."""
        self.move("receive", sku_id, quantity, target="DOCK")
        self.move("put_away", sku_id, quantity, source="DOCK", target=bin_id)

    def advance(
        self,
        work_id: str,
        order_id: str,
        state: FulfillmentState,
        *lines: tuple[int, int, int],
        sscc: str = "",
        token: int = 1,
    ) -> int:
        """Record that work advanced; lines are (line, shipped, short)."""
        return self.record(
            fulfillment_advanced=journal_pb2.FulfillmentAdvanced(
                fulfillment_order_id=work_id,
                order_id=order_id,
                state=fulfillment_state_to_wire(state),
                lines=[
                    orders_pb2.OrderLine(line=line, shipped=shipped, short=short)
                    for line, shipped, short in lines
                ],
                sscc=sscc,
                fencing_token=token,
            )
        )

    def envelope(self, after: int = 0, upto: int | None = None) -> Envelope:
        """The events after one sequence, up to another."""
        return pack(self.node_id, self.at(after), self.journal[after:upto])

    def delivery(self, after: int = 0, upto: int | None = None) -> Delivery:
        """The same as it comes from the broker."""
        return self.delivery_of(envelope_to_bytes(self.envelope(after, upto)))

    def delivery_of(self, body: bytes) -> Delivery:
        """Any bytes, as they would come on this node's subject."""
        return Delivery(self.node_id, f"up.{self.node_id}.{self.epoch}", body)


def deliver(store: Store, *deliveries: Delivery, now_ms: int = 1_700_000_100_000) -> tuple[Applied, ...]:
    """Apply deliveries in one transaction."""
    return store.write(lambda tx: apply(tx, now_ms, deliveries))[0]


def rows_of(store: Store, table: sa.Table) -> list[sa.Row[Any]]:
    """Every row of a table, by its key."""
    return store.read(lambda tx: list(tx.connection.execute(sa.select(table).order_by(*table.primary_key))))


def work_of(store: Store, order_id: str) -> str:
    """The id of an order's one fulfillment order."""
    (work,) = [row for row in rows_of(store, schema.fulfillment_order) if row.order_id == order_id]
    return str(work.fulfillment_order_id)


def promises(store: Store, *, superseded: bool = False) -> list[sa.Row[Any]]:
    """What assignments in force were promised, or those whose part was given to another node; by order and line."""
    line, work = schema.fulfillment_line, schema.fulfillment_order
    query = sa.select(line, work.c.order_id).join(
        work, work.c.fulfillment_order_id == line.c.fulfillment_order_id
    )
    query = query.where(line.c.superseded == superseded).order_by(work.c.order_id, line.c.line)
    return store.read(lambda tx: list(tx.connection.execute(query)))
