"""What the floor rules ask for, done: each effect of `rules.effects` is one function here.

All effects of one scan, and the session that they lead to, share one transaction and one `cmd_id`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bodega.core.ledger import (
    DOCK,
    Account,
    Discrepancy,
    Disposition,
    Goods,
    LotSeen,
    Reference,
    parcel_place,
    stage_of,
)
from bodega.core.lifecycles import FulfillmentEvent
from bodega.v1 import journal_pb2
from bodega_agent.rules import effects as ask
from bodega_agent.store import catalogue, labels, ledger, work
from bodega_agent.store.transaction import Context, Transaction


def execute(tx: Transaction, context: Context, effect: ask.Effect) -> None:
    """Do one effect; raises a BodegaError if the store's state forbids it."""
    _HANDLERS[type(effect)](tx, context, effect)


def _owned(tx: Transaction, goods: Goods) -> Goods:
    sku = catalogue.sku_by_id(tx, goods.sku_id)
    return replace(goods, owner=sku.owner) if sku and sku.owner else goods


def _receive(tx: Transaction, context: Context, effect: ask.Receive) -> None:
    goods = _owned(tx, effect.goods)
    ledger.move(
        tx,
        context,
        "receive",
        [goods],
        target_bin=DOCK,
        entered=[effect.entered] if effect.entered else (),
        lots=[LotSeen(goods.sku_id, goods.lot, effect.expiry)] if effect.expiry else (),
    )


def _put_away(tx: Transaction, context: Context, effect: ask.PutAway) -> None:
    ledger.move(
        tx,
        context,
        "put_away",
        [_owned(tx, effect.goods)],
        source_bin=effect.source_place,
        target_bin=effect.bin_id,
    )


def _claim(tx: Transaction, context: Context, effect: ask.Claim) -> None:
    work.claim(tx, context, effect.fulfillment_order_id, take_over=effect.take_over)


def _pick(tx: Transaction, context: Context, effect: ask.Pick) -> None:
    goods = _owned(tx, effect.goods)
    entered = [effect.entered] if effect.entered else ()
    work.pick(tx, context, effect.fulfillment_order_id, effect.line, goods, effect.bin_id, entered=entered)


def _short_shelf(tx: Transaction, context: Context, effect: ask.ShortShelf) -> None:
    goods = _owned(tx, effect.goods)
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


def _pack(tx: Transaction, context: Context, effect: ask.Pack) -> None:
    labels.pack(tx, context, effect.fulfillment_order_id, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.PACK)


def _verify_label(tx: Transaction, context: Context, effect: ask.VerifyLabel) -> None:
    labels.scan_back(tx, context, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.VERIFY_LABEL)


def _reprint(tx: Transaction, context: Context, effect: ask.Reprint) -> None:
    labels.reprint(tx, context, effect.sscc, effect.reason)


def _hand_over(tx: Transaction, context: Context, effect: ask.HandOver) -> None:
    place = parcel_place(effect.sscc)
    reference = Reference(effect.fulfillment_order_id, effect.sscc)
    ledger.move(tx, context, "ship", work.staged_goods(tx, place), source_bin=place, reference=reference)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.HAND_OVER)


def _cancel_work(tx: Transaction, context: Context, effect: ask.CancelWork) -> None:
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.CANCEL)


def _unpack(tx: Transaction, context: Context, effect: ask.Unpack) -> None:
    place = parcel_place(effect.sscc)
    ledger.move(
        tx,
        context,
        "unpack",
        work.staged_goods(tx, place),
        source_bin=place,
        target_bin=stage_of(effect.fulfillment_order_id),
        reference=Reference(effect.fulfillment_order_id, effect.sscc, "cancelled"),
    )
    labels.void_queued(tx, context, effect.sscc)


def _open_put_back(tx: Transaction, context: Context, effect: ask.OpenPutBack) -> None:
    task = journal_pb2.TaskOpened(
        task_id=f"put-back-{effect.fulfillment_order_id}",
        kind="put_back",
        bin_id=effect.place,
        fulfillment_order_id=effect.fulfillment_order_id,
    )
    tx.append(context, task_opened=task)


_HANDLERS: dict[type, Callable[[Transaction, Context, Any], None]] = {
    ask.Receive: _receive,
    ask.PutAway: _put_away,
    ask.Claim: _claim,
    ask.Pick: _pick,
    ask.ShortShelf: _short_shelf,
    ask.ShortLine: _short_line,
    ask.Advance: _advance,
    ask.Inspect: _inspect,
    ask.AcceptCheck: _accept_check,
    ask.Pack: _pack,
    ask.VerifyLabel: _verify_label,
    ask.Reprint: _reprint,
    ask.HandOver: _hand_over,
    ask.CancelWork: _cancel_work,
    ask.Unpack: _unpack,
    ask.OpenPutBack: _open_put_back,
}
