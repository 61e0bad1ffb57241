"""A node's place taken again: a new ledger file from the hub's snapshot and the node's own fork, swapped in whole.

`keep` writes what the hub has granted beside the ledger; `finish` runs before the ledger is opened, under its lock.
Every step can be the last before a power cut: until the new file has the ledger's name the old one is the ledger
and `finish` begins again; from then on the new one is, and only the plan has to go.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import apsw
from google.protobuf.message import DecodeError

from bodega.core.chain import GENESIS
from bodega.core.conflicts.restored_node import restored_node
from bodega.core.deadline import BootTime
from bodega.core.sync import Head
from bodega.errors import PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.v1 import journal_pb2, nodesync_pb2
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.store import condition, conflicts, rebuild
from bodega_agent.store.archive import FOLDER
from bodega_agent.store.clock import boot_time
from bodega_agent.store.files import put_in_place, sync
from bodega_agent.store.rebase import Rebase
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)

Plan = nodesync_pb2.RejoinPlan

PLAN = "rejoin.plan"
FORK_PREFIX = "fork-"
_UNFINISHED = ".rejoining.part"
_BESIDE = ("", "-journal", "-wal", "-shm")

REASONS = {
    nodesync_pb2.EPOCH_REASON_RESTORED: "restored",
    nodesync_pb2.EPOCH_REASON_WIPED: "wiped",
    nodesync_pb2.EPOCH_REASON_FORKED: "forked",
}


@dataclass(frozen=True, slots=True)
class Rejoined:
    """The new epoch, what it follows, how many events the fork had, and the file (in the archives) that keeps it."""

    epoch: int
    basis_seq: int
    fork_events: int
    kept_in: str


def snapshot_in(plan: Plan) -> nodesync_pb2.NodeSnapshot:
    """The snapshot of a plan, checked; raises PeerFault if it is not the one that was granted."""
    if sha256(plan.snapshot).digest() != plan.begun.snapshot_sha256:
        raise PeerFault("the snapshot is not the one that the hub has granted", hint="it is fetched again")
    try:
        snapshot = nodesync_pb2.NodeSnapshot.FromString(zlib.decompress(plan.snapshot))
    except (zlib.error, DecodeError) as error:
        raise PeerFault(f"the hub's snapshot can not be read: {error}") from error
    if (snapshot.node_id, snapshot.basis) != (plan.node_id, plan.begun.basis):
        raise PeerFault(
            f"the hub's snapshot is of {snapshot.node_id}/{snapshot.basis.seq}, not of this node's head"
        )
    return snapshot


def keep(ledger: Path, plan: Plan) -> None:
    """Put a plan beside the ledger, durably; the next start follows it. Raises PeerFault for a wrong snapshot."""
    snapshot_in(plan)
    written = ledger.with_name(f"{PLAN}.part")
    written.write_bytes(plan.SerializeToString())
    put_in_place(written, ledger.with_name(PLAN))


def finish(
    ledger: Path, *, node_id: str, now_ms: Callable[[], int], clock: Callable[[], BootTime] = boot_time
) -> Rejoined | None:
    """Follow the plan that lies beside the ledger, if there is one. The caller holds `store.lock`.

    Raises Unavailable, with the old ledger in its place, if another process has the file open or the disk is full.
    """
    path = ledger.with_name(PLAN)
    _clear(ledger)
    if not path.exists():
        return None
    try:
        plan = Plan.FromString(path.read_bytes())
        snapshot = snapshot_in(plan)
    except (DecodeError, PeerFault) as error:
        log.warning("rejoin_plan_unusable", reason=str(error))
        _forget(path)
        return None
    try:
        with closing(open_for_writing(ledger)) as old:
            if _epoch_of(old) >= plan.begun.epoch:
                _forget(path)
                return None
            _make_one_file(old, ledger)
            kept_in = f"{FORK_PREFIX}{_epoch_of(old)}-{plan.begun.epoch}-{_stamp(now_ms())}.db"
            made = _make(ledger, old, plan, snapshot, kept_in, node_id=node_id, now_ms=now_ms, clock=clock)
    except apsw.Error as error:
        raise Unavailable(
            f"the new epoch's ledger can not be written: {error}", hint="check the disk"
        ) from error
    _swap(ledger, kept_in)
    _forget(path)
    log.warning(
        "rejoined", epoch=made.epoch, basis_seq=made.basis_seq, fork_events=made.fork_events, kept_in=kept_in
    )
    return made


def _make_one_file(old: apsw.Connection, ledger: Path) -> None:
    """Fold the log in and put it away: a log that stayed beside the new ledger would be taken for its own."""
    ((mode,),) = old.execute("PRAGMA journal_mode=DELETE")
    if mode != "delete":
        raise Unavailable(
            f"another process has the ledger {ledger} open", hint="end it; the node takes its new place then"
        )


def _make(
    ledger: Path,
    old: apsw.Connection,
    plan: Plan,
    snapshot: nodesync_pb2.NodeSnapshot,
    kept_in: str,
    *,
    node_id: str,
    now_ms: Callable[[], int],
    clock: Callable[[], BootTime],
) -> Rejoined:
    written = ledger.with_name(ledger.name + _UNFINISHED)
    with closing(open_for_writing(written)) as connection:
        tx = Transaction(connection, node_id=node_id, now_ms=now_ms, clock=clock)
        connection.execute("BEGIN IMMEDIATE")
        made = _fill(tx, old, plan, snapshot, kept_in)
        tx.flush()
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=DELETE")
    written.chmod(0o600)
    sync(written)
    return made


def _fill(
    tx: Transaction, old: apsw.Connection, plan: Plan, snapshot: nodesync_pb2.NodeSnapshot, kept_in: str
) -> Rejoined:
    begun, reason = plan.begun, REASONS[plan.reason]
    fork, ancestor = _head_of(old), Head(begun.previous_epoch, plan.ancestor.seq, plan.ancestor.hash)
    fork_events = max(0, fork.seq - ancestor.seq)
    rebuild.take_place(tx, begun)
    rebuild.fill(tx, snapshot, old)
    context = Context(f"rejoin-{begun.epoch}")
    tx.append(
        context,
        epoch_begun=journal_pb2.EpochBegun(
            epoch=begun.epoch,
            previous_epoch=begun.previous_epoch,
            previous_seq=begun.basis.seq,
            previous_hash=begun.basis.hash,
            reason=reason,
            fork_events=fork_events,
            kept_in=kept_in,
        ),
    )
    tx.put(condition.CLEAN_STOP, 1)
    rebuild.put_balances(tx, snapshot)
    rebuild.put_labels(tx, context, snapshot, old)
    rebase = Rebase(tx, old, fork.epoch, frozenset(snapshot.cmd_ids), _last_sscc(snapshot))
    rebase.run(ancestor.seq)
    rebase.finish(context)
    if fork_events:
        conflict = restored_node(
            node_id=plan.node_id,
            reason=reason,
            ancestor=ancestor,
            fork=fork,
            basis=Head(begun.previous_epoch, begun.basis.seq, begun.basis.hash),
            reckoning=rebase.reckoning,
            kept_in=f"{FOLDER}/{kept_in}",
        )
        conflicts.record(tx, context, conflict)
    return Rejoined(begun.epoch, begun.basis.seq, fork_events, kept_in)


def _last_sscc(snapshot: nodesync_pb2.NodeSnapshot) -> str:
    if not snapshot.sscc_used:
        return ""
    given = snapshot.profile.sscc_range
    return make_sscc(given.extension, given.company_prefix, snapshot.sscc_last_serial)


def _swap(ledger: Path, kept_in: str) -> None:
    """The old file keeps its name until the new one has it: a second name leads to it in the archives."""
    folder = ledger.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)
    kept = folder / kept_in
    kept.unlink(missing_ok=True)
    os.link(ledger, kept)
    sync(folder)
    put_in_place(ledger.with_name(ledger.name + _UNFINISHED), ledger)


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync(path.parent)


def _clear(ledger: Path) -> None:
    """Nothing of an unfinished new file is left, and no second name of the file that is the ledger still."""
    for suffix in _BESIDE:
        ledger.with_name(f"{ledger.name}{_UNFINISHED}{suffix}").unlink(missing_ok=True)
    for kept in (ledger.parent / FOLDER).glob(f"{FORK_PREFIX}*.db"):
        if ledger.exists() and kept.samefile(ledger):
            kept.unlink()


def _epoch_of(connection: apsw.Connection) -> int:
    row = next(iter(connection.execute("SELECT value FROM meta WHERE key = 'epoch'")), (1,))
    return int(row[0])


def _head_of(connection: apsw.Connection) -> Head:
    newest = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
    archived = "SELECT last_seq, last_hash FROM archive ORDER BY last_seq DESC LIMIT 1"
    row = next(iter(connection.execute(newest)), None) or next(iter(connection.execute(archived)), None)
    seq, chain_hash = row or (0, GENESIS)
    return Head(_epoch_of(connection), seq, chain_hash)


def _stamp(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
