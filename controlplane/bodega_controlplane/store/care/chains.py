"""Whether every chain of hashes holds: the audit trail, each node's journal, and what the hub has told each node.

A chain is read in slices of rows, so that a long one needs no memory, on one snapshot, so that a hub at work does not
disturb the check.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from bodega.core.chain import GENESIS, link
from bodega_controlplane.store import audit
from bodega_controlplane.store.care.findings import Findings, Step
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import audit as trail
from bodega_controlplane.store.schema import down_log, journal, node
from bodega_controlplane.store.transaction import Transaction

_SLICE_ROWS = 2_000


def lengths(tx: Transaction) -> int:
    """Rows of all chains: what `check` steps through."""
    tables = (trail, journal, down_log)
    return sum(
        int(tx.connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one()) for one in tables
    )


def check(tx: Transaction, found: Findings, step: Step) -> None:
    """Every chain from its beginning to the end that the node's row states."""
    _audit(tx, found, step)
    rows = list(tx.connection.execute(sa.select(node).order_by(node.c.node_id)))
    found.looked_at["nodes"] = len(rows)
    found.looked_at["journal events"] = sum(_journal(tx, one, found, step) for one in rows)
    found.looked_at["events for nodes"] = sum(_told(tx, one, found, step) for one in rows)


def _audit(tx: Transaction, found: Findings, step: Step) -> None:
    head, seq, checked = GENESIS, 0, 0
    while True:
        part = audit.verify(tx, seq, head, _SLICE_ROWS)
        checked, seq, head = checked + part.checked, part.seq, part.hash
        step(part.checked)
        if part.first_bad_seq:
            found.add("audit", f"does not fit its chain from line {part.first_bad_seq} on")
        if part.first_bad_seq or part.checked < _SLICE_ROWS:
            break
    found.looked_at["audit lines"] = checked


def _journal(tx: Transaction, of: Row, found: Findings, step: Step) -> int:
    """Sequences and chain go on over epochs; they end where the node's row says that the hub is."""
    seq, head, where = 0, GENESIS, f"journal of {of.node_id}"
    for row in _slices(tx, journal, step, journal.c.node_id == of.node_id):
        if row.seq != seq + 1:
            found.add(where, f"event {seq + 1} is missing")
            return seq
        seq, head = seq + 1, link(head, row.body)
        if row.hash != head:
            found.add(where, f"does not fit its chain from event {seq} on")
            return seq
    if (seq, head) != (of.applied_seq, bytes(of.applied_hash)):
        found.add(where, f"ends with event {seq}, the node's row says {of.applied_seq}")
    return seq


def _told(tx: Transaction, of: Row, found: Findings, step: Step) -> int:
    """The stream of the present epoch; its beginning may have been trimmed."""
    where, count = f"stream for {of.node_id}", 0
    seq, head = 0, GENESIS
    mine = (down_log.c.node_id == of.node_id) & (down_log.c.epoch == of.down_epoch)
    for row in _slices(tx, down_log, step, mine):
        if count == 0 and row.seq > 1:
            seq, head = row.seq, bytes(row.hash)
        elif row.seq != seq + 1:
            found.add(where, f"event {seq + 1} is missing")
            return count
        else:
            seq, head = seq + 1, link(head, row.body)
        if bytes(row.hash) != head:
            found.add(where, f"does not fit its chain from event {seq} on")
            return count
        count += 1
    if (seq, head) != (of.down_seq, bytes(of.down_hash)):
        found.add(where, f"ends with event {seq}, the node's row says {of.down_seq}")
    return count


def _slices(tx: Transaction, table: sa.Table, step: Step, mine: sa.ColumnElement[bool]) -> Iterator[Row]:
    """Rows of one node by epoch and sequence; each slice is asked for where the last one ended."""
    after = (0, 0)
    while True:
        later = sa.tuple_(table.c.epoch, table.c.seq) > sa.tuple_(*map(sa.literal, after))
        query = (
            sa.select(table.c.epoch, table.c.seq, table.c.body, table.c.hash)
            .where(mine, later)
            .order_by(table.c.epoch, table.c.seq)
            .limit(_SLICE_ROWS)
        )
        rows: list[Row] = list(tx.connection.execute(query))
        step(len(rows))
        yield from rows
        if len(rows) < _SLICE_ROWS:
            return
        after = (rows[-1].epoch, rows[-1].seq)
