"""What every broker owes both of its ends: the hub's `FleetLink` and the node's `HubLink`, joined by one broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bodega.core.incarnation import Change, change
from bodega.limits import ENVELOPE_BYTES_MAX
from bodega.v1 import sync_pb2, telemetry_pb2
from bodega_agent.services.ports import HubLink, LinkLost
from bodega_controlplane.services.ports import (
    FleetConnection,
    PublishConflict,
    StreamMissing,
    UpMessage,
)
from support.broker_rigs import RIGS, BrokerRig
from support.listener import Heard
from support.waiting import until

LISBON, PORTO = "lisbon-01", "porto-01"
LATEST_S = 60


@dataclass
class Asked:
    """Answers what it is told to, and keeps what it was asked."""

    answers: bool = True
    heartbeats: list[tuple[str, int]] = field(default_factory=list)

    async def heartbeat(
        self, node_id: str, request: sync_pb2.HeartbeatRequest
    ) -> sync_pb2.HeartbeatResponse | None:
        self.heartbeats.append((node_id, request.head_seq))
        return sync_pb2.HeartbeatResponse(down_head_seq=7) if self.answers else None

    async def want(self, node_id: str, request: sync_pb2.WantRequest) -> sync_pb2.WantResponse | None:
        return sync_pb2.WantResponse(envelope=sync_pb2.Envelope(node_id=node_id, first_seq=request.from_seq))

    async def telemetry(
        self, node_id: str, request: telemetry_pb2.TelemetryReport
    ) -> telemetry_pb2.TelemetryKept | None:
        return telemetry_pb2.TelemetryKept(rows=len(request.rows) if node_id == LISBON else 0)

    async def malformed(self, node_id: str, subject: str, body: bytes, reason: str) -> None:
        raise AssertionError(f"{subject} is malformed: {reason}")


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerRig]:
    rig = RIGS[request.param](tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def hub(rig: BrokerRig, asked: Asked) -> AsyncIterator[FleetConnection]:
    """A connection with its streams made."""
    connection = await rig.fleet.connect(asked)
    await connection.make_streams()
    yield connection
    await connection.close()


@asynccontextmanager
async def node_at(rig: BrokerRig, node_id: str, heard: Heard | None = None) -> AsyncIterator[HubLink]:
    link = rig.node(node_id)
    running = asyncio.create_task(link.run(heard or Heard()))
    try:
        await until(lambda: link.connected)
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def lisbon(rig: BrokerRig) -> AsyncIterator[HubLink]:
    async with node_at(rig, LISBON) as link:
        yield link


async def received(hub: FleetConnection, count: int, batch_max: int = 4) -> list[UpMessage]:
    """The next messages, each acknowledged."""
    found: list[UpMessage] = []
    async with asyncio.timeout(LATEST_S), aclosing(hub.up_batches(batch_max)) as batches:
        async for batch in batches:
            assert 1 <= len(batch) <= batch_max
            for message in batch:
                await message.ack()
            found += batch
            if len(found) >= count:
                return found
    return found


async def test_what_nodes_publish_comes_in_the_order_of_each_with_its_name(
    rig: BrokerRig, hub: FleetConnection, lisbon: HubLink
) -> None:
    async with node_at(rig, PORTO) as porto:
        last = {LISBON: 0, PORTO: 0}
        for number in range(6):
            last[LISBON] = await lisbon.publish_up(1, b"L%d" % number, last[LISBON])
            last[PORTO] = await porto.publish_up(1, b"P%d" % number, last[PORTO])
    found = await received(hub, 12)
    for node_id, letter in ((LISBON, "L"), (PORTO, "P")):
        bodies = [one.body.decode() for one in found if one.node_id == node_id]
        assert bodies == [f"{letter}{number}" for number in range(6)]
    assert {one.subject for one in found} == {f"up.{LISBON}.1", f"up.{PORTO}.1"}


async def test_an_envelope_of_the_largest_size_travels_both_ways(
    hub: FleetConnection, lisbon: HubLink
) -> None:
    body = bytes(ENVELOPE_BYTES_MAX + 8 * 1024)
    await lisbon.publish_up(1, body, 0)
    assert (await received(hub, 1))[0].body == body
    await hub.make_node_consumer(LISBON)
    await hub.publish_down(LISBON, 1, body, 0)
    assert (await asyncio.wait_for(lisbon.next_down(), LATEST_S)).body == body


async def test_streams_that_are_made_again_keep_what_they_hold(hub: FleetConnection, lisbon: HubLink) -> None:
    await lisbon.publish_up(1, b"one", 0)
    await hub.make_streams()
    assert (await received(hub, 1))[0].body == b"one"


async def test_what_is_acknowledged_does_not_come_again(hub: FleetConnection, lisbon: HubLink) -> None:
    last = 0
    async with asyncio.timeout(LATEST_S), aclosing(hub.up_batches(4)) as batches:
        for number in range(10):
            last = await lisbon.publish_up(1, b"%d" % number, last)
            (message,) = await anext(batches)
            assert message.body == b"%d" % number
            await message.ack()


async def test_a_publish_to_a_node_goes_after_the_message_it_names(hub: FleetConnection) -> None:
    assert await hub.last_down(LISBON, 1) is None
    first = await hub.publish_down(LISBON, 1, b"one", 0)
    for expected in (0, first + 1):
        with pytest.raises(PublishConflict):
            await hub.publish_down(LISBON, 1, b"two", expected)
    stored = await hub.last_down(LISBON, 1)
    assert stored is not None
    assert (stored.stream_seq, stored.body) == (first, b"one")
    assert await hub.publish_down(LISBON, 1, b"two", first) > first


async def test_nodes_and_epochs_do_not_disturb_each_other(hub: FleetConnection) -> None:
    await hub.publish_down(LISBON, 1, b"one", 0)
    await hub.publish_down(LISBON, 2, b"two", 0)
    await hub.publish_down(PORTO, 1, b"three", 0)
    for node_id, epoch, body in ((LISBON, 1, b"one"), (LISBON, 2, b"two"), (PORTO, 1, b"three")):
        stored = await hub.last_down(node_id, epoch)
        assert stored is not None
        assert stored.body == body


async def test_a_node_receives_what_is_for_it_in_order(hub: FleetConnection, lisbon: HubLink) -> None:
    await hub.make_node_consumer(LISBON)
    await hub.make_node_consumer(LISBON)
    last = 0
    for number in range(20):
        last = await hub.publish_down(LISBON, 1, b"%d" % number, last)
        await hub.publish_down(f"other-{number}", 1, b"not yours", 0)
    for number in range(20):
        delivery = await asyncio.wait_for(lisbon.next_down(), LATEST_S)
        assert delivery.body == b"%d" % number
        await delivery.ack()


async def test_what_the_hub_tells_is_heard_by_that_node_only(rig: BrokerRig, hub: FleetConnection) -> None:
    at_lisbon, at_porto = Heard(), Heard()
    async with AsyncExitStack() as nodes:
        await nodes.enter_async_context(node_at(rig, LISBON, at_lisbon))
        await nodes.enter_async_context(node_at(rig, PORTO, at_porto))
        await hub.tell(LISBON, sync_pb2.Ack(node_id=LISBON, seq=3))
        await hub.tell(LISBON, sync_pb2.WantRequest(node_id=LISBON, from_seq=4))
        await hub.tell(PORTO, sync_pb2.Ack(node_id=PORTO, seq=9))
        await until(lambda: bool(at_lisbon.acks and at_lisbon.wants and at_porto.acks))
    assert ([one.seq for one in at_lisbon.acks], [one.seq for one in at_porto.acks]) == ([3], [9])
    assert (at_lisbon.wants[0].from_seq, at_porto.wants) == (4, [])


async def test_a_node_that_asks_is_answered_and_known_by_its_subject(
    hub: FleetConnection, lisbon: HubLink, asked: Asked
) -> None:
    answer = await lisbon.heartbeat(sync_pb2.HeartbeatRequest(node_id="somebody-else", head_seq=5))
    assert (answer.down_head_seq, asked.heartbeats) == (7, [(LISBON, 5)])
    events = await lisbon.want_down(sync_pb2.WantRequest(from_seq=3))
    assert (events.envelope.node_id, events.envelope.first_seq) == (LISBON, 3)
    rows = [telemetry_pb2.TelemetryRow(kind="sample")]
    assert (await lisbon.report(telemetry_pb2.TelemetryReport(rows=rows))).rows == 1


async def test_a_question_without_an_answer_is_a_lost_link(
    hub: FleetConnection, lisbon: HubLink, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_agent.transport.nats_link.BROKER_REQUEST_S", 0.3)
    asked.answers = False
    with pytest.raises(LinkLost):
        await lisbon.heartbeat(sync_pb2.HeartbeatRequest(node_id=LISBON))


async def test_a_stream_that_grows_is_the_same_and_one_that_lost_something_is_not(
    rig: BrokerRig, hub: FleetConnection, lisbon: HubLink
) -> None:
    empty = (await hub.stream_states())["UP"]
    first = await lisbon.publish_up(1, b"one", 0)
    one = (await hub.stream_states())["UP"]
    assert (one.last_seq, one.consumers, change(empty, one)) == (first, 1, Change.SAME)
    await rig.purge_stream("UP")
    assert change(one, (await hub.stream_states())["UP"]) is Change.EMPTIED
    await rig.delete_stream("UP")
    with pytest.raises(StreamMissing):
        await hub.stream_states()
    await hub.make_streams()
    assert change(one, (await hub.stream_states())["UP"]) is Change.MADE_ANEW


async def test_without_its_stream_nothing_can_be_published_or_read_back(
    rig: BrokerRig, hub: FleetConnection
) -> None:
    await rig.delete_stream("DOWN")
    with pytest.raises(StreamMissing):
        await hub.publish_down(LISBON, 1, b"one", 0)
    with pytest.raises(StreamMissing):
        await hub.last_down(LISBON, 1)
    with pytest.raises(StreamMissing):
        await hub.make_node_consumer(LISBON)


async def test_a_consumer_that_is_gone_is_said_and_one_made_anew_brings_what_came_meanwhile(
    rig: BrokerRig, hub: FleetConnection, lisbon: HubLink
) -> None:
    receiving = asyncio.create_task(received(hub, 1))
    await rig.delete_consumer("UP", "hub")
    with pytest.raises(StreamMissing):
        await asyncio.wait_for(receiving, LATEST_S)
    assert (await hub.stream_states())["UP"].consumers == 0
    await lisbon.publish_up(1, b"one", 0)
    await hub.make_streams()
    assert (await received(hub, 1))[0].body == b"one"


async def test_a_connection_that_has_ended_says_so_and_every_call_is_a_lost_link(
    rig: BrokerRig, hub: FleetConnection
) -> None:
    rig.kill()
    await asyncio.wait_for(hub.until_closed(), LATEST_S)
    for call in (
        hub.make_streams(),
        hub.stream_states(),
        hub.make_node_consumer(LISBON),
        hub.publish_down(LISBON, 1, b"one", 0),
        hub.last_down(LISBON, 1),
        hub.tell(LISBON, sync_pb2.Ack(node_id=LISBON)),
        received(hub, 1),
    ):
        with pytest.raises(LinkLost):
            await call
