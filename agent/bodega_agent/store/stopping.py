"""The hub stops work: a cancel, or a revocation because the order is another node's now.

Both go by `rules.floor.cancel`. Where a cancel met work under way, or came after the parcel had left, the row that
explains it is made here, from what the node knew; the hub makes the same one of a late cancel, so it is one row.
"""

from __future__ import annotations

from typing import NamedTuple

from bodega.codec import parse_node_event
from bodega.core.conflicts.cancel_races_ship import cancel_races_ship, cancel_won
from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent
from bodega.v1 import journal_pb2
from bodega_agent.rules.floor.cancel import GONE_STATES, cancel_effects
from bodega_agent.rules.floor.effects import ReportLateCancel
from bodega_agent.store import conflicts, work
from bodega_agent.store.floor import effects
from bodega_agent.store.transaction import Context, Transaction


class HubEvent(NamedTuple):
    """Where an event of the hub stands: the epoch of its stream, and the sequence in it."""

    epoch: int
    seq: int

    @property
    def name(self) -> str:
        """As conflicts name it."""
        return f"hub/{self.epoch}/{self.seq}"


def cancel(tx: Transaction, context: Context, at: HubEvent, message: journal_pb2.CancelRequested) -> None:
    """A cancel from the hub, by `rules.floor.cancel`. Raises NotFound for work that is not here."""
    order = work.find(tx, message.fulfillment_order_id)
    advanced_seq, _ = work.steps_of(tx, order.fulfillment_order_id)
    if _stop(tx, context, order):
        _report_late_cancel(tx, context, order, at)
    elif FULFILLMENT.allows(order.state, FulfillmentEvent.CANCEL) and _picked(order):
        conflicts.record(
            tx,
            context,
            cancel_won(
                node_id=tx.get("node_id"),
                order_id=order.order_id,
                cancel_event=at.name,
                # An order that was begun before this was kept has the cancelled step itself in its place.
                work_event=_own_event(tx, advanced_seq or work.steps_of(tx, order.fulfillment_order_id)[0]),
                state=order.state,
                picked=_picked(order),
                sscc=order.sscc,
            ),
        )


def revoke(tx: Transaction, context: Context, message: journal_pb2.FulfillmentRevoked) -> None:
    """The order is another node's: what is not begun leaves the queue, what is begun is put back.

    Nothing if this node has the order under a token that may still ship, or has shipped: that report says it all.
    """
    order = work.find_or_none(tx, message.fulfillment_order_id)
    if order is not None and order.fencing_token < message.fencing_token:
        _stop(tx, context, order)


def _stop(tx: Transaction, context: Context, order: work.WorkOrder) -> bool:
    """Do what `rules.floor.cancel` says; whether it says that the parcel has left."""
    asked = cancel_effects(order.fulfillment_order_id, order.state, picked=_picked(order), sscc=order.sscc)
    for effect in asked:
        if not isinstance(effect, ReportLateCancel):
            effects.execute(tx, context, effect)
    return order.state in GONE_STATES


def _picked(order: work.WorkOrder) -> int:
    return sum(line.picked for line in order.lines)


def _report_late_cancel(tx: Transaction, context: Context, order: work.WorkOrder, at: HubEvent) -> None:
    _, ship_seq = work.steps_of(tx, order.fulfillment_order_id)
    late = journal_pb2.CancelCameTooLate(
        fulfillment_order_id=order.fulfillment_order_id,
        order_id=order.order_id,
        cancel_seq=at.seq,
        ship_seq=ship_seq,
        down_epoch=at.epoch,
    )
    tx.append(context, cancel_came_too_late=late)
    shipped = tx.one("SELECT body FROM journal WHERE seq = ?", (ship_seq,))
    if shipped is None:
        return  # it is in an archive; the hub has it, and makes the row
    conflicts.record(
        tx,
        context,
        cancel_races_ship(
            node_id=tx.get("node_id"),
            order_id=order.order_id,
            cancel_event=at.name,
            ship_event=_own_event(tx, ship_seq),
            seen_seq_at_ship=parse_node_event(shipped[0]).seen_seq,
            cancel_seq=at.seq,
        ),
    )


def _own_event(tx: Transaction, seq: int) -> str:
    """An event of this file: it begins with the newest epoch, and holds no event of an earlier one."""
    return f"{tx.get('node_id')}/{tx.head.epoch}/{seq}"
