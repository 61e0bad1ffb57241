"""What nodes are told to expect: deliveries of suppliers, transfers from other nodes, returns of customers.

A node works on without a word from here: a notice, an order or a return that it has not heard of is received blind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bodega.core.gtin import check_digit
from bodega.core.lifecycles import OrderState
from bodega.core.transfers import TRANSFER
from bodega.errors import NotFound, Refused
from bodega.limits import QUANTITY_MAX, TIME_MS_MAX
from bodega.limits_floor import NOTICE_LINES_MAX, RETURN_LINES_MAX, TRANSFER_LINES_MAX
from bodega.v1 import floor_pb2, journal_pb2
from bodega_controlplane.app.applying.floor_rows import lines_json
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import nodes, outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering.orders import get_order, lock_order
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.views import Caller, OrderView
from bodega_controlplane.store import catalogue, expecting, transfers
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Lines = Sequence[floor_pb2.NoticeLine]

_SSCC_DIGITS = 18
# States of an order of which something has reached its customer, or is on its way there.
_HAS_LEFT = frozenset(
    {
        OrderState.SHIPPED,
        OrderState.PARTIALLY_SHIPPED,
        OrderState.COLLECTED,
        OrderState.PARTIALLY_COLLECTED,
    }
)


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as its node got it, and what has come for it."""

    node_id: str
    notice: floor_pb2.AdvanceNotice
    receipts: tuple[floor_pb2.ReceiptAdvanced, ...] = ()


def put_notice(tx: Transaction, caller: Caller, node_id: str, notice: floor_pb2.AdvanceNotice) -> NoticeView:
    """Announce a delivery to a node, or replace what was announced; the same again changes nothing.

    Raises NotFound for an unknown node, InvalidInput with every fault.
    """
    nodes.check_known(tx, node_id)
    faults = Faults()
    faults.identifier("notice.notice_id", notice.notice_id)
    faults.text("notice.supplier", notice.supplier)
    faults.number("notice.expected_at_ms", notice.expected_at_ms, 0, TIME_MS_MAX)
    _check_lines(tx, faults, "notice.lines", notice.lines, NOTICE_LINES_MAX)
    faults.raise_if_any("the notice")
    return _say(tx, caller, node_id, notice, withdrawn=False)


def withdraw_notice(tx: Transaction, caller: Caller, node_id: str, notice_id: str) -> NoticeView:
    """It does not come after all. Raises NotFound."""
    known = expecting.notice(tx, node_id, notice_id)
    if known is None:
        raise NotFound(
            f"{node_id[:80]} was told of no notice '{notice_id[:80]}'", hint="list them: bodegactl notices ls"
        )
    return _say(tx, caller, node_id, _notice(known), withdrawn=True)


def _say(
    tx: Transaction, caller: Caller, node_id: str, said: floor_pb2.AdvanceNotice, *, withdrawn: bool
) -> NoticeView:
    """Tell the node, unless it knows that already."""
    tx.lock_nodes([node_id])
    known = expecting.notice(tx, node_id, said.notice_id)
    notice = floor_pb2.AdvanceNotice()
    notice.CopyFrom(said)
    notice.withdrawn, notice.version = withdrawn, known.version if known else 0
    if known is None or _notice(known) != notice:
        notice.version += 1
        row = {
            "node_id": node_id,
            "notice_id": notice.notice_id,
            "supplier": notice.supplier,
            "lines": lines_json(notice.lines),
            "expected_at_ms": notice.expected_at_ms,
            "version": notice.version,
            "withdrawn": withdrawn,
            "changed_at_ms": caller.now_ms,
        }
        expecting.put_notice(tx, row)
        _post(tx, caller, node_id, notice.notice_id, journal_pb2.HubEvent(advance_notice=notice))
        word = "withdrawn" if withdrawn else "announced"
        _audit(
            tx, caller, f"notice.{word}", notice.notice_id, {"node_id": node_id, "version": notice.version}
        )
    return _views(tx, [_still_there(tx, node_id, notice.notice_id)])[0]


def _still_there(tx: Transaction, node_id: str, notice_id: str) -> Row:
    row = expecting.notice(tx, node_id, notice_id)
    assert row is not None, "it was just written"
    return row


def list_notices(tx: Transaction, *, node_id: str = "", size: int = 0) -> tuple[NoticeView, ...]:
    """Newest first, with what has come."""
    return _views(tx, expecting.notices(tx, node_id, limit_of(size)))


def _views(tx: Transaction, rows: Sequence[Row]) -> tuple[NoticeView, ...]:
    came = expecting.receipts(tx, {row.notice_id for row in rows})
    return tuple(
        NoticeView(
            row.node_id,
            _notice(row),
            tuple(map(_receipt, came.get((row.node_id, row.notice_id), ()))),
        )
        for row in rows
    )


