"""A ledger file made from what the hub knows of this node: tables as they were at the event that the new epoch follows.

Nothing of the journal before it is there, as if all of it had been archived and the archive dropped: the chain goes
on from the hub's head, and a checkpoint in the first events vouches for the balances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import apsw

from bodega.codec import account_from_wire, fulfillment_state_from_wire, parse_node_event
from bodega.core.chain import GENESIS
from bodega.core.deadline import deadline
from bodega.core.ledger import Account
from bodega.core.lifecycles import FulfillmentState, PrintState
from bodega.errors import PeerFault
from bodega.v1 import nodesync_pb2
from bodega_agent.rules.tracking import Series
from bodega_agent.store import (
    catalogue,
    checkpoints,
    labels,
    papers,
    pickups,
    rate_card,
    receipts,
    transfer_orders,
)
from bodega_agent.store.integrity import Fold
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.store.work import accept

Snapshot = nodesync_pb2.NodeSnapshot
Begun = nodesync_pb2.BeginEpochResponse

# What the old file knows better than the hub, copied as it is; the hub's stream brings what is newer.
_OF_THE_FLOOR = (
    *("notice", "notice_line", "receipt", "receipt_line", "load_unit"),
    *("packing", "in_box", "parcel", "manifest", "tracking_given"),
    *("pickup", "goods_return", "goods_return_announced", "goods_return_line"),
    *("bin_counted", "transfer_order", "transfer_line"),
)
_KEPT_TABLES = ("sku", "gtin", "bin", "lot", "local_field", "device_counter", "associate", *_OF_THE_FLOOR)
_KEPT_META = ("profile", "profile_version", "settings", "sync_paused_at_ms")

# A result that nobody can tell any more; an empty digest fits every body.
_DONE_AT_THE_HUB = json.dumps({"recovered": True, "seqs": []})


def take_place(tx: Transaction, begun: Begun) -> None:
    """The new epoch, after the hub's head; the hub's own stream from its beginning."""
    basis = begun.basis
    if basis.seq:
        tx.execute(
            "INSERT INTO archive(first_seq, last_seq, prev_hash, last_hash, file, sha256, size_bytes, dropped)"
            " VALUES (1, ?, ?, ?, '', x'', 0, 1)",
            (basis.seq, GENESIS, basis.hash),
        )
    tx.put("epoch", begun.epoch)
    tx.put("acked_seq", basis.seq)
    tx.put("acked_hash", basis.hash)
    tx.put("down_epoch", begun.down_epoch)
    tx.put("down_seq", 0)
    tx.put("down_hash", GENESIS)
    tx.reload_head()


def fill(tx: Transaction, snapshot: Snapshot, old: apsw.Connection | None) -> None:
    """Everything that the snapshot holds, and what of the old file is no word of the hub's."""
    _keep_from(tx, old)
    if catalogue.profile_of(tx) is None and snapshot.HasField("profile"):
        catalogue.put_profile(tx, snapshot.profile)
    # The stream says it again, and may be of a hub that has gone back.
    tx.execute("UPDATE sku SET version = 0")
    tx.execute("UPDATE notice SET version = 0")
    tx.put("profile_version", 0)
    tx.executemany(
        "INSERT OR REPLACE INTO lot(sku_id, lot, expiry) VALUES (?, ?, ?)",
        ((one.sku_id, one.lot, one.expiry) for one in snapshot.lots if one.expiry),
    )
    for work in snapshot.work:
        _put_work(tx, work)
    _put_promises(tx, snapshot, old)
    _put_overrides(tx, snapshot, old)
    tx.executemany(
        "INSERT INTO discrepancy(seq, bin, sku_id, lot, difference, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                one.seq,
                one.opened.bin_id,
                one.opened.sku_id,
                one.opened.lot,
                one.opened.difference,
                one.opened.reason,
            )
            for one in snapshot.discrepancies
        ),
    )
    tx.executemany(
        "INSERT OR IGNORE INTO command(cmd_id, digest, result, seq) VALUES (?, x'', ?, ?)",
        ((cmd_id, _DONE_AT_THE_HUB, tx.head.seq) for cmd_id in snapshot.cmd_ids),
    )
    _put_floor(tx, snapshot)
    _skip_ssccs(tx, snapshot, old)
    rate_card.skip_numbers(tx, catalogue.profile_of(tx), _tracking_given(tx, snapshot))


