"""An order with every assignment of it, as far as one transaction has brought them; read and saved together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bodega.core.lifecycles import FulfillmentState, OrderState, ReservationState
from bodega.core.promise import Reservation
from bodega_controlplane.store import orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


@dataclass(slots=True)
class Line:
    """What was asked for, handed to carriers by all assignments together, and not found."""

    quantity: int
    shipped: int
    short: int


@dataclass(slots=True)
class Promise:
    """What a line was promised of one SKU at the node of its assignment."""

    sku_id: str
    reservation: Reservation


@dataclass(slots=True)
class Order:
    """`works`: every assignment, lowest token first; the last one is in force."""

    order_id: str
    state: OrderState
    lines: dict[int, Line]
    works: list[Work] = field(default_factory=list)
    changed: bool = False

    @property
    def was_moved(self) -> bool:
        """Whether more than one node may speak of it."""
        return len(self.works) > 1

    @property
    def is_shipped_in_full(self) -> bool:
        """Whether what has left covers every line."""
        return all(line.shipped >= line.quantity for line in self.lines.values())


@dataclass(slots=True)
class Work:
    """One assignment. `promises` by line: the order's own while it is in force, what it had when it was revoked.

    `instead`: SKU -> the line that it is sent for, as far as this batch has said so.
    """

    order: Order
    fulfillment_order_id: str
    node_id: str
    state: FulfillmentState
    fencing_token: int
    sscc: str
    revoked_event: str
    shipped_event: str
    promises: dict[int, Promise] = field(default_factory=dict)
    instead: dict[str, int] = field(default_factory=dict)
    changed: bool = False

    @property
    def is_in_force(self) -> bool:
        """Whether its token is the order's highest."""
        return self.order.works[-1] is self


def load(tx: Transaction, fulfillment_order_ids: Collection[str]) -> list[Order]:
    """The orders of these fulfillment orders; the caller holds the rows of the nodes that it speaks for.

    An order that was moved can be written by two nodes at once: its row is locked, and everything read after that.
    """
    works = orders.work_of_same_orders(tx, fulfillment_order_ids)
    if not works:
        return []
    moved = [order_id for order_id, assigned in works.items() if len(assigned) > 1]
    if moved:
        orders.lock(tx, moved)
        works = orders.work_of_same_orders(tx, fulfillment_order_ids)
    promised = orders.reservations_of(tx, works)
    revoked = orders.revoked_of(tx, [row.fulfillment_order_id for one in moved for row in works[one][:-1]])
    lines = orders.lines_of(tx, works)
    return [
        _order(row, lines[row.order_id], works[row.order_id], promised.get(row.order_id, ()), revoked)
        for row in orders.by_ids(tx, works)
    ]


def _order(
    row: Row,
    lines: Iterable[Row],
    works: Sequence[Row],
    promised: Iterable[Row],
    revoked: Mapping[str, Sequence[Row]],
) -> Order:
    order = Order(
        row.order_id,
        OrderState(row.state),
        {one.line: Line(one.quantity, one.shipped, one.short) for one in lines},
    )
    for one in works:
        work = Work(
            order,
            one.fulfillment_order_id,
            one.node_id,
            FulfillmentState(one.state),
            one.fencing_token,
            one.sscc,
            one.revoked_event,
            one.shipped_event,
        )
        order.works.append(work)
        work.promises = _promises(promised if one is works[-1] else revoked.get(one.fulfillment_order_id, ()))
    return order


def _promises(rows: Iterable[Row]) -> dict[int, Promise]:
    return {
        one.line: Promise(
            one.sku_id, Reservation(one.quantity, one.posted, one.voided, ReservationState(one.state))
        )
        for one in rows
    }


def save(tx: Transaction, now_ms: int, changed: Collection[Order]) -> None:
    """Write what has changed of these orders."""
    at = {"updated_at_ms": now_ms}
    of_orders = [order for order in changed if order.changed]
    works = [work for order in changed for work in order.works if work.changed]
    orders.save_orders(
        tx, [{"order_id": order.order_id, "state": order.state.value, **at} for order in of_orders]
    )
    orders.save_work(
        tx,
        [
            {
                "fulfillment_order_id": work.fulfillment_order_id,
                "state": work.state.value,
                "sscc": work.sscc,
                "shipped_event": work.shipped_event,
                **at,
            }
            for work in works
        ],
    )
    orders.save_lines(
        tx,
        [
            {"order_id": order.order_id, "line": number, "shipped": line.shipped, "short": line.short}
            for order in of_orders
            for number, line in order.lines.items()
        ],
    )
    orders.save_reservations(
        tx,
        [
            {"order_id": work.order.order_id, **row}
            for work in works
            if work.is_in_force
            for row in _kept(work)
        ],
    )
    orders.save_revoked(
        tx,
        [
            {"fulfillment_order_id": work.fulfillment_order_id, **row}
            for work in works
            if not work.is_in_force
            for row in _kept(work)
        ],
    )


def _kept(work: Work) -> list[dict[str, object]]:
    return [
        {
            "line": number,
            "posted": promise.reservation.posted,
            "voided": promise.reservation.voided,
            "state": promise.reservation.state.value,
        }
        for number, promise in work.promises.items()
    ]
