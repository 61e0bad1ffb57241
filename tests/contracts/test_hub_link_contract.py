"""What every HubLink owes the sync service: the same suite for the one in memory and for real NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bodega.broker.connection import Broker
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.services.ports import HubLink, LinkLost, PublishConflict, StreamMissing
from bodega_agent.transport.nats_link import NatsLink
from support.hub_book import HubBook
from support.listener import Heard
from support.memory_link import MemoryBroker, MemoryHub, MemoryLink
from support.nats import NatsServer
from support.nats_hub import NatsHub
from support.waiting import until, until_async

NODE = "lisbon-01"


@dataclass
class World:
    """A link that runs, and the hub's end of it."""

    link: HubLink
    hub: MemoryHub | NatsHub
    heard: Heard


@pytest.fixture(params=["memory", "nats"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    heard = Heard()
    if request.param == "memory":
        broker = MemoryBroker(has_streams=False)
        broker.start()
        yield_world = World(MemoryLink(broker), MemoryHub(broker), heard)
        async for part in _run(yield_world):
            yield part
        return
    server = NatsServer(tmp_path / "nats").start()
    hub = await NatsHub(server.url).start()
    async for part in _run(World(NatsLink(NODE, Broker(server.url)), hub, heard)):
        yield part
    await hub.stop()
    server.stop()


async def _run(world: World) -> AsyncIterator[World]:
    running = asyncio.create_task(world.link.run(world.heard))
    await until(lambda: world.link.connected)
    yield world
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not world.link.connected


async def test_a_publish_goes_after_the_message_it_names(world: World) -> None:
    await world.hub.make_streams()
    first = await world.link.publish_up(1, b"one", 0)
    second = await world.link.publish_up(1, b"two", first)
    assert second > first
    assert await world.hub.up_messages() == [b"one", b"two"]


async def test_a_publish_that_names_another_message_changes_nothing(world: World) -> None:
    await world.hub.make_streams()
    first = await world.link.publish_up(1, b"one", 0)
    for expected in (0, first + 1):
        with pytest.raises(PublishConflict):
            await world.link.publish_up(1, b"two", expected)
    assert await world.hub.up_messages() == [b"one"]


async def test_epochs_do_not_disturb_each_other(world: World) -> None:
    await world.hub.make_streams()
    await world.link.publish_up(1, b"old life", 0)
    await world.link.publish_up(2, b"new life", 0)
    stored = await world.link.last_up(1)
    assert stored is not None
    assert stored.body == b"old life"


async def test_the_last_message_can_be_read_back_and_followed(world: World) -> None:
    await world.hub.make_streams()
    assert await world.link.last_up(1) is None
    sequence = await world.link.publish_up(1, b"one", 0)
    stored = await world.link.last_up(1)
    assert stored is not None
    assert (stored.stream_seq, stored.body) == (sequence, b"one")
    await world.link.publish_up(1, b"two", stored.stream_seq)


async def test_a_purged_stream_reads_back_as_empty_and_takes_a_first_message(world: World) -> None:
    await world.hub.make_streams()
    await world.link.publish_up(1, b"one", 0)
    await world.hub.forget_up()
    assert await world.link.last_up(1) is None
    await world.link.publish_up(1, b"again", 0)


async def test_without_streams_the_broker_says_so(world: World) -> None:
    with pytest.raises(StreamMissing):
        await world.link.publish_up(1, b"one", 0)
    with pytest.raises(StreamMissing):
        await world.link.last_up(1)


async def test_acks_and_wants_of_the_hub_are_heard(world: World) -> None:
    book = HubBook(NODE)
    await world.hub.ack(book.ack())
    await world.hub.want(sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=7))
    await until(lambda: bool(world.heard.acks and world.heard.wants))
    assert world.heard.acks == [book.ack()]
    assert world.heard.wants[0].from_seq == 7


async def test_heartbeats_and_wants_are_answered_by_the_hub(world: World) -> None:
    book = HubBook(NODE)
    book.write_down(b"profile", b"sku")
    await world.hub.answer(book)
    answer = await world.link.heartbeat(sync_pb2.HeartbeatRequest(node_id=NODE, epoch=1))
    assert answer.down_head_seq == 2
    events = await world.link.want_down(sync_pb2.WantRequest(node_id=NODE, epoch=1, from_seq=2))
    assert list(events.envelope.events) == [b"sku"]


async def test_telemetry_is_kept_by_the_hub_and_counted(world: World) -> None:
    book = HubBook(NODE)
    await world.hub.answer(book)
    rows = [telemetry_pb2.TelemetryRow(row_no=1, kind="sample"), telemetry_pb2.TelemetryRow(row_no=2)]
    kept = await world.link.report(telemetry_pb2.TelemetryReport(node_id=NODE, rows=rows))
    assert (kept.rows, book.telemetry) == (2, rows)


async def test_a_hub_that_is_not_there_is_a_lost_link(world: World) -> None:
    with pytest.raises(LinkLost):
        await world.link.heartbeat(sync_pb2.HeartbeatRequest(node_id=NODE))


async def test_messages_of_the_hub_come_in_order_and_go_when_acknowledged(world: World) -> None:
    await world.hub.make_streams()
    await world.hub.register()
    for number in range(20):
        await world.hub.publish_down(b"%d" % number)
    for number in range(20):
        delivery = await asyncio.wait_for(world.link.next_down(), 10)
        assert delivery.body == b"%d" % number
        await delivery.ack()

    async def none_left() -> bool:
        return await world.hub.down_unacked() == 0

    await until_async(none_left)


async def test_the_listener_hears_of_the_connection_first(world: World) -> None:
    assert world.heard.connections == [True]
