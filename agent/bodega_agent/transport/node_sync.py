"""The hub's NodeSyncService, called over the link: the port `services.ports.NodeSyncClient`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bodega.limits import RPC_DEFAULT_S
from bodega.v1 import nodesync_pb2 as pb


class HubNodeSync:
    """`channel`: `HubLink.channel`."""

    def __init__(self, channel: Callable[[], Any]) -> None:
        self._channel = channel

    async def find_ancestor(self, request: pb.FindAncestorRequest) -> pb.FindAncestorResponse:
        """See NodeSyncClient."""
        answer: pb.FindAncestorResponse = await self._ask("FindAncestor", request)
        return answer

    async def begin_epoch(self, request: pb.BeginEpochRequest) -> pb.BeginEpochResponse:
        """See NodeSyncClient."""
        answer: pb.BeginEpochResponse = await self._ask("BeginEpoch", request)
        return answer

    async def get_snapshot(self, request: pb.GetSnapshotRequest) -> pb.GetSnapshotResponse:
        """See NodeSyncClient."""
        answer: pb.GetSnapshotResponse = await self._ask("GetSnapshot", request)
        return answer

    async def _ask(self, method: str, request: Any) -> Any:
        # Imported here: gRPC is paid for by the first call, and most nodes never make one.
        from bodega.broker.rpc_asking import ask  # noqa: PLC0415 - see the sentence above
        from bodega.v1.nodesync_pb2_grpc import NodeSyncServiceStub  # noqa: PLC0415 - see the sentence above

        stub = NodeSyncServiceStub(self._channel())
        return await ask(getattr(stub, method), request, timeout_s=RPC_DEFAULT_S)
