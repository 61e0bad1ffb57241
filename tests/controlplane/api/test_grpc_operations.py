"""What an operator needs of a hub at work: health that is true, pages, filters, long checks in parts, deadlines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bodega.errors import Unavailable
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.api.grpc import interceptor
from bodega_controlplane.api.grpc.health import Health
from bodega_controlplane.api.grpc.server import SERVICES, build_server
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.store.orders import Narrowed
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR as BY
from support.controlplane import POLICY, SHOP, node_draft, order_draft
from support.faces import OPERATOR, TOKENS, grpc_channel, http_client

UP, DOWN = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def channel(hub: Hub) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc_channel(hub) as channel:
        yield channel


async def place(hub: Hub, reference: str) -> str:
    draft = order_draft(("TEA", 1), reference=reference)
    return (await hub.run(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))).order_id


class Away:
    """A hub whose database answers, does not, or hangs."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None

    async def ask_database(self) -> None:
        """See Hub."""
        if self.trouble is not None:
            raise self.trouble


async def test_health_of_the_whole_and_of_each_service_follows_the_database_and_a_stop(hub: Hub) -> None:
    health, database = Health(SERVICES), Away()
    server = build_server(hub, TOKENS, health)
    port = server.add_insecure_port("127.0.0.1:0")
    await health.look(database)  # type: ignore[arg-type]  # all that is asked of the hub is ask_database
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        async def said(name: str) -> int:
            return (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status

        watched = stub.Watch(health_pb2.HealthCheckRequest(service="bodega.v1.OrderService"))
        assert (await watched.read()).status == UP
        assert {await said(name) for name in ("", *SERVICES)} == {UP}
        database.trouble = Unavailable("the disk is full")
        await health.look(database)  # type: ignore[arg-type]  # as above
        assert (await watched.read()).status == DOWN
        assert {await said(name) for name in ("", *SERVICES)} == {DOWN}
        database.trouble = None
        await health.look(database)  # type: ignore[arg-type]  # as above
        assert (await watched.read()).status == UP
        await health.enter_graceful_shutdown()
        assert (await watched.read()).status == DOWN
        watched.cancel()
    await server.stop(grace=None)


async def test_the_database_is_really_asked(hub: Hub) -> None:
    await hub.ask_database()
    await hub.run(lambda tx: tx.connection.exec_driver_sql("DROP TABLE meta"))
    with pytest.raises(Exception, match="no such table"):
        await hub.ask_database()


async def test_both_faces_say_that_a_database_which_hangs_is_away(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    async def status_of_http() -> int:
        async with http_client(hub) as load_balancer:
            return (await load_balancer.get("/healthz")).status_code

    assert await status_of_http() == 200
    monkeypatch.setattr("bodega_controlplane.app.hub.DATABASE_ANSWERS_S", 0.05)
    monkeypatch.setattr("bodega_controlplane.store.meta.schema_version", lambda _tx: goes_on.wait())
    try:
        assert await status_of_http() == 503
        with pytest.raises(Unavailable, match=r"has not answered within 0\.05 s"):
            await hub.ask_database()
    finally:
        goes_on.set()


async def test_health_over_http_asks_the_database_for_something(hub: Hub) -> None:
    await hub.run(lambda tx: tx.connection.exec_driver_sql("DROP TABLE meta"))
    async with http_client(hub) as load_balancer:
        assert (await load_balancer.get("/healthz")).status_code == 500


async def test_the_audit_is_paged_without_a_gap_and_filtered(hub: Hub, channel: grpc.aio.Channel) -> None:
    for number in range(5):
        await place(hub, f"R-{number}")
    stub = services.AuditServiceStub(channel)
    whole = (await stub.ListAudit(pb.ListAuditRequest(page_size=100), metadata=OPERATOR)).entries
    seen, token = [], ""
    while True:
        request = pb.ListAuditRequest(page_size=2, page_token=token)
        answer = await stub.ListAudit(request, metadata=OPERATOR)
        seen += answer.entries
        token = answer.next_page_token
        if not token:
            break
    assert seen == list(whole)

    async def actions(**wanted: object) -> set[str]:
        answer = await stub.ListAudit(pb.ListAuditRequest(**wanted), metadata=OPERATOR)  # type: ignore[arg-type]  # the test's choice
        return {entry.action for entry in answer.entries}

    assert await actions(action="order.") == await actions(actor="storefront") == {"order.placed"}
    assert await actions(action="node.registered") == {"node.registered"}
    assert await actions(action="order") == set()
    assert await actions(action="order_") == set()
    assert await actions(since_ms=SHOP.now_ms + 1) == set()


async def test_the_chain_is_checked_in_parts_and_a_cut_end_is_found(
    hub: Hub, channel: grpc.aio.Channel
) -> None:
    await place(hub, "R-1")
    stub = services.AuditServiceStub(channel)

    async def verify(seq: int = 0, digest: bytes = b"", lines: int = 0) -> pb.VerifyAuditResponse:
        request = pb.VerifyAuditRequest(after_seq=seq, after_hash=digest, entries_max=lines)
        return await stub.VerifyAudit(request, metadata=OPERATOR)

    whole, first = await verify(), await verify(lines=1)
    assert (whole.first_bad_seq, whole.upto_seq) == (0, whole.newest_seq)
    assert (first.entries, first.upto_seq, first.newest_seq) == (1, 1, whole.newest_seq)
    rest = await verify(first.upto_seq, first.upto_hash)
    assert (rest.entries, rest.upto_hash) == (whole.entries - 1, whole.upto_hash)
    assert (await verify(whole.upto_seq, first.upto_hash)).first_bad_seq == whole.upto_seq
    assert (await verify(whole.upto_seq + 7, whole.upto_hash)).first_bad_seq == whole.upto_seq + 7
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await verify(1, b"short")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_nodes_come_in_pages_or_one_by_one(hub: Hub, channel: grpc.aio.Channel) -> None:
    def register(tx: Transaction) -> None:
        for number in range(1, 4):
            nodes.register_node(tx, BY, node_draft(f"porto-{number:02}", number=number))

    await hub.run(register)
    stub = services.NodeServiceStub(channel)
    first = await stub.ListNodes(pb.ListNodesRequest(page_size=3), metadata=OPERATOR)
    rest = await stub.ListNodes(
        pb.ListNodesRequest(page_size=3, page_token=first.next_page_token), metadata=OPERATOR
    )
    whole = await stub.ListNodes(pb.ListNodesRequest(), metadata=OPERATOR)
    ids = [node.node_id for node in (*first.nodes, *rest.nodes)]
    assert ids == [node.node_id for node in whole.nodes] == ["lisbon-01", "porto-01", "porto-02", "porto-03"]
    assert (rest.next_page_token, whole.next_page_token) == ("", "")
    one = await stub.GetNode(pb.GetNodeRequest(node_id="porto-02"), metadata=OPERATOR)
    assert one.node.node_id == "porto-02"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetNode(pb.GetNodeRequest(node_id="nope"), metadata=OPERATOR)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_orders_are_found_by_node_channel_and_reference(hub: Hub, channel: grpc.aio.Channel) -> None:
    one, two = await place(hub, "R-1"), await place(hub, "R-2")
    stub = services.OrderServiceStub(channel)

    async def found(**about: str) -> set[str]:
        answer = await stub.ListOrders(pb.ListOrdersRequest(**about), metadata=OPERATOR)  # type: ignore[arg-type]  # the test's choice
        return {order.order_id for order in answer.orders}

    assert await found(reference="R-1") == {one}
    assert await found(node_id="lisbon-01", channel="storefront") == {one, two}
    assert await found(node_id="porto-01") == await found(channel="market") == set()
    assert Narrowed() == Narrowed("", "", "")


async def test_a_call_that_never_ends_is_ended_and_a_callers_deadline_is_kept(
    hub: Hub, channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(_fn: object) -> None:
        asked.set()
        await never.wait()

    monkeypatch.setattr(hub, "read", hang)
    stub = services.OrderServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetOrder(pb.GetOrderRequest(order_id="O-1"), metadata=OPERATOR, timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    monkeypatch.setattr(interceptor, "RPC_LASTS_S_MAX", 0.2)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetOrder(pb.GetOrderRequest(order_id="O-1"), metadata=OPERATOR)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert dict(caught.value.trailing_metadata())["bodega-code"] == "too-slow"
    assert asked.is_set()
