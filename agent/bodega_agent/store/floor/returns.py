"""Taking back: facts and effects."""

from __future__ import annotations

from collections.abc import Iterable

from bodega.core.commands import decode
from bodega.core.expiry import day_of, is_past
from bodega.core.floor_words import BinKind, TemperatureClass
from bodega.core.ledger import DOCK, Disposition, LotSeen, Reference
from bodega.core.promise import OverrideRule
from bodega.core.recipes import Places, book
from bodega.core.sku import Sku
from bodega_agent.rules.floor.cancel import GONE_STATES
from bodega_agent.rules.floor.returns import effects as ask
from bodega_agent.rules.floor.returns.choices import LEDGER
from bodega_agent.rules.floor.returns.doing import TakingBack
from bodega_agent.rules.floor.returns.facts import Due, Return, ReturnFacts, ReturnLine
from bodega_agent.rules.floor.scans import Kind, NamedScan, Scanned, SsccScan
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.rules.floor.words import Word
from bodega_agent.store import catalogue, ledger, order_names, returns, settling, work
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> ReturnFacts:
    """The return on the bench; where one is looked for, the one that the scan names."""
    tx, session = look.tx, look.session
    if isinstance(session.doing, TakingBack):
        row = returns.find(tx, session.doing.return_id)
        current, found = (_return(tx, row) if row else None), None
    else:
        current = None
        found = _found(tx, look.scan) if session.step is FloorStep.RETURN_FIND else None
    return ReturnFacts(
        current=current,
        found=found,
        next_return_id=returns.next_id(tx),
        places=_places(tx),
        vision=look.vision,
    )


def _places(tx: Transaction) -> tuple[str, ...]:
    return tuple(
        row[0]
        for row in tx.execute("SELECT bin_id FROM bin WHERE kind = ? ORDER BY walk_order", (BinKind.RETURNS,))
    )


def _found(tx: Transaction, scan: Scanned | None) -> Return | None:
    """The return that a scan names: itself, or what is under way or begins now for an order of this node."""
    orders: list[work.WorkOrder] = []
    if isinstance(scan, SsccScan) or (isinstance(scan, NamedScan) and scan.kind is Kind.TRACKING):
        order = work.find_by_sscc(tx, scan.sscc if isinstance(scan, SsccScan) else scan.name)
        orders = [order] if order else []
    elif isinstance(scan, NamedScan):
        row = returns.find(tx, scan.name)
        if row is not None:
            return _return(tx, row)
        orders = order_names.find(tx, scan.name)
    if not orders:
        return None
    order_id = orders[0].order_id
    row = returns.unclosed_of(tx, order_id)
    return _return(tx, row or returns.Row(returns.next_id(tx), order_id, "", "new"))


def _return(tx: Transaction, row: returns.Row) -> Return:
    ours = order_names.find(tx, row.order_id) if row.order_id else []
    gone = [order.fulfillment_order_id for order in ours if order.state in GONE_STATES]
    # After a recovery the node may know a return of an order that it does not know any more.
    known = row.fulfillment_order_id in gone
    announced = _due(tx, returns.announced(tx, row.return_id))
    return Return(
        row.return_id,
        row.order_id,
        row.fulfillment_order_id if known else next(iter(gone), ""),
        row.state,
        lines=tuple(_line(tx, line) for line in returns.lines(tx, row.return_id)),
        owed=_due(tx, returns.owed(tx, row.order_id)) if ours else announced,
        is_owed_known=bool(ours or announced),
        announced=announced,
        has_left=bool(gone or not ours),
    )


def _due(tx: Transaction, units: Iterable[tuple[str, int]]) -> tuple[Due, ...]:
    found = []
    for sku_id, quantity in units:
        sku = catalogue.sku_by_id(tx, sku_id)
        found.append(Due(sku_id, sku.name if sku else sku_id, quantity, sku.gtins if sku else ()))
    return tuple(found)