def order_transfer(
    tx: Transaction, caller: Caller, from_node_id: str, to_node_id: str, lines: Lines
) -> floor_pb2.TransferOrdered:
    """Ask one node to send goods to another; both are told.

    Raises NotFound for unknown nodes, InvalidInput with every fault.
    """
    for node_id in (from_node_id, to_node_id):
        nodes.check_known(tx, node_id)
    faults = Faults()
    if from_node_id == to_node_id:
        faults.add("to_node_id", "must be another node than the one that sends")
    _check_lines(tx, faults, "lines", lines, TRANSFER_LINES_MAX)
    for place, line in enumerate(lines):
        if line.lot or line.expiry or line.sscc:
            faults.add(f"lines[{place}]", "must name a SKU and units only: lots are the sender's choice")
    faults.raise_if_any("the transfer")
    tx.lock_nodes([from_node_id, to_node_id])
    transfer = floor_pb2.TransferOrdered(
        transfer_id=new_id("T", caller.now_ms), from_node_id=from_node_id, to_node_id=to_node_id, lines=lines
    )
    row = {
        "transfer_id": transfer.transfer_id,
        "from_node_id": from_node_id,
        "to_node_id": to_node_id,
        "lines": lines_json(lines),
        "ordered_at_ms": caller.now_ms,
    }
    expecting.put_transfer(tx, row)
    transfers.hold(tx, [transfer.transfer_id], TRANSFER.start, caller.now_ms)
    for node_id in sorted((from_node_id, to_node_id)):
        _post(tx, caller, node_id, transfer.transfer_id, journal_pb2.HubEvent(transfer_ordered=transfer))
    detail = {"from": from_node_id, "to": to_node_id, "lines": len(lines)}
    _audit(tx, caller, "transfer.ordered", transfer.transfer_id, detail)
    return transfer


def expect_return(
    tx: Transaction, caller: Caller, order_id: str, node_id: str, lines: Lines
) -> tuple[str, floor_pb2.ReturnExpected]:
    """Agree to a return: the node that takes it, and what it was told.

    No node: the one that sent the goods; no lines: all that was sent and is not on its way back. Raises NotFound,
    InvalidInput, Refused ("nothing-to-return": nothing of the order has left, or all of it comes back already).
    """
    order = get_order(tx, order_id)
    node_id = node_id or order.node_id or next((part.node_id for part in order.parts if part.node_id), "")
    if node_id:
        nodes.check_known(tx, node_id)
    # The whole order, not only who takes it: two may agree at once, each for another node.
    lock_order(tx, order_id, *filter(None, [node_id]))
    order = get_order(tx, order_id)
    left = _left_to_return(tx, order)
    if order.state not in _HAS_LEFT or not left:
        raise Refused(
            f"nothing of order {order_id} is there to come back: it is {order.state.value.replace('_', ' ')}",
            code="nothing-to-return",
            hint="the lines of the order tell what was sent; what has not left can be cancelled",
        )
    wanted = list(lines) or [
        floor_pb2.NoticeLine(sku_id=sku_id, quantity=units) for sku_id, units in sorted(left.items())
    ]
    faults = Faults()
    _check_lines(tx, faults, "lines", wanted, RETURN_LINES_MAX)
    asked: dict[str, int] = {}
    for place, line in enumerate(wanted):
        asked[line.sku_id] = asked.get(line.sku_id, 0) + line.quantity
        if asked[line.sku_id] > left.get(line.sku_id, 0):
            faults.add(
                f"lines[{place}].quantity", f"is more than the {left.get(line.sku_id, 0)} that can come back"
            )
    faults.raise_if_any("the return")
    expected = floor_pb2.ReturnExpected(return_id=new_id("R", caller.now_ms), order_id=order_id, lines=wanted)
    row = {
        "node_id": node_id,
        "return_id": expected.return_id,
        "order_id": order_id,
        "fulfillment_order_id": "",
        "state": expecting.EXPECTED,
        "lines": "[]",
        "expected": lines_json(wanted),
        "changed_at_ms": caller.now_ms,
    }
    expecting.put_return(tx, row)
    _post(tx, caller, node_id, order_id, journal_pb2.HubEvent(return_expected=expected))
    _audit(tx, caller, "return.expected", order_id, {"return_id": expected.return_id, "node_id": node_id})
    return node_id, expected


