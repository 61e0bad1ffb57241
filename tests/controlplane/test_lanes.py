"""Bulk waits beside a node's stream: what matters now is never behind more than a slice of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bodega.core.chain import extend
from bodega.core.sync import Head
from bodega.limits import (
    BULK_BACKLOG_EVENTS_MAX,
    CATALOGUE_ROWS_MAX,
    DOWN_WINDOW_EVENTS_MAX,
    ENVELOPE_EVENTS_MAX,
)
from bodega.v1 import journal_pb2
from bodega_controlplane.app.fleet import nodes, outbox
from bodega_controlplane.app.fleet.heartbeat import Heartbeat, beat
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import HealthView, SkuComponent, SkuDraft
from bodega_controlplane.store import waiting
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import (
    LISBON,
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    node_draft,
    order_draft,
    sku,
)
from support.joined import hub_at, node_at
from support.nats import NatsServer
from support.sync_journal import MemoryJournal
from support.waiting import until

NODE = "lisbon-01"
WELL = HealthView("1", 0, 0, 0, (), "", 0, ledger_ok=True, disk_rung="roomy", ledger_problem="")


@dataclass
class Reader:
    """The node's end of its stream: applies what there is, and says so."""

    store: Store
    head: Head = field(default_factory=Head)
    events: list[journal_pb2.HubEvent] = field(default_factory=list)

    def apply(self, count: int = 10**6) -> None:
        """The next events, at most `count`."""
        while count > 0:
            envelope = self.store.read(lambda tx: outbox.envelope_from(tx, NODE, 1, self.head.seq + 1))
            if envelope is None:
                return
            bodies = envelope.events[:count]
            hashes = extend(self.head.hash, bodies)
            self.head = Head(1, self.head.seq + len(bodies), hashes[-1])
            self.events += map(journal_pb2.HubEvent.FromString, bodies)
            count -= len(bodies)

    def beat(self) -> None:
        """A heartbeat, as the hub takes it."""

        def work(tx: Transaction) -> None:
            tx.lock_nodes([NODE])
            assert beat(tx, 1, Heartbeat(NODE, 1, "n", 10**6, self.head, WELL)).fenced == ""
            outbox.enter_waiting(tx, [NODE])

        self.store.write(work)

    def waiting(self) -> int:
        return self.store.read(waiting.counts).get(NODE, 0)


def registered(store: Store, node_id: str = NODE) -> Reader:
    store.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft(node_id, LISBON)))
    return Reader(store)


def upsert(store: Store, skus: Sequence[SkuDraft]) -> None:
    for start in range(0, len(skus), CATALOGUE_ROWS_MAX):
        part = skus[start : start + CATALOGUE_ROWS_MAX]
        store.write(lambda tx, part=part: catalogue.upsert_skus(tx, OPERATOR, part))


def many(count: int) -> list[SkuDraft]:
    return [sku(f"SKU-{number:05}") for number in range(count)]


def ordered(store: Store, sku_id: str) -> str:
    """An order of one unit of what lies on the node's shelf."""
    node = NodeByHand(NODE)
    node.shelve(sku_id, 10)
    deliver(store, node.delivery())
    return store.write(lambda tx: orders.place_order(tx, SHOP, order_draft((sku_id, 1)), POLICY))[0].order_id


def position(events: Sequence[journal_pb2.HubEvent], fact: str) -> int:
    return next(place for place, event in enumerate(events) if event.WhichOneof("fact") == fact)


def test_behind_ten_thousand_skus_an_order_and_its_cancel_arrive_within_one_slice(
    sqlite_store: Store,
) -> None:
    reader = registered(sqlite_store)
    upsert(sqlite_store, many(10_000))
    order_id = ordered(sqlite_store, "SKU-09999")
    sqlite_store.write(lambda tx: orders.cancel_order(tx, SHOP, order_id))
    assert reader.waiting() == 10_000 - (BULK_BACKLOG_EVENTS_MAX - 1) - 1
    reader.apply()
    assert position(reader.events, "cancel_requested") <= BULK_BACKLOG_EVENTS_MAX + 2
    bought = reader.events[position(reader.events, "fulfillment_order") - 1]
    assert bought.sku.sku_id == "SKU-09999"


