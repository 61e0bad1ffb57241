"""Orders: placed (promised, routed and handed to a node in one transaction), read, cancelled."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bodega.core.lifecycles import ORDER, FulfillmentState, OrderEvent, OrderState, ReservationState
from bodega.core.routing.choice import Choice
from bodega.core.routing.inputs import Line
from bodega.errors import NotFound, Refused
from bodega.v1 import journal_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering import decisions
from bodega_controlplane.app.ordering.choosing import Question, choose, hold_promise, insufficient
from bodega_controlplane.app.ordering.order_checks import check_draft
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import (
    Caller,
    OrderDraft,
    OrderLineView,
    OrderView,
    Page,
    PageRequest,
)
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Contended, Transaction


def place_order(tx: Transaction, caller: Caller, draft: OrderDraft, policy: Policy) -> OrderView:
    """Promise the stock, choose the node, and put the work into its stream.

    Raises InvalidInput with every fault (unknown SKU, quantity, recipient ...), Refused with code
    "insufficient-stock" and one fault per SKU and node when no node can serve it; then nothing is written.
    """
    check_draft(tx, draft)
    question = Question(
        tuple(Line(number, one.sku_id, one.quantity) for number, one in enumerate(draft.lines, start=1)),
        draft.recipient,
        caller.channel,
        draft.method,
        draft.service_class,
        draft.ship_complete,
        draft.ship_by_ms,
        only=draft.pickup.node_id if draft.pickup else "",
    )
    choice = choose(tx, caller, question, policy)
    if not choice.shares:
        raise insufficient(choice, "order less, or wait until stock has been received; nothing was reserved")
    hold_promise(tx, question.lines, choice, policy)
    return _write(tx, caller, draft, choice, choice.shares[0].node_id)


def _write(tx: Transaction, caller: Caller, draft: OrderDraft, choice: Choice, node_id: str) -> OrderView:
    order_id, work_id = new_id("O", caller.now_ms), new_id("F", caller.now_ms)
    lines = tuple(
        OrderLineView(number, line.sku_id, line.quantity, substitutes=line.substitutes)
        for number, line in enumerate(draft.lines, start=1)
    )
    order = {
        "order_id": order_id,
        "channel": caller.channel,
        "reference": draft.reference,
        "state": ORDER.start.value,
        "node_id": node_id,
        "placed_at_ms": caller.now_ms,
        "updated_at_ms": caller.now_ms,
        "recipient": wire.recipient_json(draft.recipient),
        "service_class": draft.service_class,
        "method": draft.method,
        "ship_complete": draft.ship_complete,
        "ship_by_ms": draft.ship_by_ms,
        "pickup": wire.pickup_json(draft.pickup),
    }
    shared = [
        {"order_id": order_id, "line": one.line, "sku_id": one.sku_id, "quantity": one.quantity}
        for one in lines
    ]
    reservations = [{**row, "node_id": node_id, "state": ReservationState.PENDING.value} for row in shared]
    fencing_token = 1
    message = wire.work_message(work_id, fencing_token, order, lines)
    event = journal_pb2.HubEvent(fulfillment_order=message)
    seq = outbox.post(tx, caller, node_id, [event], cmd_id=order_id, correlation_id=order_id)
    work = {
        "fulfillment_order_id": work_id,
        "order_id": order_id,
        "node_id": node_id,
        "state": FulfillmentState.ASSIGNED.value,
        "fencing_token": fencing_token,
        "sscc": "",
        "updated_at_ms": caller.now_ms,
        "assigned_event": outbox.name_of(tx, node_id, seq),
    }
    decision = {
        "order_id": order_id,
        "node_id": node_id,
        "rule": choice.rule,
        "candidates": decisions.candidates_json(choice),
        "decided_at_ms": caller.now_ms,
    }
    kept = [
        {**row, "substitutes": json.dumps(one.substitutes)} for row, one in zip(shared, lines, strict=True)
    ]
    orders.insert(tx, order, kept, reservations, work, decision)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="order.placed",
        subject=order_id,
        detail={"channel": caller.channel, "node_id": node_id, "rule": choice.rule, "lines": len(lines)},
    )
    return get_order(tx, order_id)


def get_order(tx: Transaction, order_id: str) -> OrderView:
    """Raises NotFound."""
    found = _views(tx, orders.by_ids(tx, [order_id]))
    if not found:
        raise NotFound(f"there is no order '{order_id[:80]}'", hint="list the orders: bodegactl orders ls")
    return found[0]


def list_orders(
    tx: Transaction,
    page: PageRequest,
    state: OrderState | None = None,
    about: orders.Narrowed = orders.EVERY_ORDER,
) -> Page[OrderView]:
    """Newest first. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, int, str)
    after = (int(key[0]), str(key[1])) if key else None
    rows = orders.page(tx, after, state.value if state else None, limit + 1, about)
    more = len(rows) > limit
    views = _views(tx, rows[:limit])
    token = token_after(views[-1].placed_at_ms, views[-1].order_id) if more else ""
    return Page(tuple(views), token)