def _line(tx: Transaction, line: returns.Line) -> ReturnLine:
    sku = catalogue.sku_by_id(tx, line.sku_id)
    return ReturnLine(
        line.line,
        line.sku_id,
        sku.name if sku else line.sku_id,
        line.quantity,
        line.lot,
        line.serials,
        line.grade,
        line.disposition,
        line.bin_id,
        line.camera,
        line.camera_reasons,
        _unfit(tx, sku, line.lot) if sku else "",
    )


def _unfit(tx: Transaction, sku: Sku, lot: str) -> str:
    """Why it can not be sold again whatever it looks like; empty if it can."""
    if sku.temperature_class != TemperatureClass.AMBIENT:
        return f"nobody knows that it stayed {sku.temperature_class}"
    expiry = catalogue.expiry_of(tx, sku.sku_id, lot) if lot else ""
    if sku.expiry_tracked and not expiry:
        return "its expiry is not known"
    past = is_past(expiry or "", day_of(tx.now_ms()))
    return "it has expired" if past and not is_set_aside(tx, OverrideRule.EXPIRED, sku.sku_id, lot) else ""


def _open(tx: Transaction, context: Context, effect: ask.OpenReturn) -> None:
    returns.open_(tx, context, effect.return_id, effect.order_id, effect.fulfillment_order_id)


def _take_back(tx: Transaction, context: Context, effect: ask.TakeBack) -> None:
    goods = owned(tx, effect.goods)
    seq = ledger.move(
        tx,
        context,
        "return",
        [goods],
        target_bin=DOCK,
        reference=_of(tx, effect.return_id),
        entered=[effect.entered] if effect.entered else (),
        lots=[LotSeen(goods.sku_id, goods.lot, effect.expiry)] if effect.expiry else (),
    )
    named = (goods.sku_id, goods.lot, goods.quantity, goods.serials)
    returns.add(tx, context, effect.return_id, effect.line, named, f"{tx.head.epoch}/{seq}")


def _of(tx: Transaction, return_id: str) -> Reference:
    row = returns.find(tx, return_id)
    return Reference(row.fulfillment_order_id if row else "", reason=f"return {return_id}")


def _look(tx: Transaction, _context: Context, effect: ask.LookAtReturn) -> None:
    returns.set_camera(tx, effect.return_id, effect.line, "waiting")


def _void(tx: Transaction, context: Context, effect: ask.VoidLine) -> None:
    line = next(line for line in returns.lines(tx, effect.return_id) if line.line == effect.line)
    for event in line.events:
        body = {
            "command": "correct",
            "cmd_id": context.cmd_id,
            "event": event,
            "reason": "scanned by mistake",
        }
        settling.correct(tx, context, decode(body))
    returns.remove(tx, effect.return_id, effect.line)


def _grade(tx: Transaction, _context: Context, effect: ask.GradeLine) -> None:
    returns.set_grade(tx, effect.return_id, effect.line, effect.grade)


def _dispose(tx: Transaction, _context: Context, effect: ask.DisposeLine) -> None:
    returns.set_disposition(tx, effect.return_id, effect.line, effect.disposition)


def _settle(tx: Transaction, context: Context, effect: ask.SettleLine) -> None:
    goods = [owned(tx, effect.goods)]
    if effect.disposition == Word.SCRAP:
        command, places = "scrap", Places(DOCK, source_disposition=Disposition.RETURNED)
    else:
        command = "inspect"
        places = Places(DOCK, effect.bin_id, target_disposition=LEDGER[effect.disposition])
    held = ledger.held_for(tx, command, goods, places)
    reference = Reference(reason=f"return {effect.return_id}, {effect.disposition}")
    ledger.record_booking(tx, context, book(command, goods, held, places, reference=reference))
    returns.set_disposition(tx, effect.return_id, effect.line, effect.disposition, effect.bin_id)


def _close(tx: Transaction, context: Context, effect: ask.CloseReturn) -> None:
    returns.close(tx, context, effect.return_id, effect.refunds)


DOES: Doers = {
    ask.OpenReturn: _open,
    ask.TakeBack: _take_back,
    ask.LookAtReturn: _look,
    ask.VoidLine: _void,
    ask.GradeLine: _grade,
    ask.DisposeLine: _dispose,
    ask.SettleLine: _settle,
    ask.CloseReturn: _close,
}
