"""Orders: read, locked and cancelled; `placing` takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bodega.core.kits import of_kit
from bodega.core.lifecycles import OrderState
from bodega.core.parts import FINAL, NOBODYS, PartState
from bodega.errors import Refused
from bodega_controlplane.app import wire
from bodega_controlplane.app.ordering import aggregate, assigning, placing
from bodega_controlplane.app.ordering.aggregate import Order, Part
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import (
    Caller,
    OrderDraft,
    OrderLineView,
    OrderView,
    Page,
    PageRequest,
    PartView,
)
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Contended, Transaction


def place_order(tx: Transaction, caller: Caller, draft: OrderDraft, policy: Policy) -> OrderView:
    """Take an order: `placing.place`, which says what it raises. The view is what `get_order` would read back."""
    return view_of(caller, draft, placing.place(tx, caller, draft, policy))


def view_of(caller: Caller, draft: OrderDraft, placed: placing.Placed) -> OrderView:
    """An order that has just been placed."""
    asked = [
        OrderLineView(number, one.sku_id, one.quantity, substitutes=one.substitutes)
        for number, one in enumerate(draft.lines, start=1)
    ]
    inside = [
        OrderLineView(one.line, one.sku_id, one.quantity, kit_line=one.kit_line)
        for one in placed.lines
        if one.kit_line
    ]
    return _view(placed.order, draft, (*asked, *inside), caller.channel, caller.now_ms, caller.now_ms)


def get_order(tx: Transaction, order_id: str) -> OrderView:
    """Raises NotFound."""
    found = _views(tx, orders.by_ids(tx, [order_id]))
    if not found:
        raise aggregate.not_there(order_id)
    return found[0]


def list_orders(
    tx: Transaction,
    page: PageRequest,
    state: OrderState | None = None,
    about: orders.Narrowed = orders.EVERY_ORDER,
) -> Page[OrderView]:
    """Newest first, or as `about` says. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, int, str)
    after = (int(key[0]), str(key[1])) if key else None
    rows = orders.page(tx, after, state.value if state else None, limit + 1, about)
    more = len(rows) > limit
    views = _views(tx, rows[:limit])
    at_ms = 0 if not more else _listed_at_ms(views[-1], about)
    return Page(tuple(views), token_after(at_ms, views[-1].order_id) if more else "")


def _listed_at_ms(view: OrderView, about: orders.Narrowed) -> int:
    return view.placed_at_ms if about.updated_since_ms is None else view.updated_at_ms


def _views(tx: Transaction, rows: Sequence[Row]) -> list[OrderView]:
    lines = orders.lines_of(tx, [row.order_id for row in rows])
    return [
        _view(order, row, _lines(lines[row.order_id]), row.channel, row.placed_at_ms, row.updated_at_ms)
        for row, order in zip(rows, aggregate.of_rows(tx, rows), strict=True)
    ]


def _view(
    order: Order,
    wish: OrderDraft | Row,
    lines: tuple[OrderLineView, ...],
    channel: str,
    placed_at_ms: int,
    updated_at_ms: int,
) -> OrderView:
    """The order as it is; `wish`: what was asked for, fresh from the channel or as it was written down."""
    return OrderView(
        order_id=order.order_id,
        channel=channel,
        reference=wish.reference,
        state=order.state,
        node_id=order.node_id,
        lines=lines,
        parcels=tuple(work.sscc for work in order.works if work.sscc),
        placed_at_ms=placed_at_ms,
        updated_at_ms=updated_at_ms,
        service_class=wish.service_class,
        method=wish.method,
        ship_complete=wish.ship_complete,
        ship_by_ms=wish.ship_by_ms,
        parts=tuple(map(_part, order.parts.values())),
        backorder=wish.backorder,
        not_before_ms=wish.not_before_ms,
        parts_max=wish.parts_max,
    )


def _lines(rows: Sequence[Row]) -> tuple[OrderLineView, ...]:
    """The lines as they were asked for, then the components of kits; a kit is counted by its components."""
    views = [wire.order_line_view(row) for row in rows]
    kits: dict[int, list[tuple[int, int, int]]] = {}
    for one in views:
        if one.kit_line:
            kits.setdefault(one.kit_line, []).append((one.quantity, one.shipped, one.short))
    found = []
    for one in views:
        parts = kits.get(one.line)
        shipped, short = of_kit(one.quantity, parts) if parts else (one.shipped, one.short)
        found.append(replace(one, shipped=shipped, short=short))
    return tuple(found)


def _part(part: Part) -> PartView:
    newest = part.newest
    return PartView(
        part.number,
        part.state,
        newest.node_id if newest else "",
        newest.fulfillment_order_id if newest else "",
        tuple(
            OrderLineView(
                number, part.order.lines[number].sku_id, units, part.shipped(number), part.missing(number)
            )
            for number, units in sorted(part.quantities.items())
        ),
        tuple(work.sscc for work in part.works if work.sscc),
    )


def lock_order(tx: Transaction, order_id: str, *more_node_ids: str) -> Order:
    """The order as it is while nobody else can change it: its nodes (and more) are locked first, then itself.

    Raises NotFound.
    """
    before = _nodes_of(tx, order_id)
    tx.lock_nodes(before | set(more_node_ids))
    orders.lock(tx, [order_id])
    if _nodes_of(tx, order_id) != before:
        raise Contended(f"order {order_id} has just been moved")
    return aggregate.look_at(tx, order_id)


def _nodes_of(tx: Transaction, order_id: str) -> set[str]:
    return {work.node_id for work in orders.work_of(tx, [order_id]).get(order_id, ())}


def cancel_order(tx: Transaction, caller: Caller, order_id: str) -> OrderView:
    """Ask its nodes to stop; repeating it while the cancel is on its way changes nothing.

    What nobody has is cancelled at once. Raises NotFound, or Refused with code "order-final" for an order that is
    already final.
    """
    order = lock_order(tx, order_id)
    if order.state is OrderState.CANCEL_REQUESTED:
        return get_order(tx, order_id)
    refuse_if_final(order)
    assigning.ask_to_stop(tx, caller, order)
    for part in order.parts.values():
        if part.state in NOBODYS:
            part.become(PartState.CANCELLED)
    order.cancel_asked = True
    order.follow()
    aggregate.save(tx, caller.now_ms, [order])
    tx.audit(
        at_ms=caller.now_ms, actor=caller.actor, action=f"order.{order.state}", subject=order_id, detail={}
    )
    return get_order(tx, order_id)


def refuse_if_final(order: Order) -> None:
    """Raise Refused with code "order-final" where nothing can be changed any more."""
    if order.state in FINAL:
        raise Refused(
            f"order {order.order_id} is {order.state.value.replace('_', ' ')} already",
            code="order-final",
            hint="a shipped order comes back as a return",
        )
