"""Returns: what the hub has announced, what came back, how it was graded, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from bodega.v1 import floor_pb2
from bodega_agent.store.transaction import Context, Transaction


class Row(NamedTuple):
    """A return."""

    return_id: str
    order_id: str
    fulfillment_order_id: str
    state: str


class Line(NamedTuple):
    """A line of a return as it is kept; see `floor_schema`."""

    line: int
    sku_id: str
    lot: str
    quantity: int
    serials: tuple[str, ...]
    events: tuple[str, ...]
    grade: str
    camera: str
    camera_reasons: tuple[str, ...]
    disposition: str
    bin_id: str


_COLUMNS = "return_id, order_id, fulfillment_order_id, state"


def expect(tx: Transaction, message: floor_pb2.ReturnExpected) -> None:
    """The hub has agreed to a return. What has begun is not changed any more; the last word before that counts."""
    known = find(tx, message.return_id)
    if known is not None and known.state != "expected":
        return
    tx.execute(
        "INSERT OR REPLACE INTO goods_return(return_id, order_id, fulfillment_order_id, state, opened_at_ms)"
        " VALUES (?, ?, '', 'expected', ?)",
        (message.return_id, message.order_id, tx.now_ms()),
    )
    announced: dict[str, int] = {}
    for line in message.lines:
        announced[line.sku_id] = announced.get(line.sku_id, 0) + line.quantity
    tx.execute("DELETE FROM goods_return_announced WHERE return_id = ?", (message.return_id,))
    tx.executemany(
        "INSERT INTO goods_return_announced(return_id, sku_id, quantity) VALUES (?, ?, ?)",
        ((message.return_id, sku_id, quantity) for sku_id, quantity in announced.items() if quantity),
    )


def named(tx: Transaction, text: str) -> str:
    """The text, if it is the label of a return that is known here; else empty."""
    return text if find(tx, text) else ""


def find(tx: Transaction, return_id: str) -> Row | None:
    """The return, or None."""
    row = tx.one(f"SELECT {_COLUMNS} FROM goods_return WHERE return_id = ?", (return_id,))  # noqa: S608  # a constant
    return Row(*row) if row else None


def unclosed_of(tx: Transaction, order_id: str) -> Row | None:
    """The return of this order that is under way, else the one that was announced first; or None."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM goods_return WHERE order_id = ? AND order_id <> '' AND state <> 'closed'"  # noqa: S608  # a constant
        " ORDER BY state = 'expected', opened_at_ms, return_id LIMIT 1",
        (order_id,),
    )
    return Row(*row) if row else None


def next_id(tx: Transaction) -> str:
    """What a return that begins with the next event is called; no other node and no other epoch gives this name."""
    return f"RT-{tx.get('node_id')}-{tx.head.epoch}-{tx.head.seq + 1}"


def announced(tx: Transaction, return_id: str) -> list[tuple[str, int]]:
    """(SKU, units) that the hub has agreed to."""
    rows = tx.execute(
        "SELECT sku_id, quantity FROM goods_return_announced WHERE return_id = ? ORDER BY sku_id",
        (return_id,),
    )
    return [(row[0], row[1]) for row in list(rows)]


def owed(tx: Transaction, order_id: str) -> list[tuple[str, int]]:
    """(SKU, units) that left this node for the order and were not refunded by a closed return; none is zero."""
    rows = tx.execute(
        "SELECT sku_id, sum(units) FROM ("
        " SELECT l.sku_id, l.picked AS units FROM fulfillment_order f JOIN fulfillment_line l"
        "  USING (fulfillment_order_id) WHERE f.order_id = ?1 AND f.state IN ('shipped', 'collected')"
        " UNION ALL"
        " SELECT l.sku_id, -l.refunded FROM goods_return r JOIN goods_return_line l USING (return_id)"
        "  WHERE r.order_id = ?1 AND r.order_id <> '') GROUP BY sku_id HAVING sum(units) > 0 ORDER BY sku_id",
        (order_id,),
    )
    return [(row[0], row[1]) for row in list(rows)]


def lines(tx: Transaction, return_id: str) -> list[Line]:
    """Its lines, oldest first."""
    rows = tx.execute(
        "SELECT line, sku_id, lot, quantity, serials, events, grade, camera, camera_reasons, disposition, bin"
        " FROM goods_return_line WHERE return_id = ? ORDER BY line",
        (return_id,),
    )
    return [
        Line(
            line,
            sku_id,
            lot,
            quantity,
            tuple(json.loads(serials)),
            tuple(json.loads(events)),
            grade,
            camera,
            tuple(json.loads(reasons)),
            disposition,
            bin_id,
        )
        for line, sku_id, lot, quantity, serials, events, grade, camera, reasons, disposition, bin_id in list(
            rows
        )
    ]


