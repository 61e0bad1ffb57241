"""What the hub knows of a node up to an event of its journal, as the message that a new epoch begins from."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from bodega.codec import account_to_wire, fulfillment_state_to_wire
from bodega.core.lifecycles import FulfillmentState, OverrideState, PrintState, ReservationState
from bodega.limits import SNAPSHOT_COMMANDS_MAX
from bodega.v1 import catalogue_pb2, nodesync_pb2, stock_pb2
from bodega_controlplane.app.fleet import restating
from bodega_controlplane.app.fleet.floor_snapshot import add_floor
from bodega_controlplane.store import epochs, floor, schema
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Snapshot = nodesync_pb2.NodeSnapshot

# GS1 General Specifications 3.2: extension digit, 16 digits of company prefix and serial reference, check digit.
_SSCC_DIGITS = 18

_UNFINISHED = frozenset({PrintState.QUEUED, PrintState.SENT, PrintState.FAILED, PrintState.UNKNOWN})


def snapshot_of(tx: Transaction, node: Row, ancestor_seq: int) -> bytes:
    """The compressed NodeSnapshot of a node at our head of its journal; `ancestor_seq` is what it has itself."""
    node_id = node.node_id
    profile = catalogue_pb2.NodeProfile.FromString(node.profile)
    work = list(_work(tx, node_id))
    labels = epochs.rows_of_node(tx, schema.label, node_id)
    known = {one.sscc for one in work if one.sscc}
    used = _highest_serial(profile, {row.sscc for row in labels} | known)
    snapshot = Snapshot(
        node_id=node_id,
        basis=nodesync_pb2.Position(seq=node.applied_seq, hash=node.applied_hash),
        ledger=_ledger(tx, node_id),
        lots=[
            stock_pb2.LotSeen(sku_id=row.sku_id, lot=row.lot, expiry=row.expiry)
            for row in epochs.rows_of_node(tx, schema.lot, node_id)
        ],
        work=work,
        labels=[_label(row) for row in labels if row.sscc in known or row.state in _UNFINISHED],
        reservations=_reservations(tx, node_id),
        rights=[
            Snapshot.Rights(sku_id=row.sku_id, held=row.held)
            for row in epochs.rows_of_node(tx, schema.node_rights, node_id)
            if row.held
        ],
        discrepancies=_discrepancies(tx, node_id),
        overrides=_overrides(tx, node_id),
        sscc_last_serial=used or 0,
        sscc_used=used is not None,
        cmd_ids=epochs.cmd_ids_after(tx, node_id, node.epoch, ancestor_seq, SNAPSHOT_COMMANDS_MAX),
        profile=profile,
        tracking_numbers=floor.highest_tracking_numbers(tx, node_id, profile),
    )
    add_floor(tx, node, snapshot)
    return zlib.compress(snapshot.SerializeToString(deterministic=True))


def _ledger(tx: Transaction, node_id: str) -> stock_pb2.LedgerSnapshot:
    ledger = stock_pb2.LedgerSnapshot()
    for account, quantity in epochs.balances(tx, node_id).items():
        ledger.balances.add(account=account_to_wire(account), quantity=quantity)
    for (_sku_id, serial), account in epochs.serials(tx, node_id).items():
        ledger.serials.add(serial=serial, account=account_to_wire(account))
    return ledger


def _work(tx: Transaction, node_id: str) -> Iterator[Snapshot.Work]:
    rows = restating.open_work(tx, node_id)
    lines = restating.lines_of_work(tx, rows)
    for row in rows:
        promised = lines[row.fulfillment_order_id]
        order = restating.assignment(row, promised)
        for line, one in zip(order.lines, promised, strict=True):
            line.shipped, line.short = one.posted, one.short
        state = fulfillment_state_to_wire(FulfillmentState(row.state))
        yield Snapshot.Work(order=order, state=state, sscc=row.sscc)


def _label(row: Row) -> Snapshot.Label:
    return Snapshot.Label(
        print_job_id=row.print_job_id, sscc=row.sscc, state=row.state, copy=row.copy, detail=row.detail
    )


def _reservations(tx: Transaction, node_id: str) -> list[stock_pb2.ReservationChanged]:
    table = schema.node_reservation
    pending = table.c.state == ReservationState.PENDING.value
    return [
        stock_pb2.ReservationChanged(
            reservation_id=row.reservation_id,
            sku_id=row.sku_id,
            quantity=row.quantity,
            posted=row.posted,
            voided=row.voided,
            state=row.state,
            reference=row.reference,
            expires_after_ms=row.expires_after_ms,
        )
        for row in epochs.rows_of_node(tx, table, node_id, pending)
    ]


def _discrepancies(tx: Transaction, node_id: str) -> list[Snapshot.Discrepancy]:
    table = schema.discrepancy
    return [
        Snapshot.Discrepancy(
            seq=row.seq,
            opened=stock_pb2.DiscrepancyOpened(
                bin_id=row.bin_id,
                sku_id=row.sku_id,
                lot=row.lot,
                difference=row.difference,
                reason=row.reason,
                fulfillment_order_id=row.fulfillment_order_id,
            ),
        )
        for row in epochs.rows_of_node(tx, table, node_id, table.c.closed_seq == 0)
    ]


def _overrides(tx: Transaction, node_id: str) -> list[Snapshot.Override]:
    table = schema.rule_override
    return [
        Snapshot.Override(
            changed=stock_pb2.OverrideChanged(
                override_id=row.override_id,
                rule=row.rule,
                sku_id=row.sku_id,
                lot=row.lot,
                quantity=row.quantity,
                reason=row.reason,
                state=row.state,
                expires_after_ms=row.expires_after_ms,
            ),
            actor=row.actor,
        )
        for row in epochs.rows_of_node(tx, table, node_id, table.c.state == OverrideState.OPEN.value)
    ]


def _highest_serial(profile: catalogue_pb2.NodeProfile, ssccs: set[str]) -> int | None:
    """The highest serial reference of the node's own range among these SSCCs."""
    given = profile.sscc_range
    begin = f"{given.extension}{given.company_prefix}"
    serials = [
        int(sscc[len(begin) : -1])
        for sscc in ssccs
        if len(sscc) == _SSCC_DIGITS and sscc.isdecimal() and sscc.startswith(begin)
    ]
    fitting = [serial for serial in serials if given.first_serial <= serial <= given.last_serial]
    return max(fitting, default=None)