def put_balances(tx: Transaction, snapshot: Snapshot) -> None:
    """Balances and serials of the snapshot, and the checkpoint that vouches for them. PeerFault if they are none."""
    fold = Fold(
        snapshot.basis.seq,
        snapshot.basis.hash,
        {account_from_wire(one.account): one.quantity for one in snapshot.ledger.balances},
        {(one.account.sku_id, one.serial): account_from_wire(one.account) for one in snapshot.ledger.serials},
    )
    below = [account for account, quantity in fold.balances.items() if account.is_physical and quantity < 0]
    if below:
        raise PeerFault(f"the hub's snapshot has less than nothing of {below[0].sku_id} in {below[0].bin}")
    tx.executemany(
        "INSERT INTO balance(sku_id, bin, disposition, lot, owner, external, quantity) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((*account, quantity) for account, quantity in fold.balances.items()),
    )
    tx.executemany(
        "INSERT INTO serial(sku_id, serial, bin, disposition, lot, owner, external) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((sku_id, serial, *account[1:]) for (sku_id, serial), account in fold.serials.items()),
    )
    if snapshot.basis.seq:
        checkpoints.record(tx, checkpoints.checkpoint_of(fold))


def put_labels(tx: Transaction, context: Context, snapshot: Snapshot, old: apsw.Connection | None) -> None:
    """Print jobs of open work; what is not known to be printed is in doubt, and the journal says so."""
    for one in snapshot.labels:
        work = tx.one("SELECT fulfillment_order_id FROM fulfillment_order WHERE sscc = ?", (one.sscc,))
        kept = _row_of(
            old,
            "SELECT fulfillment_order_id, document FROM print_job WHERE print_job_id = ?",
            one.print_job_id,
        )
        if work is None and kept is None:
            continue
        fulfillment_order_id = work[0] if work is not None else kept[0]
        document = kept[1] if kept is not None else papers.label_of(tx, fulfillment_order_id, one.sscc)
        job = labels.PrintJob(
            one.print_job_id,
            one.sscc,
            fulfillment_order_id,
            PrintState(one.state),
            one.copy,
            one.detail,
            document,
            tx.now_ms(),
        )
        labels.put_back(tx, context, job)


def _keep_from(tx: Transaction, old: apsw.Connection | None) -> None:
    if old is None:
        return
    for table in _KEPT_TABLES:
        rows = list(old.execute(f"SELECT * FROM {table}"))  # noqa: S608  # names are our own
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            tx.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  # names are our own
    for key in _KEPT_META:
        row = _row_of(old, "SELECT value FROM meta WHERE key = ?", key)
        if row is not None:
            tx.put(key, row[0])


def _put_work(tx: Transaction, work: Snapshot.Work) -> None:
    order, state = work.order, fulfillment_state_from_wire(work.state) or FulfillmentState.ASSIGNED
    accept(tx, 0, order)
    tx.execute(
        "UPDATE fulfillment_order SET state = ?, sscc = ?, down_epoch = 0 WHERE fulfillment_order_id = ?",
        (state, work.sscc, order.fulfillment_order_id),
    )
    tx.executemany(
        "UPDATE fulfillment_line SET picked = ?, short = ? WHERE fulfillment_order_id = ? AND line = ?",
        ((one.shipped, one.short, order.fulfillment_order_id, one.line) for one in order.lines),
    )