def open_(
    tx: Transaction, context: Context, return_id: str, order_id: str, fulfillment_order_id: str
) -> None:
    """Work on it begins."""
    tx.execute(
        "INSERT INTO goods_return(return_id, order_id, fulfillment_order_id, state, opened_at_ms)"
        " VALUES (?, ?, ?, 'open', ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
        " fulfillment_order_id = excluded.fulfillment_order_id, opened_at_ms = excluded.opened_at_ms",
        (return_id, order_id, fulfillment_order_id, tx.now_ms()),
    )
    tx.append(
        context,
        return_advanced=floor_pb2.ReturnAdvanced(
            return_id=return_id, order_id=order_id, fulfillment_order_id=fulfillment_order_id, state="open"
        ),
    )


def add(
    tx: Transaction,
    context: Context,
    return_id: str,
    line: int,
    goods: tuple[str, str, int, tuple[str, ...]],
    event: str,
) -> None:
    """`goods` (SKU, lot, units, serials) came back by the movement `event`: a new line, or more of this one."""
    sku_id, lot, quantity, serials = goods
    tx.execute(
        "INSERT INTO goods_return_line(return_id, line, sku_id, lot, quantity, serials, events, device)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, json_array(?7), ?8)"
        " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity,"
        " events = json_insert(events, '$[#]', ?7)",
        (return_id, line, sku_id, lot, quantity, json.dumps(serials), event, context.device),
    )


def remove(tx: Transaction, return_id: str, line: int) -> None:
    """It was scanned by mistake."""
    tx.execute("DELETE FROM goods_return_line WHERE return_id = ? AND line = ?", (return_id, line))


def set_grade(tx: Transaction, return_id: str, line: int, grade: str) -> None:
    """What a person says of it."""
    tx.execute(
        "UPDATE goods_return_line SET grade = ? WHERE return_id = ? AND line = ?", (grade, return_id, line)
    )


def set_disposition(tx: Transaction, return_id: str, line: int, disposition: str, bin_id: str = "") -> None:
    """What becomes of it, and where it stays once it is there."""
    tx.execute(
        "UPDATE goods_return_line SET disposition = ?, bin = ? WHERE return_id = ? AND line = ?",
        (disposition, bin_id, return_id, line),
    )


def set_camera(
    tx: Transaction, return_id: str, line: int, camera: str, reasons: Collection[str] = ()
) -> None:
    """What the camera says of it; nothing if the line is gone meanwhile."""
    tx.execute(
        "UPDATE goods_return_line SET camera = ?, camera_reasons = ? WHERE return_id = ? AND line = ?",
        (camera, json.dumps(list(reasons)), return_id, line),
    )


def unanswered(tx: Transaction) -> list[tuple[str, str, str, int, str]]:
    """(device, return, its fulfillment order, line, SKU) that the camera was asked about, and has not answered."""
    rows = tx.execute(
        "SELECT l.device, l.return_id, r.fulfillment_order_id, l.line, l.sku_id FROM goods_return_line l"
        " JOIN goods_return r USING (return_id) WHERE l.camera = 'waiting' ORDER BY l.return_id, l.line"
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in list(rows)]


def hand_on(tx: Transaction, from_device: str, to_device: str) -> None:
    """What the camera says of units in the hands of a device goes to the one that takes its work over."""
    tx.execute(
        "UPDATE goods_return_line SET device = ? WHERE device = ? AND bin = ''", (to_device, from_device)
    )


def close(tx: Transaction, context: Context, return_id: str, refunds: Collection[tuple[int, int]]) -> None:
    """It is complete: all its lines, and a refund for `refunds`, (line, units), if there are any."""
    row = find(tx, return_id)
    assert row is not None, "the flow has read it in this transaction"
    tx.execute("UPDATE goods_return SET state = 'closed' WHERE return_id = ?", (return_id,))
    tx.executemany(
        "UPDATE goods_return_line SET refunded = ? WHERE return_id = ? AND line = ?",
        ((units, return_id, line) for line, units in refunds),
    )
    told = {line.line: _told(line) for line in lines(tx, return_id)}
    tx.append(
        context,
        return_advanced=floor_pb2.ReturnAdvanced(
            return_id=return_id,
            order_id=row.order_id,
            fulfillment_order_id=row.fulfillment_order_id,
            state="closed",
            lines=told.values(),
        ),
    )
    if refunds:
        due = floor_pb2.RefundDue(return_id=return_id, order_id=row.order_id)
        for number, units in refunds:
            line = told[number]
            due.lines.add(sku_id=line.sku_id, quantity=units, grade=line.grade, disposition=line.disposition)
        tx.append(context, refund_due=due)


def _told(line: Line) -> floor_pb2.ReturnAdvanced.Line:
    return floor_pb2.ReturnAdvanced.Line(
        sku_id=line.sku_id,
        lot=line.lot,
        quantity=line.quantity,
        grade=line.grade,
        camera="unknown" if line.camera == "waiting" else line.camera,
        disposition=line.disposition,
        serials=line.serials,
    )
