"""Checkpoints: the sum of the journal at a position, named by an event of the chain, kept beside it.

A replay may begin at one if the chain itself vouches for it: the event names the position, its hash and the hash
of the snapshot. Old ones go; the one at the end of the newest archive stays, because replay begins there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import apsw

from bodega.codec import account_from_wire, account_to_wire, parse_node_event
from bodega.core.chain import GENESIS
from bodega.core.checkpoints import canonical_line, physical_sha256
from bodega.core.ledger import Account
from bodega.limits import CHECKPOINTS_KEPT_MAX
from bodega.v1 import stock_pb2
from bodega_agent.store.integrity import Fold, Trouble
from bodega_agent.store.transaction import Context, Transaction

_Row = tuple[int, int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A fold made ready to be recorded: the event's words, and the snapshot's bytes, compressed."""

    message: stock_pb2.LedgerCheckpoint
    snapshot: bytes


def checkpoint_of(fold: Fold) -> Checkpoint:
    """The same fold gives the same bytes."""
    snapshot = stock_pb2.LedgerSnapshot(
        balances=[
            stock_pb2.LedgerSnapshot.Balance(account=account_to_wire(account), quantity=quantity)
            for account, quantity in sorted(fold.balances.items(), key=_place)
        ],
        serials=[
            stock_pb2.LedgerSnapshot.Serial(serial=serial, account=account_to_wire(account))
            for (_sku_id, serial), account in sorted(fold.serials.items())
        ],
    ).SerializeToString(deterministic=True)
    message = stock_pb2.LedgerCheckpoint(
        basis_seq=fold.seq,
        basis_hash=fold.hash,
        snapshot_sha256=sha256(snapshot).digest(),
        accounts=len(fold.balances),
        physical_sha256=physical_sha256(fold.balances),
    )
    return Checkpoint(message, zlib.compress(snapshot))


def _place(balance: tuple[Account, int]) -> tuple[bytes, str]:
    account, quantity = balance
    return canonical_line(account, quantity), account.external


def fold_of(message: stock_pb2.LedgerCheckpoint, snapshot: bytes) -> Fold:
    """The fold that a snapshot (not compressed) holds."""
    read = stock_pb2.LedgerSnapshot.FromString(snapshot)
    return Fold(
        message.basis_seq,
        message.basis_hash,
        {account_from_wire(balance.account): balance.quantity for balance in read.balances},
        {(s.account.sku_id, s.serial): account_from_wire(s.account) for s in read.serials},
    )


def record(tx: Transaction, checkpoint: Checkpoint) -> int:
    """Append the event, keep the snapshot, let old ones go; returns the event's sequence."""
    message = checkpoint.message
    context = Context(f"checkpoint-{tx.head.epoch}-{message.basis_seq}", actor="system")
    seq = tx.append(context, ledger_checkpoint=message)
    tx.execute(
        "INSERT INTO checkpoint(seq, basis_seq, basis_hash, snapshot) VALUES (?, ?, ?, ?)",
        (seq, message.basis_seq, message.basis_hash, checkpoint.snapshot),
    )
    tx.execute(
        "DELETE FROM checkpoint WHERE basis_seq <> (SELECT coalesce(max(last_seq), 0) FROM archive)"
        " AND seq NOT IN (SELECT seq FROM checkpoint ORDER BY seq DESC LIMIT ?)",
        (CHECKPOINTS_KEPT_MAX,),
    )
    return seq


def newest_trusted(connection: apsw.Connection) -> Fold | None:
    """The fold of the newest checkpoint that the chain vouches for; None without one."""
    return next(_trusted(connection, reversed(_kept(connection, 0))), None)


def trusted_at(connection: apsw.Connection, basis_seq: int) -> Fold | None:
    """The fold at exactly this position, if a checkpoint there is kept and the chain vouches for it."""
    fold = oldest_trusted(connection, basis_seq)
    return fold if fold is not None and fold.seq == basis_seq else None


def replay_start(connection: apsw.Connection) -> Fold | Trouble:
    """Where a replay of the live journal begins: the newest trusted checkpoint, or the first event of all."""
    fold = newest_trusted(connection)
    if fold is not None:
        return fold
    ((archived_seq,),) = connection.execute("SELECT coalesce(max(last_seq), 0) FROM archive")
    if archived_seq:
        return Trouble("checkpoint", f"no checkpoint holds, and events up to {archived_seq} are archived")
    return Fold()


def oldest_trusted(connection: apsw.Connection, from_seq: int) -> Fold | None:
    """The fold of the oldest such checkpoint at or after `from_seq`."""
    return next(_trusted(connection, _kept(connection, from_seq)), None)


def _kept(connection: apsw.Connection, from_seq: int) -> list[_Row]:
    return list(
        connection.execute(
            "SELECT seq, basis_seq, basis_hash, snapshot FROM checkpoint WHERE basis_seq >= ? ORDER BY basis_seq",
            (from_seq,),
        )
    )


def _trusted(connection: apsw.Connection, rows: Iterable[_Row]) -> Iterator[Fold]:
    for seq, basis_seq, basis_hash, compressed in rows:
        fold = _vouched(connection, seq, compressed)
        if fold and fold.hash == basis_hash == hash_at(connection, basis_seq):
            yield fold


def _vouched(connection: apsw.Connection, seq: int, compressed: bytes) -> Fold | None:
    row = next(iter(connection.execute("SELECT body FROM journal WHERE seq = ?", (seq,))), None)
    if row is None:
        return None
    message = parse_node_event(row[0]).ledger_checkpoint
    try:
        snapshot = zlib.decompress(compressed)
    except zlib.error:
        return None
    return fold_of(message, snapshot) if sha256(snapshot).digest() == message.snapshot_sha256 else None


def hash_at(connection: apsw.Connection, seq: int) -> bytes | None:
    """The chain hash after an event of the live journal, or after the last one of an archive."""
    if seq == 0:
        return GENESIS
    rows = connection.execute(
        "SELECT hash FROM journal WHERE seq = ?1 UNION ALL SELECT last_hash FROM archive WHERE last_seq = ?1",
        (seq,),
    )
    row = next(iter(rows), None)
    return row[0] if row else None
