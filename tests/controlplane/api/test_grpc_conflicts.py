"""Conflicts, overrides and moves over gRPC: once per request id, in pages, and with the statuses of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from bodega.v1 import conflicts_pb2 as pb
from bodega.v1 import conflicts_pb2_grpc as services
from bodega.v1 import controlplane_pb2, controlplane_pb2_grpc
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, NodeByHand, deliver, open_test_store
from support.faces import OPERATOR, grpc_channel
from support.moved_order import LISBON, PORTO, SKU, news, place, two_nodes

HOUR_MS = 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_test_store("sqlite", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def lisbon(store: Store) -> NodeByHand:
    """The node in Lisbon, with an order of 4 and 10 on its shelf; the other has none."""
    node, _ = two_nodes(store, porto=0)
    return node


@pytest.fixture
async def channel(store: Store, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc_channel(Hub(store, load_hub_key(tmp_path), POLICY)) as opened:
        yield opened


def conflict_stub(channel: grpc.aio.Channel) -> Any:
    return services.ConflictServiceStub(channel)


def lose(store: Store, node: NodeByHand, units: int) -> None:
    node.move("count_down", SKU, units, source="A-01-01")
    deliver(store, *news(store, node))


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), str(dict(caught.value.trailing_metadata())["bodega-code"])


async def test_a_conflict_is_listed_told_overridden_and_resolved(
    store: Store, lisbon: NodeByHand, channel: grpc.aio.Channel
) -> None:
    order = place(store, 4)
    lose(store, lisbon, 8)
    stub = conflict_stub(channel)
    asked = pb.ConflictServiceListConflictsRequest(only_open=True, kind="physical_shortfall", node_id=LISBON)
    (row,) = (await stub.ListConflicts(asked, metadata=OPERATOR)).conflicts
    assert (row.order_id, row.state, list(row.effects)[1]) == (order.order_id, "open", "lacks:2")
    one = pb.GetConflictRequest(conflict_id=row.conflict_id)
    story = await stub.GetConflict(one, metadata=OPERATOR)
    assert [told.fact for told in story.inputs] == ["movement", "fulfillment_order"]
    hold = pb.OverrideConflictRequest(
        request_id="q-1",
        conflict_id=row.conflict_id,
        effect="wait for the truck",
        reason="due at three",
        expires_after_ms=HOUR_MS,
    )
    held = await stub.OverrideConflict(hold, metadata=OPERATOR)
    assert (held.conflict.state, held.conflict.decision) == ("overridden", "wait for the truck")
    assert await stub.OverrideConflict(hold, metadata=OPERATOR) == held
    assert await refusal(stub.OverrideConflict(_changed(hold, effect="x"), metadata=OPERATOR)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "idempotency-mismatch",
    )
    (open_one,) = (
        await stub.ListOverrides(pb.ListOverridesRequest(only_open=True), metadata=OPERATOR)
    ).overrides
    assert (open_one.kind, open_one.subject, open_one.actor) == ("hold_outcome", row.conflict_id, "operator")
    decide = pb.ResolveConflictRequest(request_id="q-2", conflict_id=row.conflict_id, decision="ship short")
    decided = await stub.ResolveConflict(decide, metadata=OPERATOR)
    assert decided.conflict.state == "resolved"
    assert await stub.ResolveConflict(decide, metadata=OPERATOR) == decided
    again = _changed(decide, request_id="q-3")
    assert await refusal(stub.ResolveConflict(again, metadata=OPERATOR)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "illegal-transition",
    )


def _changed(request: Any, **fields: Any) -> Any:
    copy = type(request)()
    copy.CopyFrom(request)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


async def test_an_operator_tool_of_an_older_version_lists_conflicts_as_before(
    store: Store, lisbon: NodeByHand, channel: grpc.aio.Channel
) -> None:
    place(store, 4)
    lose(store, lisbon, 8)
    old = controlplane_pb2_grpc.DecisionServiceStub(channel)
    answer = await old.ListConflicts(controlplane_pb2.ListConflictsRequest(), metadata=OPERATOR)
    assert [row.kind for row in answer.conflicts] == ["physical_shortfall"]


async def test_an_order_is_moved_once_per_request_and_explained_with_what_was_before(
    store: Store, lisbon: NodeByHand, channel: grpc.aio.Channel
) -> None:
    porto = NodeByHand(PORTO)
    porto.shelve(SKU, 9)
    deliver(store, porto.delivery())
    order = place(store, 4)
    orders = controlplane_pb2_grpc.OrderServiceStub(channel)
    move = controlplane_pb2.ReassignOrderRequest(request_id="q-1", order_id=order.order_id, reason="flooded")
    moved = await orders.ReassignOrder(move, metadata=OPERATOR)
    heads = store.read(outbox.heads)
    assert await orders.ReassignOrder(move, metadata=OPERATOR) == moved
    assert store.read(outbox.heads) == heads
    assert (moved.order.node_id, moved.order.service_class) == (PORTO, "standard")
    decisions = controlplane_pb2_grpc.DecisionServiceStub(channel)
    why = await decisions.ExplainRoute(
        controlplane_pb2.ExplainRouteRequest(order_id=order.order_id), metadata=OPERATOR
    )
    assert (why.decision.node_id, why.decision.reason, why.decision.decided_by) == (
        PORTO,
        "flooded",
        "operator",
    )
    assert [one.node_id for one in why.earlier] == [LISBON]
    assert await refusal(
        orders.ReassignOrder(_changed(move, request_id="q-2", node_id=PORTO), metadata=OPERATOR)
    ) == (grpc.StatusCode.FAILED_PRECONDITION, "there-already")


async def test_overrides_are_opened_and_closed_and_what_is_none_is_refused(
    store: Store, lisbon: NodeByHand, channel: grpc.aio.Channel
) -> None:
    order = place(store, 4)
    stub = conflict_stub(channel)
    keep = pb.OpenOverrideRequest(
        request_id="q-1",
        kind="keep_at_node",
        order_id=order.order_id,
        reason="collected there",
        expires_after_ms=HOUR_MS,
    )
    kept = (await stub.OpenOverride(keep, metadata=OPERATOR)).override
    assert (kept.state, kept.effect) == ("open", f"order {order.order_id} stays at {LISBON}")
    orders = controlplane_pb2_grpc.OrderServiceStub(channel)
    move = controlplane_pb2.ReassignOrderRequest(request_id="q-2", order_id=order.order_id, reason="flooded")
    assert (await refusal(orders.ReassignOrder(move, metadata=OPERATOR)))[1] == "kept-at-node"
    close = pb.CloseOverrideRequest(request_id="q-3", override_id=kept.override_id)
    assert (await stub.CloseOverride(close, metadata=OPERATOR)).override.state == "closed"
    hold = _changed(keep, request_id="q-4", kind="hold", node_id=LISBON, sku_id=SKU, quantity=3)
    assert (await stub.OpenOverride(hold, metadata=OPERATOR)).override.subject == f"{LISBON}/{SKU}"
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    for wrong in ({"kind": "nonsense"}, {"request_id": ""}, {"expires_after_ms": 0}, {"reason": ""}):
        asked = _changed(keep, **{"request_id": "q-5", **wrong})
        assert (await refusal(stub.OpenOverride(asked, metadata=OPERATOR)))[0] is invalid
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListConflicts(pb.ConflictServiceListConflictsRequest())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
