"""The service of expectations.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import expectations_pb2 as pb
from bodega.v1 import expectations_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.api.grpc.once import once
from bodega_controlplane.app.goods import expecting
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction

Context = grpc.aio.ServicerContext[Any, Any]


class Expectations(services.ExpectationServiceServicer):
    """Goods that are on their way to a node."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def PutNotice(self, request: pb.PutNoticeRequest, context: Context) -> pb.PutNoticeResponse:
        """Announce a delivery, or replace what was announced."""
        caller = self._hub.caller("operator", "operator")
        view = await self._hub.run(
            lambda tx: expecting.put_notice(tx, caller, request.node_id, request.notice)
        )
        return pb.PutNoticeResponse(notice=_notice(view))

    async def WithdrawNotice(
        self, request: pb.WithdrawNoticeRequest, context: Context
    ) -> pb.WithdrawNoticeResponse:
        """It does not come after all."""
        caller = self._hub.caller("operator", "operator")
        view = await self._hub.run(
            lambda tx: expecting.withdraw_notice(tx, caller, request.node_id, request.notice_id)
        )
        return pb.WithdrawNoticeResponse(notice=_notice(view))

    async def ListNotices(self, request: pb.ListNoticesRequest, context: Context) -> pb.ListNoticesResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        found = await self._hub.read(
            lambda tx: expecting.list_notices(tx, node_id=request.node_id, size=size)
        )
        return pb.ListNoticesResponse(notices=map(_notice, found))

    async def OrderTransfer(
        self, request: pb.OrderTransferRequest, context: Context
    ) -> pb.OrderTransferResponse:
        """Ask one node to send goods to another."""

        def work(tx: Transaction, caller: Caller) -> pb.OrderTransferResponse:
            ordered = expecting.order_transfer(
                tx, caller, request.from_node_id, request.to_node_id, request.lines
            )
            return pb.OrderTransferResponse(transfer=ordered)

        return await once(self._hub, request, pb.OrderTransferResponse, work)

    async def ExpectReturn(
        self, request: pb.ExpectReturnRequest, context: Context
    ) -> pb.ExpectReturnResponse:
        """Agree to a return."""

        def work(tx: Transaction, caller: Caller) -> pb.ExpectReturnResponse:
            node_id, expected = expecting.expect_return(
                tx, caller, request.order_id, request.node_id, request.lines
            )
            return pb.ExpectReturnResponse(node_id=node_id, expected=expected)

        return await once(self._hub, request, pb.ExpectReturnResponse, work)


def _notice(view: expecting.NoticeView) -> pb.Notice:
    return pb.Notice(node_id=view.node_id, notice=view.notice, receipts=view.receipts)
