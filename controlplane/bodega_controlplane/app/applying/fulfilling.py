"""The hub's copy of fulfillment orders, stepped by what their node reports, with the same table as there.

Goods that leave a shelf for an order turn its promise into fact (post); an end gives the rest back (void).
A report that does not fit the table is kept in the journal and changes nothing here: never backwards.
What a part and an order are, follows from all of their assignments (`core.parts`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from bodega.codec import fulfillment_state_from_wire
from bodega.core.conflicts.row import Conflict
from bodega.core.conflicts.two_nodes_claim import Shipment, duplicate_shipment, stale_shipment
from bodega.core.floor_words import CARRIED
from bodega.core.lifecycles import FULFILLMENT, FulfillmentState
from bodega.core.parts import PartState
from bodega.host.log import get_logger
from bodega.limits import ASSIGNMENTS_PER_ORDER_MAX
from bodega.v1 import journal_pb2, orders_pb2
from bodega_controlplane.app.ordering import aggregate
from bodega_controlplane.app.ordering.aggregate import LEFT, Order, Part, Work
from bodega_controlplane.store import floor, orders
from bodega_controlplane.store.journal import NOT_KNOWN
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


class Said(NamedTuple):
    """What a node says of a line that was asked for, in base units."""

    line: int
    shipped: int
    short: int


class OpenWork:
    """The fulfillment orders that a batch of one node's events speaks of."""

    def __init__(self, tx: Transaction, node_id: str, now_ms: int) -> None:
        self._tx = tx
        self._node_id = node_id
        self._now_ms = now_ms
        self._orders: list[Order] = []
        self._works: dict[str, Work] = {}
        self._to_stop: dict[str, str] = {}
        self._found: list[Conflict] = []

    def load(self, named: Collection[str]) -> None:
        """Read what is named and is this node's; the caller holds the node's row."""
        if not named:
            return
        self._orders = aggregate.load_of_works(self._tx, named)
        self._works = {
            work.fulfillment_order_id: work
            for order in self._orders
            for work in order.works
            if work.node_id == self._node_id
        }

    def order_of(self, fulfillment_order_id: str) -> str:
        """The order that it serves; empty if it is not known."""
        work = self._works.get(fulfillment_order_id)
        return work.order.order_id if work else ""

    def picked(self, fulfillment_order_id: str, sku_id: str, quantity: int) -> int:
        """Units left the shelf for this work: its promises of the SKU are posted, line by line.

        Returns the units that no promise covered.
        """
        work = self._works.get(fulfillment_order_id)
        for line in work.lines.values() if work else ():
            taken = min(quantity, line.reservation.pending)
            if line.sku_id == sku_id and taken > 0:
                line.reservation = line.reservation.post(taken)
                quantity -= taken
                _touch(work)
        return quantity

    def lost(self, order_id: str, sku_id: str, quantity: int) -> None:
        """Units that this node had promised the order are not there: that much of its promise ends."""
        works = [
            work for work in self._works.values() if work.order.order_id == order_id and work.is_in_force
        ]
        for work in works:
            for line in work.lines.values():
                gone = min(quantity, line.reservation.pending)
                if line.sku_id == sku_id and gone > 0:
                    line.reservation = line.reservation.lose(gone)
                    quantity -= gone
                    _touch(work)

    def substituted(self, fulfillment_order_id: str, number: int, sku_id: str, units: int) -> None:
        """So many units of a line are served by other SKUs by now, `sku_id` the newest: so much of its promise ends."""
        work = self._works.get(fulfillment_order_id)
        if work is None:
            return
        work.instead[sku_id] = number
        line = work.lines.get(number)
        if line is None:
            return
        gone = min(units - line.reservation.voided, line.reservation.pending)
        if gone > 0:
            line.reservation = line.reservation.lose(gone)
            _touch(work)

    def advanced(self, event: journal_pb2.NodeEvent, name: str) -> str:
        """Step the work to the state reported; the reason when that is not possible, or empty.

        `name` is the event as conflicts name it: "<node>/<epoch>/<seq>".
        """
        report = event.fulfillment_advanced
        work = self._works.get(report.fulfillment_order_id)
        state = fulfillment_state_from_wire(report.state)
        if work is None:
            return f"{self._node_id} has no fulfillment order '{report.fulfillment_order_id}'"
        if state is None:
            return f"fulfillment state {report.state} {NOT_KNOWN}"
        if report.fencing_token != work.fencing_token:
            return f"it worked on assignment {report.fencing_token}; {work.fencing_token} was given out"
        if state is not work.state and not _leads(work.state, state):
            log.warning("event_out_of_order", event_id=name, state=work.state, reported=state)
            return f"'{work.state}' does not lead to '{state}'"
        self._step(work, state, event, name)
        return ""

    def found(self) -> list[Conflict]:
        """Conflicts that have come up since this was asked last."""
        found, self._found = self._found, []
        return found

    def _step(self, work: Work, state: FulfillmentState, event: journal_pb2.NodeEvent, name: str) -> None:
        _touch(work)
        report, order = event.fulfillment_advanced, work.order
        # A box that is opened again has no parcel number until it is closed.
        work.sscc = report.sscc or ("" if state is FulfillmentState.PICKED else work.sscc)
        for said in self._as_asked(work, report.lines):
            work.lines[said.line].short = said.short
            if state in LEFT:
                work.lines[said.line].shipped = said.shipped
        if state is work.state:
            order.follow()
            return
        work.state = state
        if state in LEFT:
            work.shipped_event = name
            self._look_at_others(work, event.seen_seq)
        if state in FULFILLMENT.terminal:
            for line in work.lines.values():
                line.reservation = line.reservation.void()
        order.follow()
        _split_what_is_left(work.part)
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self._node_id}",
            action=f"fulfillment.{state}",
            subject=order.order_id,
            detail={
                "fulfillment_order_id": work.fulfillment_order_id,
                "order_state": order.state,
                "seq": int(name.rpartition("/")[2]),
            },
        )

    def _as_asked(self, work: Work, lines: Iterable[orders_pb2.OrderLine]) -> list[Said]:
        """What a node says, by the lines that the customer asked for: a line of its own serves the one that lacks."""
        said = {one.line: Said(one.line, one.shipped, one.short) for one in lines if one.line in work.lines}
        for one in lines:
            if one.line in work.lines:
                continue
            instead = floor.substitutes_of(self._tx, work.fulfillment_order_id) | work.instead
            asked = said.get(instead.get(one.sku_id, 0))
            if asked is not None:
                short = max(0, asked.short - (one.quantity - one.short))
                said[asked.line] = Said(asked.line, asked.shipped + one.shipped, short)
        return list(said.values())

    def _look_at_others(self, work: Work, seen_seq: int) -> None:
        """A parcel has left: who else works on the same part, or has shipped it too?"""
        order = work.order
        if not work.is_in_force:
            self._found.append(
                stale_shipment(
                    order.order_id,
                    _shipment(work),
                    revoked_event=work.revoked_event,
                    seen_seq_at_ship=seen_seq,
                )
            )
        for other in work.part.works:
            if other is work:
                continue
            if other.shipped_event:
                self._found.append(duplicate_shipment(order.order_id, _shipment(work), _shipment(other)))
            elif not other.has_ended and other.is_in_force:
                self._to_stop[other.fulfillment_order_id] = f"{work.node_id} has shipped the order"

    def write(self) -> None:
        """Save what has changed; it may be called again."""
        aggregate.save(self._tx, self._now_ms, self._orders)
        rows = [{"fulfillment_order_id": name, "reason": why} for name, why in self._to_stop.items()]
        orders.stop_work(self._tx, rows)


def _touch(work: Work | None) -> None:
    if work is not None:
        work.changed = work.order.changed = True


def _shipment(work: Work) -> Shipment:
    return Shipment(
        work.fulfillment_order_id, work.node_id, work.fencing_token, work.sscc, work.shipped_event
    )


def _leads(state: FulfillmentState, following: FulfillmentState) -> bool:
    return any(before is state and after is following for (before, _), after in FULFILLMENT.steps.items())


def _split_what_is_left(part: Part) -> None:
    """A parcel that left with less than was asked for: the rest is a part of its own, for another node to send.

    Only when nobody can send more of this one, and nobody wants it stopped.
    """
    order = part.order
    may_go_on = part.state is PartState.SHIPPED and order.method in CARRIED and not order.cancel_asked
    if not (may_go_on and part.is_settled) or sum(1 for _ in order.works) >= ASSIGNMENTS_PER_ORDER_MAX:
        return
    left = {line: part.missing(line) for line in part.quantities if part.missing(line)}
    if left:
        part.ask_for({line: units - left.get(line, 0) for line, units in part.quantities.items()})
        order.add_part(PartState.HANDED_BACK, left)
        order.follow()
