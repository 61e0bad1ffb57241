"""What devices have the node's store do, and what people look up there before they act."""

from __future__ import annotations

from typing import Any

from bodega.core.commands import decode
from bodega.core.lifecycles import PrintEvent, PrintState
from bodega.errors import Refused
from bodega_agent.store import commands, labels
from bodega_agent.store.floor import effects
from bodega_agent.store.transaction import Context, Transaction
from support import asks as ask

Json = dict[str, Any]

_SHELF = "disposition = 'sellable_accessible' AND external = ''"


def do(tx: Transaction, context: Context, body: Json) -> Json:
    """A ledger command; or "label" and "ship" of an order, whose parcel's number only the node knows."""
    if body["command"] == "label":
        return tx.once(body["cmd_id"], body, lambda: _label(tx, context, body["fulfillment_order_id"]))
    if body["command"] == "hand_back":
        return tx.once(body["cmd_id"], body, lambda: _hand_back(tx, context, body["fulfillment_order_id"]))
    if body["command"] == "ship" and "sscc" not in body:
        order = body["fulfillment_order_id"]
        body = {"command": "ship", "cmd_id": body["cmd_id"], "sscc": _sscc_of(tx, order)}
    return commands.run(tx, context, decode(body))


def _label(tx: Transaction, context: Context, order: str) -> Json:
    """The printer prints it, and the associate scans it from the parcel."""
    before = tx.head.seq
    sscc = _sscc_of(tx, order)
    job = labels.latest_for(tx, sscc)
    if job is not None and job.state is PrintState.QUEUED:
        labels.advance(tx, context, job, PrintEvent.SEND)
    effects.execute(tx, context, ask.VerifyLabel(order, sscc))
    return {"seqs": list(range(before + 1, tx.head.seq + 1))}


def _hand_back(tx: Transaction, context: Context, order: str) -> Json:
    """What the floor does with a parcel of which nothing is found."""
    before = tx.head.seq
    effects.execute(tx, context, ask.HandBack(order))
    return {"seqs": list(range(before + 1, tx.head.seq + 1))}


def _sscc_of(tx: Transaction, order: str) -> str:
    row = tx.one("SELECT sscc FROM fulfillment_order WHERE fulfillment_order_id = ?", (order,))
    if row is None or not row[0]:
        raise Refused(f"order {order} has no parcel")
    return str(row[0])


def units_in(tx: Transaction, sku_id: str, bin_id: str) -> int:
    """Units of a SKU that may be sold out of one bin."""
    sql = f"SELECT coalesce(sum(quantity), 0) FROM balance WHERE sku_id = ? AND bin = ? AND {_SHELF}"  # a constant
    row = tx.one(sql, (sku_id, bin_id))
    return int(row[0]) if row else 0


def bin_with(tx: Transaction, sku_id: str, quantity: int) -> str | None:
    """A bin that holds so many, or None."""
    row = tx.one(
        f"SELECT bin FROM balance WHERE sku_id = ? AND {_SHELF} AND quantity >= ? ORDER BY bin LIMIT 1",
        (sku_id, quantity),
    )
    return str(row[0]) if row else None


def bin_for(tx: Transaction, reservation_id: str) -> str | None:
    """Where a unit lies that a pending reservation promises."""
    sql = "SELECT sku_id FROM reservation WHERE reservation_id = ? AND state = 'pending'"
    row = tx.one(sql, (reservation_id,))
    return bin_with(tx, str(row[0]), 1) if row else None


def loadable(tx: Transaction, sku_id: str, quantity: int) -> tuple[str, Json] | None:
    """Goods for a lorry: their bin, and they themselves, with their serials if they have some."""
    row = tx.one(
        "SELECT bin, serial FROM serial WHERE sku_id = ? AND external = '' AND disposition = 'sellable_accessible'"
        " ORDER BY serial LIMIT 1",
        (sku_id,),
    )
    if row:
        return str(row[0]), {"sku_id": sku_id, "quantity": 1, "serials": [str(row[1])]}
    bin_id = bin_with(tx, sku_id, quantity)
    return (bin_id, {"sku_id": sku_id, "quantity": quantity}) if bin_id else None


def untouched_order(tx: Transaction) -> str | None:
    """The newest order of which nothing was picked."""
    row = tx.one(
        "SELECT fulfillment_order_id FROM fulfillment_order AS work WHERE state IN ('assigned', 'picking') AND NOT"
        " EXISTS (SELECT 1 FROM fulfillment_line AS line WHERE line.picked > 0"
        " AND line.fulfillment_order_id = work.fulfillment_order_id) ORDER BY arrived_seq DESC LIMIT 1"
    )
    return str(row[0]) if row else None


def oldest_order(tx: Transaction) -> Json | None:
    """The oldest order that is not done, with what is to be picked and where it lies; None if a shelf lacks it."""
    row = tx.one(
        "SELECT fulfillment_order_id, state FROM fulfillment_order"
        " WHERE state NOT IN ('shipped', 'cancelled', 'short', 'handed_back') ORDER BY arrived_seq LIMIT 1"
    )
    if row is None:
        return None
    order: Json = {"id": str(row[0]), "state": str(row[1]), "lines": []}
    rows = tx.execute(
        "SELECT line, sku_id, quantity - picked - short FROM fulfillment_line"
        " WHERE fulfillment_order_id = ? AND quantity > picked + short ORDER BY line",
        (order["id"],),
    )
    for line, sku_id, quantity in list(rows):
        bin_id = bin_with(tx, sku_id, quantity)
        if bin_id is None:
            return None
        order["lines"].append({"line": line, "sku_id": sku_id, "quantity": quantity, "bin_id": bin_id})
    return order
