"""What several flows do, and the effects that belong to none of them alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bodega.core.ledger import Goods, Reference, parcel_place, stage_of
from bodega.core.lifecycles import FulfillmentEvent
from bodega.limits import TEXT_CHARS_MAX
from bodega.v1 import floor_pb2, journal_pb2
from bodega_agent.rules.floor import effects as ask
from bodega_agent.store import catalogue, decisions, labels, ledger, parcels, work
from bodega_agent.store.transaction import Context, Transaction

Doers = Mapping[type[ask.Effect], Callable[[Transaction, Context, Any], None]]


def owned(tx: Transaction, goods: Goods) -> Goods:
    """The goods with the owner that the catalogue names."""
    sku = catalogue.sku_by_id(tx, goods.sku_id)
    return replace(goods, owner=sku.owner) if sku and sku.owner else goods


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
    parcels.void(tx, context, effect.sscc, "cancelled")


def _open_put_back(tx: Transaction, context: Context, effect: ask.OpenPutBack) -> None:
    task = journal_pb2.TaskOpened(
        task_id=f"put-back-{effect.fulfillment_order_id}",
        kind="put_back",
        bin_id=effect.place,
        fulfillment_order_id=effect.fulfillment_order_id,
    )
    tx.append(context, task_opened=task)


def _note_exception(tx: Transaction, context: Context, effect: ask.NoteException) -> None:
    noted = floor_pb2.ExceptionNoted(
        kind=effect.kind,
        reason=effect.reason[:TEXT_CHARS_MAX],
        reference=effect.reference,
        bin_id=effect.bin_id,
        sku_id=effect.sku_id,
        lot=effect.lot,
        quantity=effect.quantity,
    )
    tx.append(context, exception_noted=noted)


def _keep_decision(tx: Transaction, _context: Context, effect: ask.KeepDecision) -> None:
    decisions.keep(tx, effect.made)


DOES: Doers = {
    ask.KeepDecision: _keep_decision,
    ask.CancelWork: _cancel_work,
    ask.Unpack: _unpack,
    ask.OpenPutBack: _open_put_back,
    ask.NoteException: _note_exception,
}