def _put_floor(tx: Transaction, snapshot: Snapshot) -> None:
    """What was begun on the floor, by the hub's word: a wiped node knows nothing of it, a restored one less."""
    for one in snapshot.receipts:
        receipts.put_back(tx, one.said, one.device, one.opened_seq)
    for pickup in snapshot.pickups:
        pickups.put_back(tx, pickup.fulfillment_order_id, pickup.bin_id)
    for transfer in snapshot.transfers:
        transfer_orders.put_back(tx, transfer.ordered, transfer.state)


def _put_promises(tx: Transaction, snapshot: Snapshot, old: apsw.Connection | None) -> None:
    tx.executemany(
        "INSERT INTO rights(sku_id, held) VALUES (?, ?)", ((one.sku_id, one.held) for one in snapshot.rights)
    )
    for one in snapshot.reservations:
        # The time that is left is the old file's word; without it the promise lasts as long again.
        ends = _row_of(
            old,
            "SELECT boot_id, expires_at_ms, expires_after_ms FROM reservation WHERE reservation_id = ?",
            one.reservation_id,
        ) or tuple(deadline(one.expires_after_ms, tx.clock()))
        tx.execute(
            "INSERT INTO reservation(reservation_id, sku_id, quantity, posted, voided, state, reference, boot_id,"
            " expires_at_ms, expires_after_ms, opened_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                one.reservation_id,
                one.sku_id,
                one.quantity,
                one.posted,
                one.voided,
                one.state,
                one.reference,
                *ends,
            ),
        )


def _put_overrides(tx: Transaction, snapshot: Snapshot, old: apsw.Connection | None) -> None:
    for one in snapshot.overrides:
        said = one.changed
        ends = _row_of(
            old,
            "SELECT boot_id, expires_at_ms, expires_after_ms FROM rule_override WHERE override_id = ?",
            said.override_id,
        ) or tuple(deadline(said.expires_after_ms, tx.clock()))
        tx.execute(
            "INSERT INTO rule_override(override_id, rule, sku_id, lot, quantity, reason, actor, state, boot_id,"
            " expires_at_ms, expires_after_ms, opened_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                said.override_id,
                said.rule,
                said.sku_id,
                said.lot,
                said.quantity,
                said.reason,
                one.actor,
                said.state,
                *ends,
            ),
        )


def _skip_ssccs(tx: Transaction, snapshot: Snapshot, old: apsw.Connection | None) -> None:
    """Behind every number that either line has given out, as far as anybody knows."""
    row = _row_of(old, "SELECT value FROM meta WHERE key = ?", "sscc_last_serial")
    seen = [int(row[0])] if row is not None else []
    seen += [snapshot.sscc_last_serial] if snapshot.sscc_used else []
    if seen:
        labels.skip_ssccs(tx, max(seen))


def _tracking_given(tx: Transaction, snapshot: Snapshot) -> dict[Series, int]:
    """The last serial of each series, as far as the old file and the hub know."""
    profile = catalogue.profile_of(tx)
    given = rate_card.last_serials(tx)
    for one in rate_card.ranges(profile) if profile else ():
        for number in snapshot.tracking_numbers:
            serial = one.serial(number)
            if serial is not None:
                given[one.series] = max(given.get(one.series, serial), serial)
    return given


def _row_of(connection: apsw.Connection | None, sql: str, key: str) -> Any:
    """The first row, or None."""
    return next(iter(connection.execute(sql, (key,))), None) if connection is not None else None


def events_after(old: apsw.Connection, seq: int) -> Iterable[tuple[int, Any]]:
    """(sequence, event) of the old file's journal after `seq`."""
    for number, body in old.execute("SELECT seq, body FROM journal WHERE seq > ? ORDER BY seq", (seq,)):
        yield number, parse_node_event(body)


def places_of(accounts: Mapping[Account, int]) -> set[str]:
    """The bins that a person can go to and count: no stages and no parcels."""
    return {
        account.bin
        for account in accounts
        if account.is_physical and not account.bin.startswith(("STAGE-", "PARCEL-"))
    }
