"""Receiving: facts and effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bodega.core.expiry import day_of
from bodega.core.ledger import Disposition, LotSeen, Reference
from bodega.core.recipes import Places
from bodega.limits_floor import NOTICE_GTINS_SHOWN_MAX, RECEIPT_LINES_MAX
from bodega_agent.rules.floor.receive import effects as ask
from bodega_agent.rules.floor.receive.against import Came, Line, compare
from bodega_agent.rules.floor.receive.doing import Receiving
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts, Unit, UnitLine
from bodega_agent.rules.floor.scans import ControlScan, Kind, NamedScan, SsccScan, TextScan
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import catalogue, labels, ledger, load_units, notices, receipts
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.floor.moving import move_as
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> ReceiveFacts:
    """What the table in `rules.floor.receive.facts` says of the step."""
    tx, scan = look.tx, look.scan
    doing = look.session.doing if isinstance(look.session.doing, Receiving) else None
    unit = _unit(tx, scan.sscc) if isinstance(scan, SsccScan) else None
    named = ""
    if isinstance(scan, NamedScan) and scan.kind is Kind.NOTICE:
        named = scan.name
    elif unit is not None and not unit.own:
        named = notices.of_pallet(tx, unit.sscc)
    delivery = _delivery_in_work(tx, look, doing)
    return ReceiveFacts(
        delivery=delivery,
        named=_named(tx, named) if named else None,
        unit=unit,
        next_receipt_id=receipts.next_id(tx),
        next_sscc=labels.peek_sscc(tx) if scan == ControlScan(Kind.PACK) else "",
        lacks_expiry=_lacks_expiry(tx, doing, scan.text.strip()) if isinstance(scan, TextScan) else False,
        today=day_of(tx.now_ms()),
        is_full=delivery is not None and len(delivery.lines) >= RECEIPT_LINES_MAX,
    )


def _delivery_in_work(tx: Transaction, look: Look, doing: Receiving | None) -> Delivery | None:
    if look.session.step is FloorStep.IDLE:
        left = receipts.open_at(tx, look.session.device)
    else:
        left = receipts.find(tx, doing.receipt_id) if doing and doing.receipt_id else None
    return _delivery(tx, left) if left else None


def _delivery(tx: Transaction, receipt: receipts.Receipt) -> Delivery:
    notice = notices.find(tx, receipt.notice_id) if receipt.notice_id else None
    lines = _with_names(tx, receipts.lines_of(tx, receipt))
    supplier = notice.supplier if notice else ""
    return Delivery(
        receipt.receipt_id, receipt.notice_id, supplier, receipt.is_open, lines=lines, gtins=_gtins(tx, lines)
    )


def _named(tx: Transaction, name: str) -> Delivery | None:
    """The delivery of a notice, whether it has begun or not, or of a receipt."""
    receipt = receipts.find(tx, name) or receipts.open_for(tx, name)
    if receipt is not None:
        return _delivery(tx, receipt)
    notice = notices.find(tx, name)
    if notice is None:
        return None
    lines = _with_names(tx, compare(receipts.still_announced(tx, name), {}))
    all_here = not lines
    return Delivery(
        "",
        name,
        notice.supplier,
        withdrawn=notice.withdrawn,
        all_here=all_here,
        lines=lines,
        gtins=_gtins(tx, lines),
    )


def _with_names(tx: Transaction, lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(replace(line, name=catalogue.name_of(tx, line.sku_id)) for line in lines)


def _gtins(tx: Transaction, lines: Iterable[Line]) -> tuple[str, ...]:
    """Codes of what is to come next; not of all that is to come, which may be hundreds."""
    found: list[str] = []
    for line in lines:
        if line.open and len(found) < NOTICE_GTINS_SHOWN_MAX:
            sku = catalogue.sku_by_id(tx, line.sku_id)
            found += sku.gtins if sku else ()
    return tuple(found[:NOTICE_GTINS_SHOWN_MAX])


def _unit(tx: Transaction, sscc: str) -> Unit | None:
    known = load_units.find(tx, sscc)
    if known is not None and known.own:
        return Unit(sscc, own=True, here=True, proven=known.proven)
    notice_id = notices.of_pallet(tx, sscc)
    if not notice_id:
        return None
    lines = tuple(_unit_line(tx, one) for one in notices.lines_of(tx, notice_id) if one.sscc == sscc)
    return Unit(sscc, here=known is not None, proven=True, lines=lines)


def _unit_line(tx: Transaction, line: notices.NoticeLine) -> UnitLine:
    """What of the goods must be known and the notice does not say."""
    sku = catalogue.sku_by_id(tx, line.sku_id)
    known = catalogue.expiry_of(tx, line.sku_id, line.lot) if line.lot else None
    lacks = ""
    if sku is None:
        lacks = "product"
    elif sku.serial_tracked:
        lacks = "serials"
    elif sku.lot_tracked and not line.lot:
        lacks = "lot"
    elif sku.expiry_tracked and not (line.expiry or known):
        lacks = "expiry"
    lot = line.lot if sku and sku.lot_tracked else ""
    expiry = line.expiry if lot and line.expiry != known else ""
    name = sku.name if sku else line.sku_id
    return UnitLine(line.sku_id, name, lot, expiry, line.quantity, lacks)


def _lacks_expiry(tx: Transaction, doing: Receiving | None, lot: str) -> bool:
    fresh = doing.fresh if doing else None
    sku = catalogue.sku_by_id(tx, fresh.sku_id) if fresh else None
    return bool(sku and sku.expiry_tracked and not catalogue.expiry_of(tx, sku.sku_id, lot))


def _open_receipt(tx: Transaction, context: Context, effect: ask.OpenReceipt) -> None:
    receipts.open_receipt(tx, context, effect.receipt_id, effect.notice_id)


def _receive(tx: Transaction, context: Context, effect: ask.Receive) -> None:
    goods = owned(tx, effect.goods)
    ledger.move(
        tx,
        context,
        "receive",
        [goods],
        target_bin=effect.place,
        reference=Reference(reason=effect.receipt_id),
        entered=[effect.entered] if effect.entered else (),
        lots=[LotSeen(goods.sku_id, goods.lot, effect.expiry)] if effect.expiry else (),
    )
    receipts.count(tx, effect.receipt_id, goods.sku_id, goods.lot, Came(goods.quantity))


def _set_apart(tx: Transaction, context: Context, effect: ask.SetApart) -> None:
    places = Places(effect.place, effect.place, Disposition.IN_PROGRESS, effect.becomes)
    reference = Reference(reason=effect.receipt_id)
    move_as(tx, context, "change_disposition", effect.goods, places, reference)
    units = effect.goods.quantity
    damaged = effect.becomes is Disposition.DAMAGED
    more = Came(0, damaged=units) if damaged else Came(0, held=units)
    receipts.count(tx, effect.receipt_id, effect.goods.sku_id, effect.goods.lot, more)


def _take_unit(tx: Transaction, _context: Context, effect: ask.TakeUnit) -> None:
    load_units.take(tx, effect.sscc, effect.receipt_id)


def _start_unit(tx: Transaction, context: Context, effect: ask.StartUnit) -> None:
    load_units.start(tx, context, effect.sscc, effect.receipt_id)


def _prove_unit(tx: Transaction, context: Context, effect: ask.ProveUnit) -> None:
    load_units.prove(tx, context, effect.sscc)


def _close_receipt(tx: Transaction, context: Context, effect: ask.CloseReceipt) -> None:
    receipts.close(tx, context, effect.receipt_id)


DOES: Doers = {
    ask.OpenReceipt: _open_receipt,
    ask.Receive: _receive,
    ask.SetApart: _set_apart,
    ask.TakeUnit: _take_unit,
    ask.StartUnit: _start_unit,
    ask.ProveUnit: _prove_unit,
    ask.CloseReceipt: _close_receipt,
}
