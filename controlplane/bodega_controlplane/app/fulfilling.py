"""The hub's copy of fulfillment orders, stepped by what their node reports, with the same table as there.

Goods that leave a shelf for an order turn its promise into fact (post); an end gives the rest back (void).
A report that does not fit the table is kept in the journal and changes nothing here: never backwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bodega.codec import fulfillment_state_from_wire
from bodega.core.lifecycles import (
    FULFILLMENT,
    ORDER,
    FulfillmentState,
    OrderEvent,
    OrderState,
    ReservationState,
)
from bodega.core.promise import Reservation
from bodega.host.log import get_logger
from bodega.v1 import journal_pb2, orders_pb2
from bodega_controlplane.store import orders
from bodega_controlplane.store.journal import NOT_KNOWN
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(slots=True)
class _Line:
    quantity: int
    shipped: int
    short: int


@dataclass(slots=True)
class _Promise:
    sku_id: str
    reservation: Reservation


@dataclass(slots=True)
class _Work:
    """One fulfillment order with its order, as far as this batch has brought them."""

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    fencing_token: int
    sscc: str
    order_state: OrderState
    lines: dict[int, _Line]
    promises: dict[int, _Promise]
    changed: bool = False


class OpenWork:
    """The fulfillment orders that a batch of one node's events speaks of."""

    def __init__(self, tx: Transaction, node_id: str, now_ms: int) -> None:
        self._tx = tx
        self._node_id = node_id
        self._now_ms = now_ms
        self._works: dict[str, _Work] = {}

    def load(self, named: Collection[str]) -> None:
        """Read what is named and is this node's; the caller holds the node's row."""
        if not named:
            return
        rows = [row for row in orders.work_by_ids(self._tx, named) if row.node_id == self._node_id]
        ids = {row.order_id for row in rows}
        states = {row.order_id: OrderState(row.state) for row in orders.by_ids(self._tx, ids)}
        lines, promises = orders.lines_of(self._tx, ids), orders.reservations_of(self._tx, ids)
        for row in rows:
            work = _work(row, states[row.order_id], lines[row.order_id], promises[row.order_id])
            self._works[work.fulfillment_order_id] = work

    def order_of(self, fulfillment_order_id: str) -> str:
        """The order that it serves; empty if it is not known."""
        work = self._works.get(fulfillment_order_id)
        return work.order_id if work else ""

    def picked(self, fulfillment_order_id: str, sku_id: str, quantity: int) -> None:
        """Units left the shelf for this work: its promises of the SKU are posted, line by line."""
        work = self._works.get(fulfillment_order_id)
        if work is None:
            return
        for promise in work.promises.values():
            taken = min(quantity, promise.reservation.pending)
            if promise.sku_id == sku_id and taken > 0:
                promise.reservation = promise.reservation.post(taken)
                quantity -= taken
                work.changed = True

    def advanced(self, report: journal_pb2.FulfillmentAdvanced, seq: int) -> str:
        """Step the work to the state reported; the reason when that is not possible, or empty."""
        work = self._works.get(report.fulfillment_order_id)
        state = fulfillment_state_from_wire(report.state)
        if work is None:
            return f"{self._node_id} has no fulfillment order '{report.fulfillment_order_id}'"
        if state is None:
            return f"fulfillment state {report.state} {NOT_KNOWN}"
        if report.fencing_token != work.fencing_token:
            return f"it worked on assignment {report.fencing_token}; {work.fencing_token} is in force"
        if state is not work.state and not _leads(work.state, state):
            log.warning(
                "event_out_of_order", node_id=self._node_id, seq=seq, state=work.state, reported=state
            )
            return f"'{work.state}' does not lead to '{state}'"
        self._step(work, state, report, seq)
        return ""

    def _step(
        self,
        work: _Work,
        state: FulfillmentState,
        report: journal_pb2.FulfillmentAdvanced,
        seq: int,
    ) -> None:
        work.changed = True
        work.sscc = report.sscc or work.sscc
        _take_lines(work, report.lines, shipped=state is FulfillmentState.SHIPPED)
        if state is work.state:
            return
        work.state = state
        self._step_order(work, state, seq)
        if state in FULFILLMENT.terminal:
            for promise in work.promises.values():
                promise.reservation = promise.reservation.void()
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self._node_id}",
            action=f"fulfillment.{state}",
            subject=work.order_id,
            detail={
                "fulfillment_order_id": work.fulfillment_order_id,
                "order_state": work.order_state,
                "seq": seq,
            },
        )

    def _step_order(self, work: _Work, state: FulfillmentState, seq: int) -> None:
        event = _order_event(work, state)
        if event is None:
            return
        if ORDER.allows(work.order_state, event):
            work.order_state = ORDER.step(work.order_state, event)
        else:
            log.warning(
                "order_out_of_order",
                order_id=work.order_id,
                state=work.order_state,
                event_name=event,
                seq=seq,
            )

    def write(self) -> None:
        """Save what has changed."""
        works = [work for work in self._works.values() if work.changed]
        at = {"updated_at_ms": self._now_ms}
        orders.save_orders(
            self._tx, [{"order_id": work.order_id, "state": work.order_state.value, **at} for work in works]
        )
        orders.save_work(
            self._tx,
            [
                {
                    "fulfillment_order_id": work.fulfillment_order_id,
                    "state": work.state.value,
                    "sscc": work.sscc,
                    **at,
                }
                for work in works
            ],
        )
        orders.save_lines(
            self._tx,
            [
                {"order_id": work.order_id, "line": number, "shipped": line.shipped, "short": line.short}
                for work in works
                for number, line in work.lines.items()
            ],
        )
        orders.save_reservations(
            self._tx,
            [
                {
                    "order_id": work.order_id,
                    "line": number,
                    "posted": promise.reservation.posted,
                    "voided": promise.reservation.voided,
                    "state": promise.reservation.state.value,
                }
                for work in works
                for number, promise in work.promises.items()
            ],
        )


def _work(row: Row, order_state: OrderState, lines: Iterable[Row], promises: Iterable[Row]) -> _Work:
    return _Work(
        fulfillment_order_id=row.fulfillment_order_id,
        order_id=row.order_id,
        state=FulfillmentState(row.state),
        fencing_token=row.fencing_token,
        sscc=row.sscc,
        order_state=order_state,
        lines={one.line: _Line(one.quantity, one.shipped, one.short) for one in lines},
        promises={
            one.line: _Promise(
                one.sku_id,
                Reservation(one.quantity, one.posted, one.voided, ReservationState(one.state)),
            )
            for one in promises
        },
    )


def _leads(state: FulfillmentState, following: FulfillmentState) -> bool:
    return any(before is state and after is following for (before, _), after in FULFILLMENT.steps.items())


def _take_lines(work: _Work, reported: Iterable[orders_pb2.OrderLine], *, shipped: bool) -> None:
    for report in reported:
        line = work.lines.get(report.line)
        if line is not None:
            line.short = report.short
            line.shipped = report.shipped if shipped else line.shipped


def _order_event(work: _Work, state: FulfillmentState) -> OrderEvent | None:
    match state:
        case FulfillmentState.PICKING:
            return OrderEvent.WORK_STARTED
        case FulfillmentState.SHIPPED:
            missing = any(line.short or line.shipped < line.quantity for line in work.lines.values())
            return OrderEvent.NODE_SHIPPED_SHORT if missing else OrderEvent.NODE_SHIPPED
        case FulfillmentState.SHORT:
            return OrderEvent.NODE_FOUND_NOTHING
        case FulfillmentState.CANCELLED:
            return OrderEvent.NODE_CANCELLED
        case _:
            return None
