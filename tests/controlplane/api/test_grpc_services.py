"""The gRPC face on a real server and a real hub: every service, the operator's token, health, reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from structlog.testing import capture_logs

from bodega.limits import CATALOGUE_ROWS_MAX, PAGE_ROWS_MAX, REQUEST_BYTES_MAX
from bodega.v1 import catalogue_pb2, orders_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import orders
from support.controlplane import POLICY, SHOP, gtin_of, order_draft
from support.faces import OPERATOR, grpc_channel, http_client

PROFILE = catalogue_pb2.NodeProfile(
    node_id="porto-01",
    name="Porto",
    location=catalogue_pb2.GeoPoint(latitude=41.1, longitude=-8.6),
    ship_from=["Rua 1"],
    sscc_range=catalogue_pb2.SsccRange(extension=3, company_prefix="5600001", first_serial=0, last_serial=9),
    bins=[catalogue_pb2.Bin(bin_id="A-1", walk_order=1)],
)


@pytest.fixture
async def channel(hub: Hub) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc_channel(hub) as channel:
        yield channel


async def place(hub: Hub, quantity: int = 1) -> str:
    view = await hub.run(lambda tx: orders.place_order(tx, SHOP, order_draft(("TEA", quantity)), POLICY))
    return view.order_id


async def refusal(call: Any) -> tuple[grpc.StatusCode, dict[str, Any], list[str]]:
    """Status, trailing metadata, and the faults of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailers = list(caught.value.trailing_metadata())
    return (
        caught.value.code(),
        dict(trailers),
        [str(value) for key, value in trailers if key == "bodega-fault"],
    )


async def test_an_order_can_be_read_listed_cancelled_and_explained(
    hub: Hub, channel: grpc.aio.Channel
) -> None:
    order_id = await place(hub, 2)
    stub = services.OrderServiceStub(channel)
    got = (await stub.GetOrder(pb.GetOrderRequest(order_id=order_id), metadata=OPERATOR)).order
    assert (got.state, got.node_id, got.lines[0].quantity) == (
        orders_pb2.ORDER_STATE_CONFIRMED,
        "lisbon-01",
        2,
    )
    listed = await stub.ListOrders(pb.ListOrdersRequest(), metadata=OPERATOR)
    assert list(listed.orders) == [got]
    cancelled = await stub.CancelOrder(pb.CancelOrderRequest(order_id=order_id), metadata=OPERATOR)
    assert cancelled.order.state == orders_pb2.ORDER_STATE_CANCEL_REQUESTED
    confirmed = pb.ListOrdersRequest(state=orders_pb2.ORDER_STATE_CONFIRMED)
    assert not (await stub.ListOrders(confirmed, metadata=OPERATOR)).orders
    explained = await services.DecisionServiceStub(channel).ExplainRoute(
        pb.ExplainRouteRequest(order_id=order_id), metadata=OPERATOR
    )
    assert explained.decision.node_id == "lisbon-01"
    assert explained.decision.candidates[0].eligible


async def test_the_catalogue_is_upserted_and_paged(channel: grpc.aio.Channel) -> None:
    stub = services.CatalogueServiceStub(channel)
    skus = [catalogue_pb2.Sku(sku_id=f"S{n}", name=f"s {n}", gtins=[gtin_of(100 + n)]) for n in range(3)]
    answer = await stub.UpsertSkus(pb.UpsertSkusRequest(skus=skus), metadata=OPERATOR)
    assert answer.changed == 3
    first = await stub.ListSkus(pb.ListSkusRequest(page_size=2), metadata=OPERATOR)
    assert [sku.sku_id for sku in first.skus] == ["S0", "S1"]
    assert first.skus[0].gtins == [gtin_of(100).zfill(14)]
    rest = await stub.ListSkus(pb.ListSkusRequest(page_token=first.next_page_token), metadata=OPERATOR)
    assert [sku.sku_id for sku in rest.skus] == ["S2", "TEA"]
    assert rest.next_page_token == ""


