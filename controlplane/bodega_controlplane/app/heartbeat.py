"""Heartbeats: a node says how far it is and how it is; the answer heals whatever the broker has lost."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.sync import Head
from bodega.host.log import get_logger
from bodega_controlplane.app import wire
from bodega_controlplane.app.refused import foreign_fault
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.store import nodes, outbox
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a node says: its journal's epoch and head, how far it has applied our stream, its health."""

    node_id: str
    epoch: int
    boot_nonce: str
    head_seq: int
    down: Head
    health: HealthView


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub says: how far it has the node's journal (None: unknown node), where our stream ends.

    `fenced` is empty, or why the hub will not go on with this node and what to do.
    """

    up: Head | None
    down_epoch: int
    down_seq: int
    fenced: str = ""


def beat(tx: Transaction, now_ms: int, heartbeat: Heartbeat) -> Answer:
    """Record a heartbeat and answer it."""
    tx.lock_nodes([heartbeat.node_id])
    node = nodes.by_id(tx, heartbeat.node_id)
    if node is None:
        return Answer(None, 0, 0, "this node is not registered here: bodegactl nodes register FILE")
    fenced = foreign_fault(node, now_ms) or _fault(tx, node, heartbeat)
    if fenced:
        log.warning("node_fenced", node_id=heartbeat.node_id, reason=fenced)
    else:
        nodes.change(
            tx,
            heartbeat.node_id,
            head_seq=heartbeat.head_seq,
            down_applied_seq=heartbeat.down.seq,
            last_contact_ms=now_ms,
            boot_nonce=heartbeat.boot_nonce,
            health=wire.health_json(heartbeat.health),
        )
    up = Head(node.epoch, node.applied_seq, node.applied_hash)
    return Answer(up, node.down_epoch, node.down_seq, fenced)


def _fault(tx: Transaction, node: Row, heartbeat: Heartbeat) -> str:
    if heartbeat.epoch != node.epoch:
        return f"its journal has epoch {heartbeat.epoch}, we know epoch {node.epoch}"
    if heartbeat.head_seq < node.applied_seq:
        return (
            f"its journal ends at {heartbeat.head_seq}, we have {node.applied_seq}: "
            "it has lost events, or runs from an old backup"
        )
    down = heartbeat.down
    if down.seq == 0:
        return ""
    if down.epoch != node.down_epoch or down.seq > node.down_seq:
        return (
            f"it has our stream up to {down.epoch}/{down.seq}, ours ends at {node.down_epoch}/{node.down_seq}"
        )
    if outbox.hash_at(tx, node.node_id, down.epoch, down.seq) != down.hash:
        return f"its copy of our stream differs from ours at {down.seq}"
    return ""
