"""New epochs: a node that lost its place, or never had it, begins again from what the hub holds of its journal.

Opening an epoch shuts every writer of the old one out (`core.sync.judge` refuses its envelopes), so `rules.readmission`
asks who is alive and who has approved. The new epoch's events follow the hub's head: sequence and chain go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from bodega.core.conflicts.cloned_node import cloned_node
from bodega.core.sync import Head
from bodega.errors import FieldFault, InvalidInput, NotFound
from bodega.host.log import get_logger
from bodega.limits import (
    AGENTS_KEPT_MAX,
    ANCESTOR_PROOFS_MAX,
    HEARTBEAT_S,
    READMISSION_S,
    SNAPSHOT_RANGE_BYTES_MAX,
)
from bodega_controlplane.app.applying import reported
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import restating, snapshots
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.readmission import REASONS, Agent, Asked, check_may_begin, two_alive
from bodega_controlplane.store import divergence, epochs, facts, nodes
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

Proof = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class EpochRequest:
    """What a node says of itself: its own head and the newest event (seq, hash) that it shares with the hub."""

    node_id: str
    boot_nonce: str
    epoch: int
    head: Proof
    ancestor: Proof
    reason: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The new epoch: it follows `basis`, the head of the one before."""

    epoch: int
    basis: Head
    down_epoch: int
    snapshot_id: str
    snapshot_bytes: int
    snapshot_sha256: bytes


def find_ancestor(tx: Transaction, node_id: str, proofs: Sequence[Proof]) -> tuple[Head, int]:
    """(the hub's head, the highest of the proofs that the hub has too). Raises NotFound, InvalidInput."""
    if len(proofs) > ANCESTOR_PROOFS_MAX:
        fault = FieldFault("proofs", f"must be at most {ANCESTOR_PROOFS_MAX}, are {len(proofs)}")
        raise InvalidInput("too many proofs", hint="ask again with fewer", faults=(fault,))
    node = _known(tx, node_id)
    same = [
        seq
        for seq, chain_hash in proofs
        if seq and epochs.hash_at(tx, node_id, node.epoch, seq) == chain_hash
    ]
    return Head(node.epoch, node.applied_seq, node.applied_hash), max(same, default=0)


def begin(tx: Transaction, now_ms: int, asked: EpochRequest) -> Begun:
    """Open the next epoch for the caller, or answer again what the same start of it was answered.

    Raises NotFound, InvalidInput, Refused ("other-agent-alive", "not-declared").
    """
    _check(asked)
    tx.lock_nodes([asked.node_id])
    node = _known(tx, asked.node_id)
    last = epochs.newest_epoch(tx, asked.node_id)
    if last is not None and _is_repeat(node, last, asked):
        return _begun(last)
    approval = epochs.approval(tx, asked.node_id, now_ms)
    who = Asked(asked.node_id, asked.boot_nonce, asked.reason, _is_proven(tx, node, asked))
    heard = [Agent(row.boot_nonce, row.last_ms, row.stopped) for row in epochs.agents(tx, asked.node_id)]
    check_may_begin(who, heard, now_ms, approved=approval is not None)
    return _open(tx, now_ms, node, asked, approval)


def _check(asked: EpochRequest) -> None:
    faults = Faults()
    faults.identifier("boot_nonce", asked.boot_nonce)
    if asked.reason not in REASONS:
        faults.add("reason", f"must be one of {', '.join(REASONS)}")
    faults.raise_if_any("the request")


def _is_repeat(node: Row, last: Row, asked: EpochRequest) -> bool:
    """The same start asks again, and nothing was written in the epoch that it was given."""
    return bool(
        last.boot_nonce == asked.boot_nonce
        and last.epoch == node.epoch
        and last.basis_seq == node.applied_seq
    )


def _is_proven(tx: Transaction, node: Row, asked: EpochRequest) -> bool:
    seq, chain_hash = asked.ancestor
    if node.applied_seq == 0:
        return True
    return seq > 0 and epochs.hash_at(tx, asked.node_id, node.epoch, seq) == chain_hash


