"""NodeSyncService end to end: the caller is who the connection says, and a node gets from it what it needs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bodega.errors import InvalidInput, NotFound, Unauthenticated
from bodega.v1 import nodesync_pb2 as pb
from bodega_controlplane.api.node.node_sync import NodeSync
from bodega_controlplane.app.applying.journal import apply
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.hub import Hub
from support.controlplane import OPERATOR, NodeByHand, make_hub, node_draft


class Called:
    """What a servicer sees of a call over the broker."""

    def __init__(self, node_id: str = "lisbon-01") -> None:
        self._metadata = (("bodega-node", node_id),) if node_id else ()

    def invocation_metadata(self) -> Any:
        return self._metadata

    def auth_context(self) -> Any:
        return {}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = make_hub("sqlite", tmp_path)
    yield made
    made.close()


async def _filled(hub: Hub) -> NodeByHand:
    await hub.run(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("lisbon-01")))
    node = NodeByHand()
    node.shelve("TEA", 10)
    await hub.run(lambda tx: apply(tx, 1, [node.delivery()]))
    return node


async def test_a_restored_node_asks_begins_and_fetches(hub: Hub) -> None:
    node = await _filled(hub)
    service = NodeSync(hub)
    proofs = [pb.Position(seq=1, hash=node.at(1).hash), pb.Position(seq=2, hash=bytes(32))]
    found = await service.FindAncestor(pb.FindAncestorRequest(proofs=proofs), Called())
    assert (found.hub.seq, found.same_seq, found.epoch) == (2, 1, 1)
    request = pb.BeginEpochRequest(
        boot_nonce="n1", epoch=1, head=proofs[0], ancestor=proofs[0], reason=pb.EPOCH_REASON_RESTORED
    )
    begun = await service.BeginEpoch(request, Called())
    assert (begun.epoch, begun.previous_epoch, begun.basis.seq, begun.down_epoch) == (2, 1, 2, 2)
    asked = pb.GetSnapshotRequest(snapshot_id=begun.snapshot_id)
    body = (await service.GetSnapshot(asked, Called())).part
    assert (len(body), sha256(body).digest()) == (begun.snapshot_bytes, begun.snapshot_sha256)
    assert pb.NodeSnapshot.FromString(zlib.decompress(body)).node_id == "lisbon-01"
    asked.offset = len(body)
    assert (await service.GetSnapshot(asked, Called())).part == b""


async def test_nobody_asks_for_another_node_and_nobody_without_a_name(hub: Hub) -> None:
    node = await _filled(hub)
    service = NodeSync(hub)
    position = pb.Position(seq=1, hash=node.at(1).hash)
    with pytest.raises(Unauthenticated):
        await service.FindAncestor(pb.FindAncestorRequest(), Called(""))
    with pytest.raises(NotFound):
        await service.FindAncestor(pb.FindAncestorRequest(), Called("porto-01"))
    with pytest.raises(InvalidInput, match="2 faults"):
        await service.BeginEpoch(pb.BeginEpochRequest(ancestor=position), Called())
