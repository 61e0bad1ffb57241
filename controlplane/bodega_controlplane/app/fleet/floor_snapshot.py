"""What the hub knows of a node's floor, for a node that has lost its own: what is begun there, and must not be again.

What the node waits for (notices, transfers, returns) its new stream says again (`restating`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.ledger import Disposition
from bodega.errors import IntegrityBroken, PeerFault
from bodega.v1 import floor_pb2, nodesync_pb2
from bodega_controlplane.app.goods import expecting
from bodega_controlplane.store import epochs, floor
from bodega_controlplane.store import expecting as expecting_rows
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import floor as floor_tables
from bodega_controlplane.store.transaction import Transaction

Snapshot = nodesync_pb2.NodeSnapshot
Line = floor_pb2.ReceiptAdvanced.Line

_OPEN = "open"
_DONE = ("shipped", "received")
_RECEIVE, _SET_APART = "receive", "change_disposition"


def add_floor(tx: Transaction, node: Row, snapshot: Snapshot) -> None:
    """Fill in what the snapshot says of the floor."""
    snapshot.receipts.extend(_receipts(tx, node))
    snapshot.pickups.extend(
        floor_pb2.PickupAdvanced(
            fulfillment_order_id=row.fulfillment_order_id, state=row.state, bin_id=row.bin_id
        )
        for row in epochs.rows_of_node(
            tx, floor_tables.pickup, node.node_id, floor_tables.pickup.c.state == "staged"
        )
    )
    snapshot.transfers.extend(
        Snapshot.TransferEnd(ordered=expecting.ordered(row), state=state)
        for row, state in expecting_rows.ended_at(tx, node.node_id, _DONE)
    )


def _receipts(tx: Transaction, node: Row) -> Iterator[Snapshot.Receipt]:
    waited_for = {view.notice.notice_id for view in expecting.open_notices(tx, node.node_id)}
    for row in epochs.rows_of_node(tx, floor_tables.receipt, node.node_id):
        if row.state != _OPEN and row.notice_id not in waited_for:
            continue
        said = floor_pb2.ReceiptAdvanced(receipt_id=row.receipt_id, notice_id=row.notice_id, state=row.state)
        said.lines.extend(
            _came(tx, node, row) if row.state == _OPEN else (Line(**line) for line in json.loads(row.lines))
        )
        yield Snapshot.Receipt(said=said, device=row.device, opened_seq=row.opened_seq)


def _came(tx: Transaction, node: Row, receipt: Row) -> list[Line]:
    """What the movements of an open receipt add up to; they name it as their reason."""
    lines: dict[tuple[str, str], Line] = {}
    for body in floor.movements_after(tx, node.node_id, node.epoch, receipt.opened_seq):
        try:
            movement = movement_from_wire(parse_node_event(body).movement)
        except (PeerFault, IntegrityBroken):
            # It is parked: it had no effect on the stock either.
            continue
        if movement.reference.reason != receipt.receipt_id:
            continue
        for account, units, _serials in movement.postings:
            if units <= 0 or not account.is_physical:
                continue
            line = lines.setdefault(
                (account.sku_id, account.lot), Line(sku_id=account.sku_id, lot=account.lot)
            )
            if movement.command == _RECEIVE:
                line.received += units
            elif movement.command == _SET_APART and account.disposition == Disposition.DAMAGED:
                line.damaged += units
            elif movement.command == _SET_APART:
                line.held += units
    return list(lines.values())
