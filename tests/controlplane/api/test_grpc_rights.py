"""Rights over gRPC: granted and recalled once per request id, listed, and refused with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.hub import Hub
from support.faces import OPERATOR, grpc_channel

NODE = "lisbon-01"


@pytest.fixture
async def rights(hub: Hub) -> AsyncIterator[services.RightsServiceAsyncStub]:
    async with grpc_channel(hub) as channel:
        yield services.RightsServiceStub(channel)


def asked(quantity: int, request_id: str = "q-1", sku_id: str = "TEA") -> pb.GrantRightsRequest:
    return pb.GrantRightsRequest(request_id=request_id, node_id=NODE, sku_id=sku_id, quantity=quantity)


async def refusal(call: object) -> tuple[grpc.StatusCode, str]:
    """The status and the code of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]  # a call
    return caught.value.code(), str(dict(caught.value.trailing_metadata())["bodega-code"])


async def test_a_grant_repeated_under_its_id_moves_nothing_twice(
    hub: Hub, rights: services.RightsServiceAsyncStub
) -> None:
    first = await rights.GrantRights(asked(4), metadata=OPERATOR)
    told = await hub.read(outbox.heads)
    again = await rights.GrantRights(asked(4), metadata=OPERATOR)
    assert again == first
    assert await hub.read(outbox.heads) == told
    assert (first.rights.in_flight, first.rights.held) == (4, 0)
    assert await refusal(rights.GrantRights(asked(5), metadata=OPERATOR)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "idempotency-mismatch",
    )
    recall = pb.RecallRightsRequest(request_id="q-1", node_id=NODE, sku_id="TEA", quantity=4)
    assert (await refusal(rights.RecallRights(recall, metadata=OPERATOR)))[1] == "idempotency-mismatch"
    recall.request_id = "q-2"
    recalled = await rights.RecallRights(recall, metadata=OPERATOR)
    assert (recalled.rights.in_flight, recalled.rights.wanted) == (4, 4)
    assert await rights.RecallRights(recall, metadata=OPERATOR) == recalled
    listed = await rights.ListRights(pb.ListRightsRequest(node_id=NODE), metadata=OPERATOR)
    assert list(listed.rights) == [recalled.rights]


async def test_what_can_not_be_given_is_refused_and_a_refused_id_may_try_again(
    rights: services.RightsServiceAsyncStub,
) -> None:
    assert await refusal(rights.GrantRights(asked(11), metadata=OPERATOR)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "insufficient-rights",
    )
    assert (await rights.GrantRights(asked(10), metadata=OPERATOR)).rights.in_flight == 10
    for wrong in (asked(0), asked(1, request_id=""), asked(1, sku_id="two words")):
        assert await refusal(rights.GrantRights(wrong, metadata=OPERATOR)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "invalid-input",
        )
    assert (await refusal(rights.GrantRights(asked(1))))[0] is grpc.StatusCode.UNAUTHENTICATED
