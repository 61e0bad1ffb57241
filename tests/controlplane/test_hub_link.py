"""The hub over a real broker, with a node played by hand: what is sent comes in once, in order, and acked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from bodega.broker import connection
from bodega.broker.connection import Broker
from bodega.codec import ack_text, envelope_from_bytes, envelope_from_wire, envelope_to_bytes
from bodega.core.sync import Envelope, Head, Verdict, judge
from bodega.v1 import fleet_pb2, journal_pb2, sync_pb2
from bodega_controlplane.api.grpc.wire import node_status
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue, stock
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.transport.nats_fleet import NatsFleet
from support.controlplane import (
    LISBON,
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    make_hub,
    node_draft,
    order_draft,
    sku,
)
from support.nats import NatsServer, settle
from support.proxy import Proxy
from support.waiting import until, until_async

NODE = "lisbon-01"


@dataclass
class Wire:
    """The node's end: publishes on its subjects and listens to the hub's answers."""

    client: Client
    acks: asyncio.Queue[sync_pb2.Ack] = field(default_factory=asyncio.Queue)
    wants: asyncio.Queue[sync_pb2.WantRequest] = field(default_factory=asyncio.Queue)

    async def listen(self) -> None:
        async def on_ack(message) -> None:
            self.acks.put_nowait(sync_pb2.Ack.FromString(message.data))

        async def on_want(message) -> None:
            self.wants.put_nowait(sync_pb2.WantRequest.FromString(message.data))

        await self.client.subscribe(f"ack.{NODE}", cb=on_ack)
        await self.client.subscribe(f"want.{NODE}", cb=on_want)
        await settle(self.client)

    async def send(self, envelope: Envelope, subject: str = f"up.{NODE}.1") -> None:
        await self.client.jetstream().publish(subject, envelope_to_bytes(envelope))

    async def heartbeat(self, **said: object) -> sync_pb2.HeartbeatResponse:
        request = sync_pb2.HeartbeatRequest(**{"node_id": NODE, "epoch": 1, "head_seq": 10**6, **said})
        reply = await self.client.request(f"hb.{NODE}", request.SerializeToString(), timeout=30)
        return sync_pb2.HeartbeatResponse.FromString(reply.data)

    async def pull(self, count: int) -> list[Envelope]:
        """The next messages of the node's durable consumer, acknowledged."""
        return [envelope_from_bytes(body) for body in await self.bodies(count)]

    async def bodies(self, count: int) -> list[bytes]:
        """The same as they travel."""
        found: list[bytes] = []
        jetstream = self.client.jetstream()

        async def made() -> bool:
            with suppress(NotFoundError):
                return bool(await jetstream.consumer_info("DOWN", f"node-{NODE}"))
            return False

        await until_async(made, what="the hub has made the node's consumer")
        bound = await jetstream.pull_subscribe_bind(f"node-{NODE}", stream="DOWN")
        while len(found) < count:
            for message in await bound.fetch(1, timeout=10):
                await message.ack()
                found.append(message.data)
        return found


@asynccontextmanager
async def connected(server: NatsServer) -> AsyncIterator[Wire]:
    client = await nats.connect(server.url)
    wire = Wire(client)
    await wire.listen()
    try:
        yield wire
    finally:
        await client.close()


@asynccontextmanager
async def linked(database: str, server: NatsServer | Proxy, folder: Path) -> AsyncIterator[Hub]:
    """A hub with two nodes and a small catalogue, linked to the broker."""
    made = make_hub(database, folder)
    for number, node_id in enumerate((NODE, "porto-01")):
        draft = node_draft(node_id, LISBON, number=number)
        await made.run(lambda tx, draft=draft: nodes.register_node(tx, OPERATOR, draft))
    await made.run(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [sku("TEA"), sku("SALT")]))
    task = asyncio.create_task(LinkService(made, NatsFleet(Broker(server.url)), draw=lambda: 0.1).run())
    await until(lambda: made.broker_connected, what="the hub is linked")
    yield made
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
    made.close()


@pytest.fixture
async def hub(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Hub]:
    async with linked("sqlite", nats_server, tmp_path) as made:
        yield made


def shelved(quantity: int = 10) -> NodeByHand:
    node = NodeByHand(NODE)
    node.shelve("TEA", quantity)
    return node


