"""Picking: facts, which packing shares. What it does to the store is in `pick_effects`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bodega.core.expiry import day_of, first_out_key, is_past
from bodega.core.ledger import Account, Disposition
from bodega.core.promise import OverrideRule
from bodega.limits_floor import BATCH_ORDERS_MAX
from bodega_agent.rules.floor.alone import Alone
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.facts import (
    Check,
    PickFacts,
    Shelf,
    Substitute,
    Work,
    WorkLine,
    ZeroCheck,
)
from bodega_agent.rules.floor.scans import CheckOutcome, Kind, NamedScan, WorkCancelled, kind_of
from bodega_agent.rules.floor.session import PICK_STEPS, FloorStep
from bodega_agent.store import alone, catalogue, labels, ledger, work
from bodega_agent.store.floor import pick_totes
from bodega_agent.store.floor.look import Look
from bodega_agent.store.floor.pick_effects import DOES
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.settings import settings_of
from bodega_agent.store.standing import standing
from bodega_agent.store.transaction import Transaction

__all__ = ["DOES", "facts"]

# A walk of several orders goes on before a single one that is picked already.
_OF_SEVERAL = frozenset({Kind.BATCH, Kind.CART})


def facts(look: Look) -> PickFacts:
    """What the table in `rules.floor.pick.facts` says of the step."""
    step = look.session.step
    if step is FloorStep.IDLE:
        return _at_idle(look)
    if step is FloorStep.TAKE_OVER:
        left = work.left_behind(look.tx, look.present)
        return PickFacts(left_work=_work(look.tx, left), walk=_walk(look.tx, left), vision=look.vision)
    if step is FloorStep.CART_TOTE:
        return _building_a_cart(look)
    return _at_work(look)


def _at_idle(look: Look) -> PickFacts:
    tx, device = look.tx, look.session.device
    several = look.scan is not None and kind_of(look.scan) in _OF_SEVERAL
    own = work.picked_by(tx, device) if several else work.claimed_by(tx, device)
    return PickFacts(
        work=_work(tx, own),
        walk=_walk(tx, own),
        next_work=_work(tx, work.most_urgent(tx)),
        next_works=_works(tx, work.released(tx, BATCH_ORDERS_MAX)) if several else (),
        left_work=_work(tx, work.left_behind(tx, look.present)),
        vision=look.vision,
    )


def _building_a_cart(look: Look) -> PickFacts:
    tx, session = look.tx, look.session
    anchor = work.find_or_none(tx, session.fulfillment_order_id)
    return PickFacts(
        work=_work(tx, anchor),
        walk=_walk(tx, anchor, session.device),
        next_works=_works(tx, work.released(tx, 2)),
        cancelled=_cancelled(look),
        tote_order=_tote_order(look),
    )


def _at_work(look: Look) -> PickFacts:
    tx, session = look.tx, look.session
    current = work.find(tx, session.fulfillment_order_id)
    if session.step not in PICK_STEPS:
        return PickFacts(work=_work(tx, current), vision=look.vision, next_sscc=labels.peek_sscc(tx))
    return PickFacts(
        work=_work(tx, current),
        walk=_walk(tx, current, session.device),
        vision=look.vision,
        cancelled=_cancelled(look),
        tote_order=_tote_order(look),
        zero_check=ZeroCheck(settings_of(tx).get("pick.zero_check", ZeroCheck.PICK_FACES)),
        there=_there(look),
        alone=_alone(look, current),
    )


def _alone(look: Look, order: work.WorkOrder) -> Alone | None:
    """Read only where a shelf is said to give nothing: no other scan asks for it."""
    is_said = look.scan is not None and kind_of(look.scan) is Kind.SHORT
    if not is_said and look.session.step not in _ASKS_WHY:
        return None
    together = work.in_walk(look.tx, order.batch, look.session.device) if order.batch else [order]
    wanted = {line.sku_id for one in (order, *together) for line in one.lines}
    return alone.within_site(look.tx, order.fulfillment_order_id, sorted(wanted))


_ASKS_WHY = frozenset({FloorStep.PICK_SHORT, FloorStep.PICK_DAMAGED})


def _walk(tx: Transaction, order: work.WorkOrder | None, device: str = "") -> tuple[Work, ...]:
    """What is still picked in the walk of this order, by `device` or else by whoever has the order."""
    if order is None or not order.batch:
        return ()
    return _works(tx, work.in_walk(tx, order.batch, device or order.device))


def _cancelled(look: Look) -> Work | None:
    if not isinstance(look.scan, WorkCancelled):
        return None
    return _work(look.tx, work.find_or_none(look.tx, look.scan.fulfillment_order_id))


def _tote_order(look: Look) -> str:
    scan = look.scan
    is_tote = isinstance(scan, NamedScan) and scan.kind is Kind.TOTE
    return pick_totes.order_in(look.tx, scan.name) if isinstance(scan, NamedScan) and is_tote else ""


def _there(look: Look) -> int:
    asked = doing_of(look.session.doing).may_be_empty
    if asked is None:
        return 0
    sku = catalogue.sku_by_id(look.tx, asked.sku_id)
    owner = sku.owner if sku else ""
    return ledger.balance_of(
        look.tx, Account(asked.sku_id, asked.bin_id, Disposition.SELLABLE, asked.lot, owner)
    )


def _works(tx: Transaction, orders: Iterable[work.WorkOrder]) -> tuple[Work, ...]:
    return tuple(known for order in orders if (known := _work(tx, order)) is not None)


def _work(tx: Transaction, order: work.WorkOrder | None) -> Work | None:
    if order is None:
        return None
    job = labels.latest_for(tx, order.sscc) if order.sscc else None
    lines = tuple(_line(tx, line) for line in order.lines)
    return Work(
        order.fulfillment_order_id,
        order.order_id,
        order.state,
        lines,
        device=order.device,
        shelves=_shelves(tx, lines),
        checks=tuple(
            Check(line.line, CheckOutcome(line.camera), tuple(json.loads(line.camera_reasons)))
            for line in order.lines
            if line.camera in {CheckOutcome.WAITING, CheckOutcome.FAIL, CheckOutcome.REVIEW}
        ),
        sscc=order.sscc,
        print_state=job.state if job else None,
        print_detail=job.detail if job else "",
        method=order.method,
        ship_complete=order.ship_complete,
        batch=order.batch,
        totes=pick_totes.totes_of(tx, order.fulfillment_order_id),
    )


def _line(tx: Transaction, line: work.WorkLine) -> WorkLine:
    sku = catalogue.sku_by_id(tx, line.sku_id)
    name, gtins = (sku.name, sku.gtins) if sku else (line.sku_id, ())
    is_open = line.picked + line.short < line.quantity
    return WorkLine(
        line.line,
        line.sku_id,
        name,
        gtins,
        line.quantity,
        line.picked,
        line.short,
        substitutes=tuple(_substitute(tx, sku_id) for sku_id in line.substitutes) if is_open else (),
        substitute_of=line.substitute_of,
        serial_tracked=bool(sku and sku.serial_tracked),
    )


def _substitute(tx: Transaction, sku_id: str) -> Substitute:
    """What may be sent instead, and how much of it nobody was promised."""
    sku = catalogue.sku_by_id(tx, sku_id)
    name, gtins = (sku.name, sku.gtins) if sku else (sku_id, ())
    has = standing(tx, sku_id, day_of(tx.now_ms()))
    spare = has.sellable - has.hub_reserved - has.local_reserved - has.held_back
    return Substitute(sku_id, name, gtins, max(0, spare))


def _shelves(tx: Transaction, lines: tuple[WorkLine, ...]) -> tuple[Shelf, ...]:
    """Where to pick what is outstanding or may stand in for it."""
    wanted = {line.sku_id for line in lines if line.outstanding}
    wanted |= {instead.sku_id for line in lines for instead in line.substitutes}
    return tuple(shelf for sku_id in sorted(wanted) for shelf in shelves_of(tx, sku_id))


def shelves_of(tx: Transaction, sku_id: str) -> list[Shelf]:
    """Where a SKU may be picked; lots that have expired are left out, and the first to go come first."""
    today = day_of(tx.now_ms())
    shelves: list[Shelf] = []
    for lot, bin_id, walk_order, quantity, expiry, *bin_is in list(tx.execute(_SHELVES, (sku_id,))):
        if is_past(expiry, today) and not is_set_aside(tx, OverrideRule.EXPIRED, sku_id, lot):
            continue
        in_order = not (expiry and is_set_aside(tx, OverrideRule.FEFO, sku_id, lot))
        first_out = first_out_key(expiry)[0] if in_order else ""
        shelves.append(Shelf(sku_id, lot, bin_id, walk_order, quantity, first_out, *bin_is))
    return shelves


_SHELVES = """
SELECT b.lot, b.bin, coalesce(n.walk_order, 0), b.quantity, coalesce(l.expiry, ''), coalesce(n.kind, ''),
  coalesce(n.temperature_class, '')
FROM balance b
LEFT JOIN bin n ON n.bin_id = b.bin LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot
WHERE b.sku_id = ? AND b.disposition = 'sellable_accessible'
"""
