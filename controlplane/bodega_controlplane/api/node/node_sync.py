"""NodeSyncService: a node that lost its place asks for a new epoch and for what it begins from."""
# ruff: noqa: N802 - names of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import nodesync_pb2 as pb
from bodega.v1 import nodesync_pb2_grpc as services
from bodega_controlplane.api.node.caller import node_of
from bodega_controlplane.app.fleet import epochs
from bodega_controlplane.app.fleet.epochs import EpochRequest
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.rules.readmission import FORKED, RESTORED, WIPED

Context = grpc.aio.ServicerContext[Any, Any]

_REASONS = {
    pb.EPOCH_REASON_RESTORED: RESTORED,
    pb.EPOCH_REASON_WIPED: WIPED,
    pb.EPOCH_REASON_FORKED: FORKED,
}


class NodeSync(services.NodeSyncServiceServicer):
    """Translates, runs one use case, translates back."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def FindAncestor(
        self, request: pb.FindAncestorRequest, context: Context
    ) -> pb.FindAncestorResponse:
        """Where the caller's journal and ours are the same."""
        node_id = node_of(context)
        proofs = [(proof.seq, proof.hash) for proof in request.proofs]
        head, same_seq = await self._hub.read(lambda tx: epochs.find_ancestor(tx, node_id, proofs))
        return pb.FindAncestorResponse(
            hub=pb.Position(seq=head.seq, hash=head.hash), epoch=head.epoch, same_seq=same_seq
        )

    async def BeginEpoch(self, request: pb.BeginEpochRequest, context: Context) -> pb.BeginEpochResponse:
        """The next epoch is the caller's alone."""
        asked = EpochRequest(
            node_id=node_of(context),
            boot_nonce=request.boot_nonce,
            epoch=request.epoch,
            head=(request.head.seq, request.head.hash),
            ancestor=(request.ancestor.seq, request.ancestor.hash),
            reason=_REASONS.get(request.reason, ""),
        )
        begun = await self._hub.run(lambda tx: epochs.begin(tx, self._hub.now_ms(), asked))
        return pb.BeginEpochResponse(
            epoch=begun.epoch,
            previous_epoch=begun.basis.epoch,
            basis=pb.Position(seq=begun.basis.seq, hash=begun.basis.hash),
            down_epoch=begun.down_epoch,
            snapshot_id=begun.snapshot_id,
            snapshot_bytes=begun.snapshot_bytes,
            snapshot_sha256=begun.snapshot_sha256,
        )

    async def GetSnapshot(self, request: pb.GetSnapshotRequest, context: Context) -> pb.GetSnapshotResponse:
        """The next part of it."""
        node_id = node_of(context)
        part = await self._hub.read(
            lambda tx: epochs.snapshot_part(tx, node_id, request.snapshot_id, request.offset)
        )
        return pb.GetSnapshotResponse(part=part)