def _views(tx: Transaction, rows: Sequence[Row]) -> list[OrderView]:
    ids = [row.order_id for row in rows]
    lines, work = orders.lines_of(tx, ids), orders.work_of(tx, ids)
    return [
        OrderView(
            order_id=row.order_id,
            channel=row.channel,
            reference=row.reference,
            state=OrderState(row.state),
            node_id=row.node_id,
            lines=tuple(map(wire.order_line_view, lines[row.order_id])),
            parcels=tuple(one.sscc for one in work.get(row.order_id, ()) if one.sscc),
            placed_at_ms=row.placed_at_ms,
            updated_at_ms=row.updated_at_ms,
            service_class=row.service_class,
            method=row.method,
            ship_complete=row.ship_complete,
            ship_by_ms=row.ship_by_ms,
        )
        for row in rows
    ]


def lock_order(tx: Transaction, order_id: str, *more_node_ids: str) -> OrderView:
    """The order as it is while nobody else can change it: its nodes (and more) are locked first, then itself.

    Raises NotFound.
    """
    get_order(tx, order_id)
    before = {work.node_id for work in orders.work_of(tx, [order_id])[order_id]}
    tx.lock_nodes(before | set(more_node_ids))
    orders.lock(tx, [order_id])
    if {work.node_id for work in orders.work_of(tx, [order_id])[order_id]} != before:
        raise Contended(f"order {order_id} has just been moved")
    return get_order(tx, order_id)


def cancel_order(tx: Transaction, caller: Caller, order_id: str) -> OrderView:
    """Ask the node to stop; repeating it while the cancel is on its way changes nothing.

    An order that its node has given back is cancelled at once.
    Raises NotFound, or Refused with code "order-final" for an order that is already final.
    """
    order = lock_order(tx, order_id)
    if order.state is OrderState.CANCEL_REQUESTED:
        return order
    if not ORDER.allows(order.state, OrderEvent.CANCEL):
        raise Refused(
            f"order {order_id} is {order.state.value.replace('_', ' ')} already",
            code="order-final",
            hint="a shipped order comes back as a return",
        )
    after = ORDER.step(order.state, OrderEvent.CANCEL)
    orders.save_orders(tx, [{"order_id": order_id, "state": after.value, "updated_at_ms": caller.now_ms}])
    cmd_id = new_id("C", caller.now_ms)
    # Work that its node has given back is nobody's: there is nobody to ask.
    works = orders.work_of(tx, [order_id])[order_id][-1:] if after is OrderState.CANCEL_REQUESTED else []
    for work in works:
        request = journal_pb2.CancelRequested(
            fulfillment_order_id=work.fulfillment_order_id, order_id=order_id, asked_by=caller.actor
        )
        event = journal_pb2.HubEvent(cancel_requested=request)
        outbox.post(tx, caller, work.node_id, [event], cmd_id=cmd_id, correlation_id=order_id)
    tx.audit(at_ms=caller.now_ms, actor=caller.actor, action=f"order.{after}", subject=order_id, detail={})
    return get_order(tx, order_id)