def _left_to_return(tx: Transaction, order: OrderView) -> dict[str, int]:
    """SKU -> units that have left and are neither back nor expected. A substitute stands for its line's SKU too."""
    sent: dict[str, int] = {}
    for line in order.lines:
        for sku_id in (line.sku_id, *line.substitutes):
            sent[sku_id] = sent.get(sku_id, 0) + line.shipped
    for row in expecting.returns_of(tx, order.order_id):
        came = json.loads(row.lines if row.state == expecting.CLOSED else row.expected)
        for line in came:
            sent[line["sku_id"]] = sent.get(line["sku_id"], 0) - line["quantity"]
    return {sku_id: units for sku_id, units in sent.items() if units > 0}


def said_again(tx: Transaction, node_id: str) -> Iterator[journal_pb2.HubEvent]:
    """What a node must hear where its stream begins anew: all that it still waits for."""
    for view in open_notices(tx, node_id):
        yield journal_pb2.HubEvent(advance_notice=view.notice)
    for row in expecting.open_transfers(tx, node_id):
        yield journal_pb2.HubEvent(transfer_ordered=ordered(row))
    for row in expecting.open_returns(tx, node_id):
        expected = floor_pb2.ReturnExpected(
            return_id=row.return_id, order_id=row.order_id, lines=_lines(row.expected)
        )
        yield journal_pb2.HubEvent(return_expected=expected)


def ordered(row: Row) -> floor_pb2.TransferOrdered:
    """A row of transfer_order as both nodes got it."""
    return floor_pb2.TransferOrdered(
        transfer_id=row.transfer_id,
        from_node_id=row.from_node_id,
        to_node_id=row.to_node_id,
        lines=_lines(row.lines),
    )


def open_notices(tx: Transaction, node_id: str) -> tuple[NoticeView, ...]:
    """Notices of which something has still to come, by id, with what has come."""
    views = _views(tx, expecting.standing_notices(tx, node_id))
    return tuple(view for view in views if _lacks_some(view))


def _lacks_some(view: NoticeView) -> bool:
    """Whether the receipts that are closed do not cover it."""
    left: dict[str, int] = {}
    for line in view.notice.lines:
        left[line.sku_id] = left.get(line.sku_id, 0) + line.quantity
    for receipt in view.receipts:
        for came in receipt.lines if receipt.state == expecting.CLOSED else ():
            left[came.sku_id] = left.get(came.sku_id, 0) - came.received
    return any(units > 0 for units in left.values())


def _notice(row: Row) -> floor_pb2.AdvanceNotice:
    return floor_pb2.AdvanceNotice(
        notice_id=row.notice_id,
        supplier=row.supplier,
        lines=_lines(row.lines),
        expected_at_ms=row.expected_at_ms,
        version=row.version,
        withdrawn=row.withdrawn,
    )


def _lines(kept: str) -> list[floor_pb2.NoticeLine]:
    return [floor_pb2.NoticeLine(**line) for line in json.loads(kept)]


def _receipt(row: Row) -> floor_pb2.ReceiptAdvanced:
    came = floor_pb2.ReceiptAdvanced(receipt_id=row.receipt_id, notice_id=row.notice_id, state=row.state)
    came.lines.extend(floor_pb2.ReceiptAdvanced.Line(**line) for line in json.loads(row.lines))
    return came


def _check_lines(tx: Transaction, faults: Faults, where: str, lines: Lines, lines_max: int) -> None:
    faults.count(where, lines, 1, lines_max)
    known = catalogue.by_ids(tx, {line.sku_id for line in lines[:lines_max]})
    for place, line in enumerate(lines[:lines_max]):
        at = f"{where}[{place}]"
        faults.number(f"{at}.quantity", line.quantity, 1, QUANTITY_MAX)
        if line.sku_id not in known:
            faults.add(f"{at}.sku_id", f"is not in the catalogue: {line.sku_id[:80]!r}")
        if line.lot:
            faults.identifier(f"{at}.lot", line.lot)
        if line.expiry and not _is_date(line.expiry):
            faults.add(f"{at}.expiry", "must be an ISO 8601 date such as 2027-01-31")
        if line.sscc and not _is_sscc(line.sscc):
            faults.add(f"{at}.sscc", "must be 18 digits with a right check digit")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_sscc(text: str) -> bool:
    right = len(text) == _SSCC_DIGITS and text.isascii() and text.isdigit()
    return right and str(check_digit(text[:-1])) == text[-1]


def _post(
    tx: Transaction, caller: Caller, node_id: str, correlation_id: str, event: journal_pb2.HubEvent
) -> None:
    cmd_id = new_id("C", caller.now_ms)
    outbox.post(tx, caller, node_id, [event], cmd_id=cmd_id, correlation_id=correlation_id)


def _audit(tx: Transaction, caller: Caller, action: str, subject: str, detail: Mapping[str, object]) -> None:
    tx.audit(at_ms=caller.now_ms, actor=caller.actor, action=action, subject=subject, detail=detail)