async def imported(
    channel: grpc.aio.Channel, *requests: pb.ImportSkusRequest, metadata: Any = OPERATOR
) -> list[pb.ImportSkusResponse]:
    call = services.CatalogueServiceStub(channel).ImportSkus(iter(requests), metadata=metadata)
    return [answer async for answer in call]


def piece(first: int, end: int, **last: Any) -> pb.ImportSkusRequest:
    """Rows of a file, each at the line after its number."""
    skus = [catalogue_pb2.Sku(sku_id=f"S{n}", name=f"s {n}") for n in range(first, end)]
    skus += [catalogue_pb2.Sku(sku_id="LAST", name="last", **last)] if last else []
    return pb.ImportSkusRequest(skus=skus, lines=range(first + 2, first + 2 + len(skus)))


async def test_a_file_comes_in_pieces_and_says_how_far_it_is(channel: grpc.aio.Channel) -> None:
    answers = await imported(channel, piece(0, 90), piece(90, 120))
    assert (answers[0].rows_checked, answers[0].rows_written) == (100, 0)
    last = answers[-1]
    assert (last.rows_checked, last.rows_written, last.changed) == (120, 120, 120)
    assert (await imported(channel, piece(0, 120)))[-1].changed == 0


async def test_every_fault_of_a_file_is_told_and_none_of_it_is_written(channel: grpc.aio.Channel) -> None:
    parts = [catalogue_pb2.KitComponent(sku_id=f"GHOST{n}", quantity=1) for n in range(40)]
    answers = await imported(channel, piece(0, 110), piece(110, 120, components=parts))
    assert [(one.line, one.where) for one in answers[-1].faults] == [
        (122, f"components[{number}].sku_id") for number in range(40)
    ]
    left = await services.CatalogueServiceStub(channel).ListSkus(pb.ListSkusRequest(), metadata=OPERATOR)
    assert [sku.sku_id for sku in left.skus] == ["TEA"]