async def sellable(hub: Hub) -> int:
    rows = await hub.read(lambda tx: stock.list_availability(tx, ["TEA"], POLICY))
    return rows[0].sellable


async def test_an_envelope_is_applied_and_its_ack_is_signed_by_the_hub(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        await wire.send(node.envelope())
        ack = await asyncio.wait_for(wire.acks.get(), 10)
    assert (ack.node_id, ack.epoch, ack.seq, ack.hash) == (NODE, 1, 2, node.head().hash)
    Ed25519PublicKey.from_public_bytes(hub.key.verify_key).verify(ack.signature, ack_text(ack))
    assert await sellable(hub) == 10


async def test_an_envelope_that_comes_again_changes_nothing_and_is_acked_again(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        for _ in range(3):
            await wire.send(node.envelope())
            ack = await asyncio.wait_for(wire.acks.get(), 10)
            assert ack.seq == 2
    assert await sellable(hub) == 10


async def test_after_a_gap_the_hub_asks_for_what_is_missing(hub: Hub, nats_server: NatsServer) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        await wire.send(node.envelope(after=1))
        want = await asyncio.wait_for(wire.wants.get(), 10)
        assert (want.node_id, want.epoch, want.from_seq) == (NODE, 1, 1)
        await wire.send(node.envelope(after=0))
        assert (await asyncio.wait_for(wire.acks.get(), 10)).seq == 2
    assert await sellable(hub) == 10


async def test_a_tampered_chain_and_another_nodes_name_are_refused_and_stall_nobody(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    good = node.envelope()
    tampered = replace(good, events=(good.events[0], good.events[1] + b"\x30\x01"))
    foreign = replace(good, node_id="madrid-01")
    async with connected(nats_server) as wire:
        await wire.send(tampered)
        await wire.send(foreign)
        await wire.send(good, subject="up.madrid-01.1")
        await wire.client.jetstream().publish(f"up.{NODE}.1", b"\xff\xff\xff")
        await wire.send(good)
        assert (await asyncio.wait_for(wire.acks.get(), 10)).seq == 2
        assert wire.acks.empty()
    assert await sellable(hub) == 10


async def test_an_order_reaches_the_nodes_consumer_with_its_profile_and_catalogue(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        await wire.send(node.envelope())
        await asyncio.wait_for(wire.acks.get(), 10)
        order = await hub.run(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 3)), POLICY))
        events: list[journal_pb2.HubEvent] = []
        head = Head()
        while not (events and events[-1].WhichOneof("fact") == "fulfillment_order"):
            (envelope,) = await wire.pull(1)
            judged = judge(head, envelope)
            assert judged.verdict is Verdict.APPLY
            head = Head(1, envelope.last_seq, envelope.last_hash)
            events += [journal_pb2.HubEvent.FromString(body) for body in envelope.events]
    facts = [event.WhichOneof("fact") for event in events]
    assert facts == ["node_profile", "sku", "sku", "fulfillment_order"]
    assert events[-1].fulfillment_order.order_id == order.order_id
    assert events[-1].seen_seq == 2


async def test_what_a_node_says_that_it_unpacks_is_packed_for_it_and_an_older_one_gets_it_plain(
    hub: Hub, nats_server: NatsServer
) -> None:
    async def told(wire: Wire, first: int) -> sync_pb2.Envelope:
        drafts = [sku(f"SKU-{number}") for number in range(first, first + 50)]
        await hub.run(lambda tx: catalogue.upsert_skus(tx, OPERATOR, drafts))
        (body,) = await wire.bodies(1)
        assert len(envelope_from_bytes(body).events) == 50
        return sync_pb2.Envelope.FromString(body)

    async with connected(nats_server) as wire:
        (first,) = await wire.bodies(1)
        assert not sync_pb2.Envelope.FromString(first).packed
        await wire.heartbeat(understands=[sync_pb2.PACKING_ZSTD, 99])
        packed = await told(wire, 0)
        assert (packed.packing, list(packed.events)) == (sync_pb2.PACKING_ZSTD, [])
        # It was put back to a version that unpacks nothing.
        await wire.heartbeat()
        plain = await told(wire, 100)
        assert (plain.packing, plain.packed) == (sync_pb2.PACKING_UNSPECIFIED, b"")


async def test_a_heartbeat_is_answered_with_both_heads_and_events_come_straight_from_sql(
    hub: Hub, nats_server: NatsServer
) -> None:
    async with connected(nats_server) as wire:
        response = await wire.heartbeat()
        assert (response.up.seq, response.down_epoch, response.down_head_seq) == (0, 1, 3)
        assert response.fenced == ""
        want = sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=2)
        reply = await wire.client.request(f"events.{NODE}", want.SerializeToString(), timeout=30)
    envelope = envelope_from_wire(sync_pb2.WantResponse.FromString(reply.data).envelope)
    assert (envelope.first_seq, envelope.last_seq) == (2, 3)