def test_all_of_it_arrives_once_and_in_order_as_the_node_applies_it(store: Store) -> None:
    reader = registered(store)
    upsert(store, many(3 * BULK_BACKLOG_EVENTS_MAX))
    while reader.waiting():
        before = len(reader.events)
        reader.apply(150)
        reader.beat()
        assert len(reader.events) > before
        behind = store.read(lambda tx: outbox.heads(tx)[NODE]).seq - reader.head.seq
        assert behind <= BULK_BACKLOG_EVENTS_MAX
    reader.apply()
    told = [event.sku.sku_id for event in reader.events if event.WhichOneof("fact") == "sku"]
    assert told == [one.sku_id for one in many(3 * BULK_BACKLOG_EVENTS_MAX)]


def test_a_node_that_is_away_gets_the_newest_of_each_sku_and_not_its_history(store: Store) -> None:
    reader = registered(store)
    skus = many(BULK_BACKLOG_EVENTS_MAX + 50)
    upsert(store, skus)
    for name in ("second name", "third name"):
        upsert(store, [replace(one, name=name) for one in skus[-10:]])
    reader.apply()
    reader.beat()
    reader.apply()
    last = [event.sku for event in reader.events if event.sku.sku_id == skus[-1].sku_id]
    assert [(one.name, one.version) for one in last] == [("third name", 3)]


def test_an_order_of_a_kit_brings_the_kit_and_its_parts_that_wait_still(store: Store) -> None:
    reader = registered(store)
    upsert(store, many(BULK_BACKLOG_EVENTS_MAX))
    parts = [sku("CUP"), sku("TEA")]
    kit = replace(sku("TEA-SET"), components=(SkuComponent("CUP", 2), SkuComponent("TEA", 1)))
    upsert(store, [*parts, kit])
    ordered(store, "TEA-SET")
    reader.apply()
    facts = [event.sku.sku_id or event.WhichOneof("fact") for event in reader.events]
    assert facts[-4:-2] in (["CUP", "TEA"], ["TEA", "CUP"])
    assert facts[-2:] == ["TEA-SET", "fulfillment_order"]


def test_no_more_than_the_window_is_given_to_the_broker_before_the_node_has_applied_it(
    sqlite_store: Store,
) -> None:
    reader = registered(sqlite_store)
    desired = journal_pb2.HubEvent(cancel_requested=journal_pb2.CancelRequested(order_id="O"))
    for _ in range(DOWN_WINDOW_EVENTS_MAX // 1000 + 1):
        events = [journal_pb2.HubEvent.FromString(desired.SerializeToString()) for _ in range(1000)]
        sqlite_store.write(lambda tx, events=events: outbox.post(tx, SHOP, NODE, events, cmd_id="c"))
    sent = Head()
    while envelope := sqlite_store.read(lambda tx, sent=sent: outbox.next_after(tx, NODE, sent)).envelope:
        sent = Head(1, envelope.last_seq, envelope.last_hash)
    assert DOWN_WINDOW_EVENTS_MAX <= sent.seq < DOWN_WINDOW_EVENTS_MAX + ENVELOPE_EVENTS_MAX
    reader.apply(1000)
    reader.beat()
    assert sqlite_store.read(lambda tx: outbox.next_after(tx, NODE, sent)).envelope is not None


def test_no_bulk_enters_while_a_node_has_urgent_things_to_apply(store: Store) -> None:
    reader = registered(store)
    cancel = journal_pb2.HubEvent(cancel_requested=journal_pb2.CancelRequested(order_id="O"))
    events = [journal_pb2.HubEvent.FromString(cancel.SerializeToString()) for _ in range(300)]
    store.write(lambda tx: outbox.post(tx, SHOP, NODE, events, cmd_id="c"))
    upsert(store, many(5))
    assert reader.waiting() == 5
    reader.apply()
    reader.beat()
    assert reader.waiting() == 0


async def test_a_node_that_applies_bulk_says_so_at_once_and_gets_the_next_slice(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    """Ten slices in far less than ten heartbeats."""
    skus = many(10 * BULK_BACKLOG_EVENTS_MAX)
    async with hub_at(nats_server, tmp_path) as hub:
        for start in range(0, len(skus), CATALOGUE_ROWS_MAX):
            part = skus[start : start + CATALOGUE_ROWS_MAX]
            await hub.run(lambda tx, part=part: catalogue.upsert_skus(tx, OPERATOR, part))
        journal = MemoryJournal()
        async with node_at(nats_server, hub, journal):
            await until(lambda: len(journal.down) == len(skus) + 1)
    told = [journal_pb2.HubEvent.FromString(body).sku.sku_id for body in journal.down[1:]]
    assert told == [one.sku_id for one in skus]