async def test_what_is_no_file_is_refused_and_a_stranger_before_it_is_read(channel: grpc.aio.Channel) -> None:
    for nothing in (pb.ImportSkusRequest(), pb.ImportSkusRequest(skus=piece(0, 1).skus)):
        status, trailers, _ = await refusal(imported(channel, nothing))
        assert (status, trailers["bodega-code"]) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid-input")
    status, trailers, _ = await refusal(imported(channel, piece(0, 1), metadata=()))
    assert (status, trailers["bodega-code"]) == (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated")


async def test_a_file_of_more_rows_than_the_bound_is_refused(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_controlplane.api.grpc.catalogue.IMPORT_ROWS_MAX", 10)
    assert (await imported(channel, piece(0, 10)))[-1].changed == 10
    status, _, _ = await refusal(imported(channel, piece(0, 5), piece(5, 11)))
    assert status is grpc.StatusCode.INVALID_ARGUMENT


async def test_units_and_tracking_come_back_over_grpc_as_they_were_sent_over_http(
    hub: Hub, channel: grpc.aio.Channel
) -> None:
    unit = {"unit": "case", "base_units": 12, "gtins": [gtin_of(7)]}
    milk = {"sku_id": "MILK", "name": "Milk", "lot_tracked": True, "expiry_tracked": True, "units": [unit]}
    gift = {"sku_id": "GIFT", "name": "Gift", "components": [{"sku_id": "MILK", "quantity": 2}]}
    async with http_client(hub) as shop:
        answer = await shop.post("/v1/catalogue", json={"skus": [milk, gift]})
    assert (answer.status_code, answer.json()) == (200, {"changed": 2})
    stub = services.CatalogueServiceStub(channel)
    found = {sku.sku_id: sku for sku in (await stub.ListSkus(pb.ListSkusRequest(), metadata=OPERATOR)).skus}
    assert (found["MILK"].units[0].base_units, list(found["MILK"].units[0].gtins)) == (12, [f"0{gtin_of(7)}"])
    assert (found["MILK"].expiry_tracked, found["MILK"].units_version) == (True, 1)
    assert found["GIFT"].components[0].sku_id == "MILK"


async def test_stock_and_availability_agree(hub: Hub, channel: grpc.aio.Channel) -> None:
    await place(hub, 3)
    stub = services.StockServiceStub(channel)
    levels = (await stub.ListStock(pb.ListStockRequest(node_id="lisbon-01"), metadata=OPERATOR)).levels
    assert [(row.bin, row.sku_id, row.disposition, row.on_hand) for row in levels] == [
        ("A-01-01", "TEA", "sellable_accessible", 12)
    ]
    answer = await stub.ListAvailability(pb.ListAvailabilityRequest(sku_ids=["TEA"]), metadata=OPERATOR)
    [row] = answer.availability
    assert (row.sellable, row.reserved, row.safety_stock, row.available) == (12, 3, 2, 7)


async def test_a_node_is_registered_listed_and_configured(hub: Hub, channel: grpc.aio.Channel) -> None:
    stub = services.NodeServiceStub(channel)
    answer = await stub.RegisterNode(pb.RegisterNodeRequest(profile=PROFILE), metadata=OPERATOR)
    assert answer.hub_verify_key == hub.key.verify_key
    nodes = (await stub.ListNodes(pb.ListNodesRequest(), metadata=OPERATOR)).nodes
    assert [node.node_id for node in nodes] == ["lisbon-01", "porto-01"]
    assert not nodes[1].HasField("health")
    request = pb.SetDesiredStateRequest(node_id="porto-01", settings={"vision.mode": "off"})
    assert (await stub.SetDesiredState(request, metadata=OPERATOR)).generation == 1
    assert (await stub.SetDesiredState(request, metadata=OPERATOR)).generation == 2


async def test_the_audit_trail_names_the_operator_and_verifies(channel: grpc.aio.Channel) -> None:
    await services.NodeServiceStub(channel).RegisterNode(
        pb.RegisterNodeRequest(profile=PROFILE), metadata=OPERATOR
    )
    stub = services.AuditServiceStub(channel)
    entries = (await stub.ListAudit(pb.ListAuditRequest(subject="porto-01"), metadata=OPERATOR)).entries
    assert [(entry.actor, entry.action) for entry in entries] == [("operator", "node.registered")]
    check = await stub.VerifyAudit(pb.VerifyAuditRequest(), metadata=OPERATOR)
    assert (check.entries > 1, check.first_bad_seq) == (True, 0)


async def test_conflicts_and_verdicts_are_empty_before_there_are_any(channel: grpc.aio.Channel) -> None:
    stub = services.DecisionServiceStub(channel)
    assert not (await stub.ListConflicts(pb.ListConflictsRequest(), metadata=OPERATOR)).conflicts
    assert not (await stub.ListVisionDecisions(pb.ListVisionDecisionsRequest(), metadata=OPERATOR)).decisions


@pytest.mark.parametrize("token", [None, "", "Bearer nope", "Bearer shop-secret", "operator-secret"])
async def test_without_the_operators_token_every_method_refuses(
    channel: grpc.aio.Channel, token: str | None
) -> None:
    metadata = (("authorization", token),) if token is not None else ()
    for call in (
        services.OrderServiceStub(channel).ListOrders(pb.ListOrdersRequest(), metadata=metadata),
        services.NodeServiceStub(channel).RegisterNode(pb.RegisterNodeRequest(), metadata=metadata),
        services.AuditServiceStub(channel).VerifyAudit(pb.VerifyAuditRequest(), metadata=metadata),
    ):
        status, trailers, _ = await refusal(call)
        assert status is grpc.StatusCode.UNAUTHENTICATED
        assert trailers["bodega-code"] == "unauthenticated"
        assert "operator.token" in trailers["bodega-hint"]


async def test_health_is_open_and_serving(channel: grpc.aio.Channel) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_every_service_to_the_operator_only(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [answer] = [row async for row in stub.ServerReflectionInfo(iter([request]), metadata=OPERATOR)]
    names = {service.name for service in answer.list_services_response.service}
    assert {"bodega.v1.OrderService", "bodega.v1.AuditService", "grpc.health.v1.Health"} <= names
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [row async for row in stub.ServerReflectionInfo(iter([request]))]
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_every_fault_of_a_request_comes_in_the_trailing_metadata(channel: grpc.aio.Channel) -> None:
    skus = [catalogue_pb2.Sku(sku_id="", name="é"), catalogue_pb2.Sku(sku_id="A", gtins=["123"])]
    call = services.CatalogueServiceStub(channel).UpsertSkus(
        pb.UpsertSkusRequest(skus=skus), metadata=OPERATOR
    )
    status, trailers, faults = await refusal(call)
    assert (status, trailers["bodega-code"]) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid-input")
    assert trailers["bodega-hint"]
    for where in ("skus[0].sku_id", "skus[1].name", "skus[1].gtins[0]"):
        assert any(where in fault for fault in faults), where


async def test_unknown_things_are_not_found(channel: grpc.aio.Channel) -> None:
    for call in (
        services.OrderServiceStub(channel).GetOrder(pb.GetOrderRequest(order_id="O-nope"), metadata=OPERATOR),
        services.DecisionServiceStub(channel).ExplainRoute(
            pb.ExplainRouteRequest(order_id="O-nope"), metadata=OPERATOR
        ),
        services.NodeServiceStub(channel).SetDesiredState(
            pb.SetDesiredStateRequest(node_id="nope"), metadata=OPERATOR
        ),
    ):
        status, trailers, _ = await refusal(call)
        assert (status, trailers["bodega-code"]) == (grpc.StatusCode.NOT_FOUND, "not-found")


async def test_sizes_are_bounded(channel: grpc.aio.Channel) -> None:
    catalogue = services.CatalogueServiceStub(channel)
    everything = await catalogue.ListSkus(pb.ListSkusRequest(page_size=PAGE_ROWS_MAX + 1), metadata=OPERATOR)
    assert len(everything.skus) == 1
    rows = [catalogue_pb2.Sku(sku_id=f"S{n}", name="x") for n in range(CATALOGUE_ROWS_MAX + 1)]
    status, _, faults = await refusal(
        catalogue.UpsertSkus(pb.UpsertSkusRequest(skus=rows), metadata=OPERATOR)
    )
    assert (status, len(faults)) == (grpc.StatusCode.INVALID_ARGUMENT, 1)
    large = pb.UpsertSkusRequest(skus=[catalogue_pb2.Sku(sku_id="S", name="x" * REQUEST_BYTES_MAX)])
    status, _, _ = await refusal(catalogue.UpsertSkus(large, metadata=OPERATOR))
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_state_that_does_not_exist_is_refused(channel: grpc.aio.Channel) -> None:
    request = pb.ListOrdersRequest(state=orders_pb2.OrderState.ValueType(99))
    status, _, faults = await refusal(
        services.OrderServiceStub(channel).ListOrders(request, metadata=OPERATOR)
    )
    assert (status, len(faults)) == (grpc.StatusCode.INVALID_ARGUMENT, 1)


async def test_a_bug_is_an_internal_status_that_tells_nothing(
    hub: Hub, channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_fn: Any) -> NoReturn:
        raise ZeroDivisionError("Maria Secreta lives here")

    monkeypatch.setattr(hub, "read", broken)
    metadata = (*OPERATOR, ("x-correlation-id", "ops-7"))
    with capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError) as caught:
        await services.NodeServiceStub(channel).ListNodes(pb.ListNodesRequest(), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert dict(caught.value.trailing_metadata())["x-correlation-id"] == "ops-7"
    assert "Zero" not in str(caught.value.details())
    assert "Maria" not in str(lines)
    assert {"request_bug", "grpc_request"} == {line["event"] for line in lines}


async def test_a_second_server_on_the_port_fails_instead_of_sharing_its_calls(hub: Hub) -> None:
    from bodega_controlplane.api.grpc.server import build_server
    from support.faces import TOKENS

    first, second = build_server(hub, TOKENS), build_server(hub, TOKENS)
    port = first.add_insecure_port("127.0.0.1:0")
    await first.start()
    try:
        with pytest.raises(RuntimeError):
            second.add_insecure_port(f"127.0.0.1:{port}")
    finally:
        await first.stop(grace=None)
        await second.stop(grace=None)
