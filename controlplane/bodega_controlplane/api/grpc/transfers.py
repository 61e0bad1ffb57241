"""The service of transfers.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import transfers_pb2 as pb
from bodega.v1 import transfers_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.app.goods import transfers
from bodega_controlplane.app.hub import Hub

Context = grpc.aio.ServicerContext[Any, Any]


class Transfers(services.TransferServiceServicer):
    """Goods between nodes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListTransfers(
        self, request: pb.ListTransfersRequest, context: Context
    ) -> pb.ListTransfersResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        found = await self._hub.read(
            lambda tx: transfers.list_transfers(tx, size=size, open_only=request.open_only)
        )
        return pb.ListTransfersResponse(transfers=map(_transfer, found))

    async def GetTransfer(self, request: pb.GetTransferRequest, context: Context) -> pb.GetTransferResponse:
        """One transfer with its goods."""
        found = await self._hub.read(lambda tx: transfers.get_transfer(tx, request.transfer_id))
        return pb.GetTransferResponse(transfer=_transfer(found))

    async def CloseTransfer(
        self, request: pb.CloseTransferRequest, context: Context
    ) -> pb.CloseTransferResponse:
        """A person says that nothing more comes."""
        caller = self._hub.caller("operator", "operator")
        view, conflict_id = await self._hub.run(
            lambda tx: transfers.close_transfer(tx, caller, request.transfer_id, request.reason)
        )
        return pb.CloseTransferResponse(transfer=_transfer(view), conflict_id=conflict_id)


def _transfer(view: transfers.TransferView) -> pb.Transfer:
    return pb.Transfer(
        transfer_id=view.transfer_id,
        state=view.state,
        opened_at_ms=view.opened_at_ms,
        changed_at_ms=view.changed_at_ms,
        in_transit=view.in_transit,
        sides=[
            pb.TransferSide(
                node_id=side.node_id, final=side.final, last_seq=int(side.last_event.rpartition("/")[2])
            )
            for side in view.sides
        ],
        goods=[
            pb.TransferGoods(node_id=node_id, **kind._asdict(), **amounts._asdict())
            for node_id, kind, amounts in view.goods
        ],
    )
