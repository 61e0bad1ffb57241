"""What the hub tells a node: appended to its stream in the transaction that decided it, sent afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from bodega.core.chain import extend
from bodega.core.sync import Envelope, Head, pack
from bodega.errors import NotFound
from bodega.limits import ENVELOPE_EVENTS_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, outbox
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def post(
    tx: Transaction,
    caller: Caller,
    node_id: str,
    events: Sequence[journal_pb2.HubEvent],
    *,
    cmd_id: str,
    correlation_id: str = "",
) -> int:
    """Append events to a node's stream; the sequence of the last one. Fills in all but their facts.

    Raises NotFound for an unknown node.
    """
    tx.lock_nodes([node_id])
    node = _known(tx, node_id)
    for event in events:
        event.cmd_id = cmd_id
        event.at_ms = caller.now_ms
        event.seen_seq = node.applied_seq
        event.correlation_id = correlation_id
    bodies = [event.SerializeToString() for event in events]
    hashes = extend(node.down_hash, bodies)
    outbox.append(tx, node_id, node.down_epoch, node.down_seq + 1, bodies, hashes, at_ms=caller.now_ms)
    last_seq = int(node.down_seq) + len(bodies)
    nodes.change(tx, node_id, down_seq=last_seq, down_hash=hashes[-1])
    tx.wake(node_id)
    return last_seq


def heads(tx: Transaction) -> dict[str, Head]:
    """Where each node's stream ends."""
    return {row.node_id: Head(row.down_epoch, row.down_seq, row.down_hash) for row in nodes.all_of(tx)}


def applied_by(tx: Transaction, node_id: str) -> Head:
    """How far a node says it has applied its stream. Raises NotFound."""
    node = _known(tx, node_id)
    seq = int(node.down_applied_seq)
    before = outbox.hash_at(tx, node_id, node.down_epoch, seq)
    assert before is not None, "a heartbeat beyond the end of our stream is not taken"
    return Head(node.down_epoch, seq, before)


def hash_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The chain hash of a node's stream after `seq`; None if it is not that long."""
    return outbox.hash_at(tx, node_id, epoch, seq)


def envelope_from(tx: Transaction, node_id: str, epoch: int, from_seq: int) -> Envelope | None:
    """The largest envelope of a node's stream that begins at `from_seq`; None if there is nothing."""
    first_seq = max(1, from_seq)
    events = outbox.from_seq(tx, node_id, epoch, first_seq, ENVELOPE_EVENTS_MAX)
    before = outbox.hash_at(tx, node_id, epoch, first_seq - 1)
    if not events or before is None:
        return None
    return pack(node_id, Head(epoch, first_seq - 1, before), events)


def _known(tx: Transaction, node_id: str) -> Row:
    node = nodes.by_id(tx, node_id)
    if node is None:
        raise NotFound(f"there is no node '{node_id}'", hint="register it first: bodegactl nodes register")
    return node
