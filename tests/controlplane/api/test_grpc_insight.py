"""Operators see what nodes sent that has no place in the books: refused, parked, told, and how much of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from bodega.broker.connection import Broker
from bodega.core.pacing import come_back_after_ms
from bodega.limits import BUSY_ENVELOPES_MAX
from bodega.v1 import controlplane_pb2, controlplane_pb2_grpc, insight_pb2_grpc, journal_pb2, telemetry_pb2
from bodega.v1 import insight_pb2 as pb
from bodega_controlplane.app.applying import journal
from bodega_controlplane.app.fleet import nodes, telemetry
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.transport.nats_fleet import NatsFleet
from support.controlplane import OPERATOR as CALLER
from support.controlplane import PORTO, NodeByHand, node_draft
from support.faces import OPERATOR, grpc_channel

NODE = "lisbon-01"


@pytest.fixture
async def channel(hub: Hub) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc_channel(hub) as channel:
        yield channel


async def test_what_was_refused_is_listed_with_its_bytes_and_counted(
    hub: Hub, channel: grpc.aio.Channel
) -> None:
    bad = NodeByHand(NODE).delivery_of(b"\xff\xff")
    for now_ms in (10, 20):
        await hub.run(lambda tx, now_ms=now_ms: journal.apply(tx, now_ms, [bad]))
    stub = insight_pb2_grpc.InsightServiceStub(channel)
    for asked in (NODE, ""):
        (one,) = (await stub.ListRefused(pb.ListRefusedRequest(node_id=asked), metadata=OPERATOR)).refused
        assert (one.node_id, one.subject, one.times) == (NODE, f"up.{NODE}.1", 2)
        assert (one.first_ms, one.last_ms, one.body) == (10, 20, b"\xff\xff")
    assert not (await stub.ListRefused(pb.ListRefusedRequest(node_id="x"), metadata=OPERATOR)).refused
    every = controlplane_pb2_grpc.NodeServiceStub(channel)
    listed = (await every.ListNodes(controlplane_pb2.ListNodesRequest(), metadata=OPERATOR)).nodes
    assert {node.node_id: node.refused for node in listed}[NODE] == 2


async def test_what_has_no_effect_is_listed_with_its_reason(hub: Hub, channel: grpc.aio.Channel) -> None:
    stranger = NodeByHand("porto-01")
    stranger.record(fulfillment_advanced=journal_pb2.FulfillmentAdvanced(fulfillment_order_id="F", state=2))
    draft = node_draft("porto-01", PORTO, number=1)
    await hub.run(lambda tx: nodes.register_node(tx, CALLER, draft))
    await hub.run(lambda tx: journal.apply(tx, 1, [stranger.delivery()]))
    stub = insight_pb2_grpc.InsightServiceStub(channel)
    for asked in ("porto-01", ""):
        (one,) = (await stub.ListParked(pb.ListParkedRequest(node_id=asked), metadata=OPERATOR)).parked
        assert (one.node_id, one.epoch, one.seq, one.fact) == ("porto-01", 1, 1, "fulfillment_advanced")
        assert "no fulfillment order 'F'" in one.reason
    every = controlplane_pb2_grpc.NodeServiceStub(channel)
    listed = (await every.ListNodes(controlplane_pb2.ListNodesRequest(), metadata=OPERATOR)).nodes
    assert {node.node_id: node.parked for node in listed}["porto-01"] == 1


async def test_what_a_node_told_is_listed_newest_first(hub: Hub, channel: grpc.aio.Channel) -> None:
    rows = [
        telemetry_pb2.TelemetryRow(
            row_no=number, at_ms=number, kind="device_lost", subject=f"scanner-{number}"
        )
        for number in (1, 2)
    ]
    await hub.run(lambda tx: telemetry.keep(tx, 9, NODE, rows))
    stub = insight_pb2_grpc.InsightServiceStub(channel)
    told = (await stub.ListTelemetry(pb.ListTelemetryRequest(node_id=NODE), metadata=OPERATOR)).told
    assert [(row.at_ms, row.kind, row.subject) for row in told] == [
        (2, "device_lost", "scanner-2"),
        (1, "device_lost", "scanner-1"),
    ]
    one = await stub.ListTelemetry(pb.ListTelemetryRequest(node_id=NODE, page_size=1), metadata=OPERATOR)
    assert len(one.told) == 1


async def test_a_node_that_nobody_knows_is_not_found(hub: Hub, channel: grpc.aio.Channel) -> None:
    stub = insight_pb2_grpc.InsightServiceStub(channel)
    for call in (
        stub.ListTelemetry(pb.ListTelemetryRequest(node_id="ghost"), metadata=OPERATOR),
        stub.ListParked(pb.ListParkedRequest(node_id="ghost"), metadata=OPERATOR),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_hub_that_asks_its_nodes_to_spread_says_so(hub: Hub, channel: grpc.aio.Channel) -> None:
    every = controlplane_pb2_grpc.NodeServiceStub(channel)
    calm = await every.ListNodes(controlplane_pb2.ListNodesRequest(), metadata=OPERATOR)
    assert calm.come_back_after_ms == 0
    link = LinkService(hub, NatsFleet(Broker("nats://localhost:1")))
    link.up.waiting = 2 * BUSY_ENVELOPES_MAX
    busy = await every.ListNodes(controlplane_pb2.ListNodesRequest(), metadata=OPERATOR)
    assert busy.come_back_after_ms == come_back_after_ms(0, 2 * BUSY_ENVELOPES_MAX) > 0
