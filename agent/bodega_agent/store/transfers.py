"""The hub says that a transfer is over: what never came here, or came from nobody, leaves `in_transit` in this book.

The hub tells what all others have put under way to this node; the node alone knows what has arrived here by now, so
the difference is worked out here, and telling it twice changes nothing the second time.
"""

from __future__ import annotations

from bodega.core.ledger import Account, Goods, Reference, in_transit
from bodega.v1 import stock_pb2
from bodega_agent.store import ledger
from bodega_agent.store.transaction import Context, Transaction

MISSING, SURPLUS = "transfer_missing", "transfer_surplus"


def close(tx: Transaction, context: Context, closed: stock_pb2.TransferClosed) -> None:
    """Write the difference off, and answer; the answer is recorded also when there is none."""
    missing = surplus = 0
    for line in closed.lines:
        account = Account(
            line.sku_id, lot=line.lot, owner=line.owner, external=in_transit(closed.transfer_id)
        )
        units = line.in_transit + ledger.balance_of(tx, account)
        if units:
            _write_off(tx, context, closed, line, units)
        missing += max(0, units)
        surplus += max(0, -units)
    tx.append(
        context,
        transfer_settled=stock_pb2.TransferSettled(
            transfer_id=closed.transfer_id, missing=missing, surplus=surplus
        ),
    )


def _write_off(
    tx: Transaction,
    context: Context,
    closed: stock_pb2.TransferClosed,
    line: stock_pb2.TransferLine,
    units: int,
) -> None:
    serials = _lost(tx, line) if units > 0 else ()
    goods = Goods(
        line.sku_id, abs(units), line.lot, line.owner, serials=serials if len(serials) == units else ()
    )
    reference = Reference(reason=closed.reason, transfer_id=closed.transfer_id, final=True)
    ledger.move(tx, context, MISSING if units > 0 else SURPLUS, [goods], reference=reference)


def _lost(tx: Transaction, line: stock_pb2.TransferLine) -> tuple[str, ...]:
    """Units that left somebody and have not been seen here."""
    seen = ledger.where_serials_are(tx, [(line.sku_id, serial) for serial in line.serials])
    return tuple(serial for serial in line.serials if (line.sku_id, serial) not in seen)
