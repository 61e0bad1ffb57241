"""Old events go to a file: first the file, then the row that says so, and only then the events.

Every step can be the last before a crash. A file without a row is written again; events whose archive has a row
are deleted by the next run. Journal and archive overlap until then, and the journal is read first.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, replace
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import IO

import apsw
from google.protobuf.proto import serialize_length_prefixed

from bodega.codec import envelope_to_wire
from bodega.core.chain import GENESIS
from bodega.core.sync import Head, Recorded, pack
from bodega.errors import IntegrityBroken
from bodega.limits import ARCHIVE_EVENTS_MAX, ARCHIVE_ROWS_PER_COMMIT_MAX, ENVELOPE_EVENTS_MAX
from bodega_agent.store import checkpoints
from bodega_agent.store.archive import Segment, events_in
from bodega_agent.store.checkpoints import Checkpoint
from bodega_agent.store.files import put_in_place, sync
from bodega_agent.store.integrity import Fold, live_events, walk
from bodega_agent.store.transaction import Transaction

UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Archived:
    """A file that stands, verified, and the checkpoint at its end; `commit` makes it count."""

    segment: Segment
    checkpoint: Checkpoint


def last_archivable(
    connection: apsw.Connection, *, before_ms: int, sound_seq: int, needs_ack: bool
) -> tuple[int, int] | None:
    """First and last event of the next archive: recorded before a time, found right, acknowledged; None if none is.

    The head always stays, and one archive holds at most ARCHIVE_EVENTS_MAX.
    """
    first, head = next(iter(connection.execute("SELECT min(seq), max(seq) FROM journal")))
    if head is None:
        return None
    first = max(first, _archived_seq(connection) + 1)
    bounds = [
        _last_before(connection, first, head, before_ms),
        sound_seq,
        head - 1,
        first + ARCHIVE_EVENTS_MAX - 1,
    ]
    if needs_ack:
        bounds.append(_meta(connection, "acked_seq", 0))
    last = min(bounds)
    return (first, last) if last >= first else None


def _last_before(connection: apsw.Connection, first: int, head: int, before_ms: int) -> int:
    """By halves: the wall clock nearly always rises with the sequence, and a little off does no harm."""
    low, high = first - 1, head
    while low < high:
        middle = (low + high + 1) // 2
        row = next(iter(connection.execute("SELECT at_ms FROM journal WHERE seq = ?", (middle,))), None)
        low, high = (middle, high) if row and row[0] < before_ms else (low, middle - 1)
    return low


def write_file(
    connection: apsw.Connection, folder: Path, *, node_id: str, epoch: int, first_seq: int, last_seq: int
) -> Archived:
    """Write, sync and verify one archive.

    Raises IntegrityBroken if the events are not what the chain says: nothing may be deleted then.
    """
    fold = _fold_before(connection, first_seq)
    before = Head(epoch, fold.seq, fold.hash)
    folder.mkdir(mode=0o700, exist_ok=True)
    # Else a power cut could take the folder, with every archive in it.
    sync(folder.parent)
    unfinished = folder / f"journal-{epoch}-{first_seq:012}-{last_seq:012}{UNFINISHED}"
    for left in folder.glob(f"journal-*{UNFINISHED}"):
        left.unlink()
    with _created(unfinished) as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        while before.seq < last_seq:
            before = _append(connection, file, node_id, before, fold, last_seq)
    segment = Segment(
        first_seq,
        last_seq,
        prev_hash=checkpoints.hash_at(connection, first_seq - 1) or GENESIS,
        last_hash=fold.hash,
        # The hash in the name: a file of this name can only ever hold these events.
        file=f"{unfinished.stem}-{fold.hash.hex()[:16]}.gz",
        sha256=b"",
        size_bytes=unfinished.stat().st_size,
    )
    _check_read_back(unfinished, segment)
    with unfinished.open("rb") as written:
        segment = replace(segment, sha256=file_digest(written, "sha256").digest())
    put_in_place(unfinished, folder / segment.file)
    return Archived(segment, checkpoints.checkpoint_of(fold))


def _fold_before(connection: apsw.Connection, first_seq: int) -> Fold:
    if first_seq == 1:
        return Fold()
    fold = checkpoints.oldest_trusted(connection, first_seq - 1)
    if fold is None or fold.seq != first_seq - 1:
        raise IntegrityBroken(
            f"there is no checkpoint at event {first_seq - 1}, where the last archive ends",
            hint="bodega ledger verify says what is wrong; the journal stays as it is",
        )
    return fold


def _created(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _append(
    connection: apsw.Connection, file: gzip.GzipFile, node_id: str, before: Head, fold: Fold, last_seq: int
) -> Head:
    """One envelope more, its events checked and folded."""
    limit = min(ENVELOPE_EVENTS_MAX, last_seq - before.seq)
    envelope = pack(
        node_id, before, [Recorded(*event) for event in live_events(connection, before.seq, limit)]
    )
    events = live_events(connection, before.seq, len(envelope.events))
    if trouble := walk(events, fold):
        raise IntegrityBroken(f"not archived: {trouble.problem}", hint="bodega ledger verify")
    message = BytesIO()
    serialize_length_prefixed(envelope_to_wire(envelope), message)
    file.write(message.getvalue())
    return Head(before.epoch, envelope.last_seq, envelope.last_hash)


def _check_read_back(path: Path, segment: Segment) -> None:
    """IntegrityBroken unless all events are in the file as it is read again."""
    seq, chain_hash = segment.first_seq - 1, segment.prev_hash
    for found, _body, found_hash in events_in(path):
        if found != seq + 1:
            break
        seq, chain_hash = found, found_hash
    if (seq, chain_hash) != (segment.last_seq, segment.last_hash):
        raise IntegrityBroken(
            f"the archive {path} does not read back as it was written", hint="check the disk"
        )


def commit(tx: Transaction, archived: Archived) -> None:
    """The archive counts from now on: its row and the checkpoint at its end, in this transaction."""
    segment = archived.segment
    if tx.one("SELECT 1 FROM archive WHERE last_seq >= ?", (segment.first_seq,)):
        raise IntegrityBroken(f"events from {segment.first_seq} on are archived already")
    tx.execute(
        "INSERT INTO archive(first_seq, last_seq, prev_hash, last_hash, file, sha256, size_bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            segment.first_seq,
            segment.last_seq,
            segment.prev_hash,
            segment.last_hash,
            segment.file,
            segment.sha256,
            segment.size_bytes,
        ),
    )
    checkpoints.record(tx, archived.checkpoint)


def delete_archived(tx: Transaction) -> int:
    """Delete the next of the events that an archive holds; how many went."""
    (last,) = tx.one("SELECT coalesce(max(last_seq), 0) FROM archive") or (0,)
    row = tx.one("SELECT min(seq) FROM journal")
    if row is None or row[0] is None or row[0] > last:
        return 0
    upto = min(last, row[0] + ARCHIVE_ROWS_PER_COMMIT_MAX - 1)
    tx.execute("DELETE FROM journal WHERE seq <= ?", (upto,))
    return tx.changes()


def forget_commands(tx: Transaction, after_cmd_id: str) -> str:
    """Of the next commands by id, forget the results of those whose events are archived; where to go on, or "".

    Every one is looked at: not every command has left an event.
    """
    (last,) = tx.one("SELECT coalesce(max(last_seq), 0) FROM archive") or (0,)
    rows = list(
        tx.execute(
            "SELECT cmd_id, seq FROM command WHERE cmd_id > ? ORDER BY cmd_id LIMIT ?",
            (after_cmd_id, ARCHIVE_ROWS_PER_COMMIT_MAX),
        )
    )
    old = [(cmd_id,) for cmd_id, seq in rows if 0 < seq <= last]
    tx.executemany("DELETE FROM command WHERE cmd_id = ?", old)
    return str(rows[-1][0]) if len(rows) == ARCHIVE_ROWS_PER_COMMIT_MAX else ""


def mark_dropped(tx: Transaction, file: str) -> None:
    """The disk's ladder has deleted this file: that it is gone is no alarm."""
    tx.execute("UPDATE archive SET dropped = 1 WHERE file = ?", (file,))


def _archived_seq(connection: apsw.Connection) -> int:
    row = next(iter(connection.execute("SELECT coalesce(max(last_seq), 0) FROM archive")))
    return int(row[0])


def _meta(connection: apsw.Connection, key: str, default: int) -> int:
    row = next(iter(connection.execute("SELECT value FROM meta WHERE key = ?", (key,))), None)
    return int(row[0]) if row else default
