"""A part of an order is given to a node and taken from it: work, promise and news in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bodega.core.lifecycles import FULFILLMENT, ReservationState
from bodega.core.parts import PartState
from bodega.core.promise import Reservation
from bodega.core.routing.choice import Share
from bodega.core.routing.inputs import Line
from bodega.v1 import journal_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.fleet.outbox import Post
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering.aggregate import Order, Part, Work, WorkLine
from bodega_controlplane.app.views import Caller, OrderLineView
from bodega_controlplane.store import orders
from bodega_controlplane.store.transaction import Transaction


def lines_of(part: Part) -> tuple[Line, ...]:
    """What a part is asked for, as routing asks it."""
    lines = part.order.lines
    return tuple(Line(number, lines[number].sku_id, units) for number, units in part.quantities.items())


class Gift(NamedTuple):
    """A part of an order for a node; `row` is what the node is to know of the order."""

    caller: Caller
    part: Part
    share: Share
    row: Mapping[str, Any]


def give(tx: Transaction, caller: Caller, part: Part, share: Share) -> Work:
    """Promise the part's units at a node, and put the work into its stream under the next token.

    The caller holds the node's row, has looked that the units are there, and saves the order afterwards.
    """
    row = orders.for_the_node(tx, part.order.order_id)._asdict()
    return give_all(tx, [Gift(caller, part, share, row)])[0]


def give_all(tx: Transaction, gifts: Sequence[Gift]) -> list[Work]:
    """`give` for many."""
    works = [_next_work(one) for one in gifts]
    posts = [_post(one, work) for one, work in zip(gifts, works, strict=True)]
    for work, event in zip(works, outbox.post_all(tx, posts), strict=True):
        work.assigned_event = event
    for one, work in zip(gifts, works, strict=True):
        _insert(tx, one.caller, work)
    return works


def _next_work(gift: Gift) -> Work:
    part, order = gift.part, gift.part.order
    work = Work(
        part,
        new_id("F", gift.caller.now_ms),
        gift.share.node_id,
        FULFILLMENT.start,
        order.newest_token + 1,
        carrier_service=gift.share.service,
        lines={
            number: WorkLine(order.lines[number].sku_id, Reservation(units))
            for number, units in part.quantities.items()
        },
    )
    for before in part.works[-1:]:
        before.changed = True
    part.works.append(work)
    part.become(PartState.ASSIGNED)
    return work


def _post(gift: Gift, work: Work) -> Post:
    message = wire.work_message(
        work.fulfillment_order_id, work.fencing_token, gift.row, _told(work), gift.share.service
    )
    event = journal_pb2.HubEvent(fulfillment_order=message)
    return Post(
        gift.caller,
        work.node_id,
        [event],
        cmd_id=work.fulfillment_order_id,
        correlation_id=work.order.order_id,
    )


def _told(work: Work) -> Iterable[OrderLineView]:
    for number, line in sorted(work.lines.items()):
        substitutes = work.order.lines[number].substitutes
        yield OrderLineView(number, line.sku_id, line.reservation.quantity, substitutes=substitutes)


def _insert(tx: Transaction, caller: Caller, work: Work) -> None:
    row: dict[str, Any] = {
        "fulfillment_order_id": work.fulfillment_order_id,
        "order_id": work.order.order_id,
        "part": work.part.number,
        "node_id": work.node_id,
        "state": work.state.value,
        "fencing_token": work.fencing_token,
        "sscc": "",
        "updated_at_ms": caller.now_ms,
        "assigned_event": work.assigned_event,
        "carrier_service": work.carrier_service,
    }
    lines = [
        {
            "fulfillment_order_id": work.fulfillment_order_id,
            "line": number,
            "node_id": work.node_id,
            "sku_id": line.sku_id,
            "quantity": line.reservation.quantity,
            "state": ReservationState.PENDING.value,
        }
        for number, line in work.lines.items()
    ]
    orders.give(tx, row, lines)


def take_back(tx: Transaction, caller: Caller, work: Work, token: int, reason: str) -> None:
    """Tell a node that its work is not its any more; only `token` and above may ship it. Nothing if it has ended."""
    if work.has_ended:
        return
    event = journal_pb2.FulfillmentRevoked(
        fulfillment_order_id=work.fulfillment_order_id,
        order_id=work.order.order_id,
        fencing_token=token,
        reason=reason,
    )
    events = [journal_pb2.HubEvent(fulfillment_revoked=event)]
    cmd_id = f"revoke-{work.fulfillment_order_id}"
    work.revoked_event = outbox.post(
        tx, caller, work.node_id, events, cmd_id=cmd_id, correlation_id=work.order.order_id
    )
    work.changed = work.order.changed = True


def ask_to_stop(tx: Transaction, caller: Caller, order: Order) -> None:
    """A cancel for every assignment that somebody may still be working on."""
    for part in order.parts.values():
        work = part.newest
        if work is None or work.has_ended:
            continue
        request = journal_pb2.CancelRequested(
            fulfillment_order_id=work.fulfillment_order_id, order_id=order.order_id, asked_by=caller.actor
        )
        event = journal_pb2.HubEvent(cancel_requested=request)
        cmd_id = new_id("C", caller.now_ms)
        outbox.post(tx, caller, work.node_id, [event], cmd_id=cmd_id, correlation_id=order.order_id)
