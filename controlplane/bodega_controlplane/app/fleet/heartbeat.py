"""Heartbeats: a node says how far it is and how it is; the answer heals whatever the broker, or the hub, has lost.

The hub may have been put back from a backup. It sees that when a node holds more of it than it knows itself: then
it believes the node, waits for what it has lost of the node's journal, and begins its own stream anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from bodega.core.sync import Head
from bodega.host.log import get_logger
from bodega.limits import DOWN_LOG_KEPT_S, DOWN_LOG_TRIM_S, DOWN_LOG_TRIMMED_ROWS_MAX
from bodega_controlplane.app import wire
from bodega_controlplane.app.applying.refused import foreign_fault
from bodega_controlplane.app.fleet import epochs, restating
from bodega_controlplane.app.views import Caller, HealthView
from bodega_controlplane.store import nodes, outbox
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a node says: its journal's epoch and head, how far it has applied our stream, its health.

    `acked`: what it holds to be committed here, None from an agent that does not say. `stopped`: why it has stopped
    writing its stream, or empty. `understands`: packings that it unpacks.
    """

    node_id: str
    epoch: int
    boot_nonce: str
    head_seq: int
    down: Head
    health: HealthView
    acked: Head | None = None
    stopped: str = ""
    paused_at_ms: int = 0
    understands: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub says: how far it has the node's journal (None: unknown node), where our stream ends.

    `fenced` is empty, or why the hub will not go on with this node and what to do; `needs_new_epoch`: a new epoch
    would mend it.
    """

    up: Head | None
    down_epoch: int
    down_seq: int
    fenced: str = ""
    needs_new_epoch: bool = False


class _Fault(NamedTuple):
    reason: str = ""
    needs_new_epoch: bool = False


def beat(tx: Transaction, now_ms: int, heartbeat: Heartbeat) -> Answer:
    """Record a heartbeat and answer it."""
    tx.lock_nodes([heartbeat.node_id])
    node = nodes.by_id(tx, heartbeat.node_id)
    if node is None:
        return Answer(None, 0, 0, "this node is not registered here: bodegactl nodes register FILE")
    foreign = foreign_fault(node, now_ms)
    fault = _Fault(foreign) if foreign else _fault(node, heartbeat)
    epochs.heard(tx, now_ms, heartbeat.node_id, heartbeat.boot_nonce, heartbeat.stopped or fault.reason)
    if fault.reason:
        log.warning("node_fenced", node_id=heartbeat.node_id, reason=fault.reason)
        nodes.change(tx, heartbeat.node_id, fenced=fault.reason)
    else:
        _take(tx, now_ms, node, heartbeat)
        node = nodes.by_id(tx, heartbeat.node_id)
        assert node is not None, "its row is held"
    up = Head(node.epoch, node.applied_seq, node.applied_hash)
    return Answer(up, node.down_epoch, node.down_seq, *fault)


def _fault(node: Row, heartbeat: Heartbeat) -> _Fault:
    """What no going back can mend: the node's journal is not the one that we have."""
    known, said = int(node.epoch), heartbeat.epoch
    if said < known:
        return _Fault(f"its journal has epoch {said}, epoch {known} was begun since", needs_new_epoch=True)
    # From the process that we know, it is only old news: what it has recorded since was faster.
    if heartbeat.head_seq < node.applied_seq and heartbeat.boot_nonce != node.boot_nonce:
        reason = f"its journal ends at {heartbeat.head_seq}, we have {node.applied_seq}: "
        return _Fault(f"{reason}it has lost events, or runs from an old backup", needs_new_epoch=True)
    if said > known and (heartbeat.acked is None or heartbeat.acked.seq < node.applied_seq):
        return _Fault(f"its journal has epoch {said}, we know epoch {known}", needs_new_epoch=True)
    return _Fault()


def _take(tx: Transaction, now_ms: int, node: Row, heartbeat: Heartbeat) -> None:
    """Note what it says, and see from it whether it is we who have gone back."""
    caller = Caller("hub", "hub", now_ms)
    lost_to_seq = _lost_to(tx, now_ms, node, heartbeat)
    reason = _why_anew(tx, node, heartbeat.down)
    if reason:
        restating.begin_anew(tx, caller, node, reason, above_epoch=heartbeat.down.epoch)
    elif heartbeat.down.epoch == node.down_epoch:
        nodes.change(tx, heartbeat.node_id, down_applied_seq=heartbeat.down.seq)
        _trim(tx, now_ms, node, heartbeat.down)
    nodes.change(
        tx,
        heartbeat.node_id,
        # Only the hub makes epochs: a node in a higher one was given it before our backup was taken back.
        epoch=heartbeat.epoch,
        head_seq=heartbeat.head_seq,
        lost_to_seq=lost_to_seq,
        last_contact_ms=now_ms,
        boot_nonce=heartbeat.boot_nonce,
        health=wire.health_json(heartbeat.health),
        fenced=heartbeat.stopped,
        paused_at_ms=heartbeat.paused_at_ms,
        understands=json.dumps(heartbeat.understands),
    )


def _lost_to(tx: Transaction, now_ms: int, node: Row, heartbeat: Heartbeat) -> int:
    """Up to where we have lost what the node holds to be committed; 0 when nothing is missing (any more)."""
    acked = heartbeat.acked
    before = int(node.lost_to_seq)
    if acked is None or acked.seq <= node.applied_seq:
        after = before if before > node.applied_seq else 0
    else:
        after = max(before, acked.seq)
    if bool(after) != bool(before):
        detail = {
            "have_seq": node.applied_seq,
            "acked_seq": acked.seq if acked else 0,
            "epoch": heartbeat.epoch,
        }
        action = "hub.restored" if after else "hub.caught_up"
        tx.audit(at_ms=now_ms, actor="hub", action=action, subject=heartbeat.node_id, detail=detail)
        (log.error if after else log.info)(action.replace(".", "_"), node_id=heartbeat.node_id, **detail)
    return after


def _why_anew(tx: Transaction, node: Row, down: Head) -> str:
    """Why our stream must begin anew for this node, or empty."""
    if down.seq == 0 and down.epoch <= node.down_epoch:
        return ""
    have = f"it has our stream up to {down.epoch}/{down.seq}, "
    if (down.epoch, down.seq) > (node.down_epoch, node.down_seq):
        return f"{have}ours ends at {node.down_epoch}/{node.down_seq}: the hub was restored from a backup"
    if down.epoch < node.down_epoch:
        return ""
    ours = outbox.hash_at(tx, node.node_id, down.epoch, down.seq)
    if ours is None:
        return f"{have}and what follows is not kept any more"
    return "" if ours == down.hash else f"{have}and ours differs there: the hub was restored from a backup"


def _trim(tx: Transaction, now_ms: int, node: Row, down: Head) -> None:
    """Let go of what the node has applied long ago; once in a while is enough."""
    if now_ms - node.down_trimmed_ms < DOWN_LOG_TRIM_S * 1000:
        return
    nodes.change(tx, node.node_id, down_trimmed_ms=now_ms)
    before_ms = now_ms - DOWN_LOG_KEPT_S * 1000
    outbox.trim(tx, node.node_id, down, before_ms, DOWN_LOG_TRIMMED_ROWS_MAX)
