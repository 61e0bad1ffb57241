"""Picking: facts, which packing shares, and effects."""

from __future__ import annotations

import json

from bodega.core.expiry import day_of, first_out_key, is_past
from bodega.core.ledger import Account, Discrepancy, Disposition, Reference
from bodega.core.promise import OverrideRule
from bodega.v1 import journal_pb2
from bodega_agent.rules.floor.pick import effects as ask
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Shelf, Work, WorkLine
from bodega_agent.rules.floor.scans import CheckOutcome
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import catalogue, labels, ledger, work
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> PickFacts:
    """What the table in `rules.floor.pick.facts` says of the step."""
    tx, session = look.tx, look.session
    if session.step in {FloorStep.IDLE, FloorStep.TAKE_OVER}:
        return PickFacts(
            work=_work(tx, work.claimed_by(tx, session.device)),
            next_work=_work(tx, work.oldest_assigned(tx)),
            left_work=_work(tx, work.left_behind(tx, look.present)),
            vision=look.vision,
        )
    current = _work(tx, work.find(tx, session.fulfillment_order_id))
    return PickFacts(work=current, vision=look.vision, next_sscc=labels.peek_sscc(tx))


def _work(tx: Transaction, order: work.WorkOrder | None) -> Work | None:
    if order is None:
        return None
    job = labels.latest_for(tx, order.sscc) if order.sscc else None
    return Work(
        order.fulfillment_order_id,
        order.order_id,
        order.state,
        tuple(_line(tx, line) for line in order.lines),
        device=order.device,
        shelves=_shelves(tx, order),
        checks=tuple(
            Check(line.line, CheckOutcome(line.camera), tuple(json.loads(line.camera_reasons)))
            for line in order.lines
            if line.camera in {CheckOutcome.WAITING, CheckOutcome.FAIL, CheckOutcome.REVIEW}
        ),
        sscc=order.sscc,
        print_state=job.state if job else None,
        print_detail=job.detail if job else "",
    )


def _line(tx: Transaction, line: work.WorkLine) -> WorkLine:
    sku = catalogue.sku_by_id(tx, line.sku_id)
    name, gtins = (sku.name, sku.gtins) if sku else (line.sku_id, ())
    return WorkLine(line.line, line.sku_id, name, gtins, line.quantity, line.picked, line.short)


def _shelves(tx: Transaction, order: work.WorkOrder) -> tuple[Shelf, ...]:
    """Where to pick what is outstanding; lots that have expired are left out, and the first to go come first."""
    wanted = {line.sku_id for line in order.lines if line.picked + line.short < line.quantity}
    return tuple(shelf for sku_id in sorted(wanted) for shelf in shelves_of(tx, sku_id))


def shelves_of(tx: Transaction, sku_id: str) -> list[Shelf]:
    """Where a SKU may be picked; lots that have expired are left out."""
    today = day_of(tx.now_ms())
    shelves: list[Shelf] = []
    for lot, bin_id, walk_order, quantity, expiry in list(tx.execute(_SHELVES, (sku_id,))):
        if is_past(expiry, today) and not is_set_aside(tx, OverrideRule.EXPIRED, sku_id, lot):
            continue
        in_order = not (expiry and is_set_aside(tx, OverrideRule.FEFO, sku_id, lot))
        first_out = first_out_key(expiry)[0] if in_order else ""
        shelves.append(Shelf(sku_id, lot, bin_id, walk_order, quantity, first_out))
    return shelves


_SHELVES = """
SELECT b.lot, b.bin, coalesce(n.walk_order, 0), b.quantity, coalesce(l.expiry, '') FROM balance b
LEFT JOIN bin n ON n.bin_id = b.bin LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot
WHERE b.sku_id = ? AND b.disposition = 'sellable_accessible'
"""


def _claim(tx: Transaction, context: Context, effect: ask.Claim) -> None:
    work.claim(tx, context, effect.fulfillment_order_id, take_over=effect.take_over)


def _pick(tx: Transaction, context: Context, effect: ask.Pick) -> None:
    goods = owned(tx, effect.goods)
    entered = [effect.entered] if effect.entered else ()
    work.pick(tx, context, effect.fulfillment_order_id, effect.line, goods, effect.bin_id, entered=entered)


def _short_shelf(tx: Transaction, context: Context, effect: ask.ShortShelf) -> None:
    goods = owned(tx, effect.goods)
    reference = Reference(effect.fulfillment_order_id, reason="short")
    shelf = Account(goods.sku_id, effect.bin_id, Disposition.SELLABLE, goods.lot, goods.owner)
    gone = ledger.all_goods(tx, {shelf: goods.quantity})
    ledger.move(tx, context, "count_down", gone, source_bin=effect.bin_id, reference=reference)
    found = Discrepancy(
        effect.bin_id, goods.sku_id, goods.lot, -goods.quantity, "short", effect.fulfillment_order_id
    )
    ledger.open_discrepancy(tx, context, found)


def _short_line(tx: Transaction, _context: Context, effect: ask.ShortLine) -> None:
    work.set_short(tx, effect.fulfillment_order_id, effect.line, effect.quantity)


def _advance(tx: Transaction, context: Context, effect: ask.Advance) -> None:
    work.advance(tx, context, effect.fulfillment_order_id, effect.event)


def _inspect(tx: Transaction, _context: Context, effect: ask.Inspect) -> None:
    work.set_camera(tx, effect.fulfillment_order_id, effect.line, "waiting")


def _accept_check(tx: Transaction, context: Context, effect: ask.AcceptCheck) -> None:
    order = work.find(tx, effect.fulfillment_order_id)
    sku_id = next(line.sku_id for line in order.lines if line.line == effect.line)
    work.set_camera(tx, effect.fulfillment_order_id, effect.line, "accepted")
    decision = journal_pb2.NodeEvent().vision_decision
    decision.fulfillment_order_id, decision.sku_id, decision.outcome = (
        effect.fulfillment_order_id,
        sku_id,
        "accepted",
    )
    decision.reasons.add(code="person", text="a person has looked and accepts it against the camera's doubt")
    tx.append(context, vision_decision=decision)


DOES: Doers = {
    ask.Claim: _claim,
    ask.Pick: _pick,
    ask.ShortShelf: _short_shelf,
    ask.ShortLine: _short_line,
    ask.Advance: _advance,
    ask.Inspect: _inspect,
    ask.AcceptCheck: _accept_check,
}