def _open(tx: Transaction, now_ms: int, node: Row, asked: EpochRequest, approval: Row | None) -> Begun:
    node_id, basis_seq = asked.node_id, int(node.applied_seq)
    epoch = max(int(node.epoch), asked.epoch) + 1
    body = snapshots.snapshot_of(tx, node, min(asked.ancestor[0], basis_seq))
    snapshot_id = new_id("S", now_ms)
    epochs.put_snapshot(tx, snapshot_id, node_id, body)
    nodes.change(tx, node_id, epoch=epoch, head_seq=basis_seq, fenced="", lost_to_seq=0)
    caller = Caller(f"node:{node_id}", "node", now_ms)
    down_epoch = restating.begin_anew(tx, caller, node, f"epoch {epoch} of the node's journal began")
    row = {
        "node_id": node_id,
        "epoch": epoch,
        "previous_epoch": node.epoch,
        "basis_seq": basis_seq,
        "basis_hash": node.applied_hash,
        "boot_nonce": asked.boot_nonce,
        "reason": asked.reason,
        "down_epoch": down_epoch,
        "begun_at_ms": now_ms,
        "snapshot_id": snapshot_id,
        "snapshot_bytes": len(body),
        "snapshot_sha256": sha256(body).digest(),
    }
    epochs.put_epoch(tx, row)
    tx.audit(
        at_ms=now_ms,
        actor=f"node:{node_id}",
        action="node.epoch_begun",
        subject=node_id,
        detail={
            "epoch": epoch,
            "previous_epoch": node.epoch,
            "reason": asked.reason,
            "basis_seq": basis_seq,
            "its_head_seq": asked.head[0],
            "ancestor_seq": asked.ancestor[0],
            "boot_nonce": asked.boot_nonce,
            "approved_by": approval.actor if approval is not None else "",
        },
    )
    log.warning("epoch_begun", node_id=node_id, epoch=epoch, reason=asked.reason, basis_seq=basis_seq)
    last = epochs.newest_epoch(tx, node_id)
    assert last is not None, "it was written in this transaction"
    return _begun(last)


def _begun(row: Row) -> Begun:
    return Begun(
        row.epoch,
        Head(row.previous_epoch, row.basis_seq, row.basis_hash),
        row.down_epoch,
        row.snapshot_id,
        row.snapshot_bytes,
        row.snapshot_sha256,
    )


def snapshot_part(tx: Transaction, node_id: str, snapshot_id: str, offset: int) -> bytes:
    """At most SNAPSHOT_RANGE_BYTES_MAX bytes of a node's snapshot from `offset` on, none at its end; or NotFound."""
    part = epochs.snapshot_part(tx, snapshot_id, node_id, offset, SNAPSHOT_RANGE_BYTES_MAX)
    if part is None:
        raise NotFound(
            f"{node_id} has no snapshot '{snapshot_id[:80]}' any more", hint="begin the epoch again"
        )
    return part


def took_place(tx: Transaction, node_id: str) -> None:
    """The first event of the new epoch has come: approval and snapshot have done their work, old counts are void."""
    epochs.end_approval(tx, node_id)
    epochs.drop_snapshots(tx, node_id)
    divergence.forget_counts(tx, node_id)


def readmit(tx: Transaction, caller: Caller, node_id: str, reason: str) -> int:
    """Let a node begin a new epoch within READMISSION_S; when that ends. Raises NotFound, InvalidInput."""
    faults = Faults()
    faults.text("reason", reason)
    faults.raise_if_any("the approval")
    tx.lock_nodes([node_id])
    _known(tx, node_id)
    ends_ms = caller.now_ms + READMISSION_S * 1000
    epochs.put_approval(tx, {"node_id": node_id, "actor": caller.actor, "reason": reason, "ends_ms": ends_ms})
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="node.readmitted",
        subject=node_id,
        detail={"reason": reason, "ends_ms": ends_ms},
    )
    return ends_ms


def heard(tx: Transaction, now_ms: int, node_id: str, boot_nonce: str, stopped: str) -> None:
    """An agent has spoken for a node; a second one that is alive opens a conflict, once for the two."""
    known = epochs.agents(tx, node_id)
    before = next((row for row in known if row.boot_nonce == boot_nonce), None)
    speaker = Agent(before.boot_nonce, before.last_ms, before.stopped) if before is not None else None
    others = [(row.boot_nonce, row.first_ms) for row in known]
    other = two_alive(speaker, others, int(HEARTBEAT_S * 500), now_ms)
    if other:
        _cloned(tx, now_ms, node_id, (boot_nonce, other), "each spoke after the other was started")
    row = {
        "node_id": node_id,
        "boot_nonce": boot_nonce,
        "first_ms": now_ms,
        "last_ms": now_ms,
        "stopped": stopped,
    }
    epochs.put_agent(tx, row)
    if before is None and len(known) >= AGENTS_KEPT_MAX:
        epochs.forget_agents(tx, node_id, [row.boot_nonce for row in known[AGENTS_KEPT_MAX - 1 :]])


def _cloned(tx: Transaction, now_ms: int, node_id: str, nonces: tuple[str, str], evidence: str) -> None:
    conflict = cloned_node(node_id=node_id, nonces=nonces, evidence=evidence)
    if facts.has_conflict(tx, conflict.conflict_id):
        return
    facts.put_conflicts(tx, [reported.conflict_row(conflict, now_ms)])
    tx.audit(
        at_ms=now_ms,
        actor="hub",
        action="node.cloned",
        subject=node_id,
        detail={"boot_nonces": sorted(nonces), "conflict_id": conflict.conflict_id},
    )
    log.error("node_cloned", node_id=node_id, boot_nonces=sorted(nonces))


def _known(tx: Transaction, node_id: str) -> Row:
    row = nodes.by_id(tx, node_id)
    if row is None:
        raise NotFound(f"there is no node '{node_id}'", hint="list the nodes: bodegactl nodes ls")
    return row