async def test_a_node_that_names_another_one_in_its_heartbeat_is_fenced(
    hub: Hub, nats_server: NatsServer
) -> None:
    async with connected(nats_server) as wire:
        response = await wire.heartbeat(node_id="porto-01")
    assert "porto-01" in response.fenced


async def test_all_that_a_node_says_of_its_health_is_shown_to_operators(
    hub: Hub, nats_server: NatsServer
) -> None:
    said = fleet_pb2.Health(
        version="1.2",
        generation=3,
        oldest_unacked_ms=4,
        disk_free_bytes=5,
        devices_lost=["scanner-1"],
        vision_provider="CPUExecutionProvider",
        labels_unknown=6,
        ledger_ok=True,
        disk_rung="no_new_promises",
        ledger_problem="event 3 is missing",
    )
    async with connected(nats_server) as wire:
        await wire.heartbeat(health=said)
    views = await hub.run(nodes.list_nodes)
    (view,) = (view for view in views if view.node_id == NODE)
    assert node_status(view, now_ms=0).health == said


async def test_orders_are_taken_while_the_broker_is_away_and_sent_when_it_is_back_with_an_empty_disk(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        await wire.send(node.envelope())
        await asyncio.wait_for(wire.acks.get(), 10)
    nats_server.kill()

    await until(lambda: not hub.broker_connected, within_s=20, what="the hub has seen the cut")
    order = await hub.run(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", 1)), POLICY))
    nats_server.lose_everything()

    await until(lambda: hub.broker_connected, within_s=20, what="the hub is linked again")
    async with connected(nats_server) as wire:
        (envelope,) = await wire.pull(1)
    last = journal_pb2.HubEvent.FromString(envelope.events[-1])
    assert last.fulfillment_order.order_id == order.order_id


async def test_a_half_open_line_of_the_hub_is_seen_by_its_missing_pongs_and_healed(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings every second here instead of 3; seen within three of them and the poll of the closing."""
    monkeypatch.setattr(connection, "BROKER_PING_S", 1)
    async with Proxy(nats_server.port) as proxy, linked("sqlite", proxy, tmp_path) as hub:
        proxy.black_hole()
        began = asyncio.get_running_loop().time()
        await until(lambda: not hub.broker_connected, what="the hub has seen that nobody answers")
        assert asyncio.get_running_loop().time() - began < 3 + 1 + 5.0
        proxy.heal()
        await until(lambda: hub.broker_connected, what="the hub is linked again")


async def test_a_node_that_holds_more_of_our_stream_than_we_gets_a_new_one(
    hub: Hub, nats_server: NatsServer
) -> None:
    """The hub was restored: what it remembers of its stream is less than what it once sent."""
    async with connected(nats_server) as wire:
        (first,) = await wire.pull(1)
        held = sync_pb2.Ack(node_id=NODE, epoch=1, seq=first.last_seq + 5, hash=bytes(32))
        answer = await wire.heartbeat(down=held)
        assert (answer.fenced, answer.down_epoch) == ("", 2)
        (anew,) = await wire.pull(1)
        assert (anew.epoch, anew.first_seq, anew.prev_hash) == (2, 1, bytes(32))
        facts = [journal_pb2.HubEvent.FromString(body).WhichOneof("fact") for body in anew.events]
        assert facts == ["node_profile", "sku", "sku", "stream_restated"]


async def test_a_node_whose_journal_is_older_than_ours_hears_that_a_new_epoch_would_mend_it(
    hub: Hub, nats_server: NatsServer
) -> None:
    node = shelved()
    async with connected(nats_server) as wire:
        await wire.send(node.envelope())
        await wire.acks.get()
        answer = await wire.heartbeat(head_seq=1, boot_nonce="another start")
        assert answer.needs_new_epoch
        assert "it has lost events" in answer.fenced
