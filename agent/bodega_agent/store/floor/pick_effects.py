"""What picking does to the store: each effect is one function."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.commands import Command
from bodega.core.ledger import Account, Discrepancy, Disposition, Reference
from bodega.core.lifecycles import FulfillmentEvent
from bodega.core.recipes import Places, book
from bodega.core.sku import Line
from bodega.v1 import floor_pb2, journal_pb2
from bodega_agent.rules.floor.pick import effects as ask
from bodega_agent.store import catalogue, count_tasks, counting, ledger, work
from bodega_agent.store.floor import pick_totes
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.transaction import Context, Transaction


def _claim(tx: Transaction, context: Context, effect: ask.Claim) -> None:
    order = effect.fulfillment_order_id
    work.claim(tx, context, order, take_over=effect.take_over, batch=effect.batch)


def _use_tote(tx: Transaction, _context: Context, effect: ask.UseTote) -> None:
    pick_totes.bind(tx, effect.fulfillment_order_id, effect.tote_id)


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


def _set_aside(tx: Transaction, context: Context, effect: ask.SetAside) -> None:
    goods = owned(tx, effect.goods)
    places = Places(effect.bin_id, effect.bin_id, Disposition.SELLABLE, effect.disposition)
    if not goods.serials:
        shelf = Account(goods.sku_id, effect.bin_id, Disposition.SELLABLE, goods.lot, goods.owner)
        known = ledger.serials_at(tx, shelf)
        goods = replace(goods, serials=known if len(known) == goods.quantity else ())
    held = ledger.held_for(tx, "change_disposition", [goods], places)
    reference = Reference(effect.fulfillment_order_id, reason=effect.disposition)
    booking = book("change_disposition", [goods], held, places, reference=reference)
    ledger.record_booking(tx, context, booking)


def _substitute_line(tx: Transaction, context: Context, effect: ask.SubstituteLine) -> None:
    order = effect.fulfillment_order_id
    work.substitute(tx, order, effect.line, effect.substitute_sku_id, effect.quantity)
    fact = floor_pb2.LineSubstituted(
        fulfillment_order_id=order,
        line=effect.line,
        sku_id=effect.sku_id,
        substitute_sku_id=effect.substitute_sku_id,
        quantity=effect.quantity,
    )
    tx.append(context, line_substituted=fact)


def _hand_back(tx: Transaction, context: Context, effect: ask.HandBack) -> None:
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.HAND_BACK)


def _zero_checked(tx: Transaction, context: Context, effect: ask.ZeroChecked) -> None:
    """A count of one SKU and lot in one bin, which the book had at nothing."""
    sku = catalogue.sku_by_id(tx, effect.sku_id)
    if effect.left and sku and sku.serial_tracked:
        # Which units they are, only a count of their codes can say.
        count_tasks.open_task(tx, context, effect.bin_id, effect.sku_id, effect.lot)
        return
    line = Line(effect.left, effect.sku_id, lot=effect.lot)
    told = Command("count", context.cmd_id, {}, (line,), bin_id=effect.bin_id, reason="zero_check")
    counting.count(tx, context, told)
    tx.append(
        context,
        count_advanced=floor_pb2.CountAdvanced(
            count_id=f"zero-{tx.get('node_id')}-{tx.head.seq + 1}",
            bin_id=effect.bin_id,
            cause="zero_check",
            state="posted",
            lines=[
                floor_pb2.CountAdvanced.Line(
                    sku_id=effect.sku_id, lot=effect.lot, counted=effect.left, book=0
                )
            ],
        ),
    )


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
    ask.UseTote: _use_tote,
    ask.Pick: _pick,
    ask.ShortShelf: _short_shelf,
    ask.ShortLine: _short_line,
    ask.SetAside: _set_aside,
    ask.SubstituteLine: _substitute_line,
    ask.HandBack: _hand_back,
    ask.ZeroChecked: _zero_checked,
    ask.Advance: _advance,
    ask.Inspect: _inspect,
    ask.AcceptCheck: _accept_check,
}
