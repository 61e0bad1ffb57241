"""An order with its parts and every assignment of them, as far as one transaction has brought them.

It is read and saved as a whole. Whoever changes an assignment or a part asks `Order.follow` what the order is now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bodega.core.lifecycles import FULFILLMENT, FulfillmentState, OrderState, ReservationState
from bodega.core.parts import ENDED, PartState, order_of, part_of
from bodega.core.promise import Reservation
from bodega.errors import NotFound
from bodega_controlplane.store import orders
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

LEFT = frozenset({FulfillmentState.SHIPPED, FulfillmentState.COLLECTED})


@dataclass(slots=True)
class Line:
    """What is asked for, handed over by all assignments together, and missing; `substitutes` best first."""

    sku_id: str
    quantity: int
    shipped: int = 0
    short: int = 0
    substitutes: tuple[str, ...] = ()


@dataclass(slots=True)
class WorkLine:
    """What an assignment was promised of a line at its node, and what that node says of it."""

    sku_id: str
    reservation: Reservation
    shipped: int = 0
    short: int = 0


@dataclass(slots=True)
class Order:
    """`lines` that nodes are asked for, by number; `parts` by number. `cancel_asked`: all of it is to be stopped."""

    order_id: str
    state: OrderState
    method: str
    lines: dict[int, Line]
    cancel_asked: bool = False
    parts: dict[int, Part] = field(default_factory=dict)
    changed: bool = False

    @property
    def works(self) -> Iterator[Work]:
        """Every assignment of every part."""
        return (work for part in self.parts.values() for work in part.works)

    @property
    def newest_token(self) -> int:
        """The highest token that was given out; 0 if none was."""
        return max((work.fencing_token for work in self.works), default=0)

    @property
    def node_id(self) -> str:
        """Of the first part that has a node, for lists; empty if none has."""
        held = [part for part in self.parts.values() if part.state not in ENDED] or self.parts.values()
        return next((part.works[-1].node_id for part in held if part.works), "")

    def follow(self) -> None:
        """What the order, its parts and its lines are now, from what its assignments are."""
        self.changed = True
        for part in self.parts.values():
            part.become(part_of(part.state, [work.state for work in part.works]))
        for number, line in self.lines.items():
            line.shipped = sum(part.shipped(number) for part in self.parts.values())
            line.short = sum(part.missing(number) for part in self.parts.values())
        in_full = all(line.shipped >= line.quantity for line in self.lines.values())
        states = [part.state for part in self.parts.values()]
        self.state = order_of(states, cancel_asked=self.cancel_asked, in_full=in_full)

    def add_part(self, state: PartState, quantities: Mapping[int, int]) -> Part:
        """Another part, which nobody has."""
        part = Part(self, max(self.parts, default=0) + 1, state, dict(quantities), changed=True)
        self.parts[part.number] = part
        self.changed = True
        return part


@dataclass(slots=True)
class Part:
    """What one node at a time is asked for: units by line. `works`: its assignments, lowest token first."""

    order: Order
    number: int
    state: PartState
    quantities: dict[int, int]
    works: list[Work] = field(default_factory=list)
    changed: bool = False

    @property
    def newest(self) -> Work | None:
        """The assignment in force, or the last one that was."""
        return self.works[-1] if self.works else None

    @property
    def is_settled(self) -> bool:
        """Whether no node can say anything more of it."""
        return all(work.state in FULFILLMENT.terminal for work in self.works)

    def become(self, state: PartState) -> None:
        """Stand somewhere else."""
        if state is not self.state:
            self.state, self.changed = state, True

    def shipped(self, line: int) -> int:
        """Units of a line that have left for it, whoever sent them."""
        return sum(work.lines[line].shipped for work in self.works if line in work.lines)

    def missing(self, line: int) -> int:
        """Units of a line that are not there for it, as far as is known."""
        asked = self.quantities.get(line, 0)
        # What was cancelled is missing only where something of the same order has left: else the state says it all.
        never_comes = self.state is PartState.CANCELLED and any(
            work.state in LEFT for work in self.order.works
        )
        if never_comes or self.state in {PartState.SHIPPED, PartState.COLLECTED, PartState.UNFULFILLABLE}:
            return max(0, asked - self.shipped(line))
        newest = self.newest
        return newest.lines[line].short if newest is not None and line in newest.lines else 0

    def ask_for(self, quantities: Mapping[int, int]) -> None:
        """It is about so many units from now on."""
        self.quantities = dict(quantities)
        self.changed = self.order.changed = True


@dataclass(slots=True)
class Work:
    """One assignment. `instead`: SKU -> the line that it is sent for, as far as this batch has said so."""

    part: Part
    fulfillment_order_id: str
    node_id: str
    state: FulfillmentState
    fencing_token: int
    sscc: str = ""
    assigned_event: str = ""
    revoked_event: str = ""
    shipped_event: str = ""
    carrier_service: str = ""
    updated_at_ms: int = 0
    lines: dict[int, WorkLine] = field(default_factory=dict)
    instead: dict[str, int] = field(default_factory=dict)
    changed: bool = False

    @property
    def order(self) -> Order:
        """The order that it serves."""
        return self.part.order

    @property
    def is_in_force(self) -> bool:
        """Whether its token is the highest of its part."""
        return self.part.works[-1] is self

    @property
    def has_ended(self) -> bool:
        """Whether its node has nothing more to do for it."""
        return self.state in FULFILLMENT.terminal


def load(tx: Transaction, order_ids: Collection[str]) -> list[Order]:
    """These orders; the caller holds the rows of those nodes that it speaks for, and of the orders."""
    return of_rows(tx, orders.by_ids(tx, order_ids)) if order_ids else []


def look_at(tx: Transaction, order_id: str) -> Order:
    """An order that the caller does not hold: it may change at once, so whoever acts on it holds it and looks again.

    Raises NotFound.
    """
    found = load(tx, [order_id])
    if not found:
        raise not_there(order_id)
    return found[0]


def not_there(order_id: str) -> NotFound:
    """What to say of an order that nobody has placed."""
    return NotFound(f"there is no order '{order_id[:80]}'", hint="list the orders: bodegactl orders ls")


def of_rows(tx: Transaction, rows: Collection[Row]) -> list[Order]:
    """The orders of these rows, in their order."""
    order_ids = [row.order_id for row in rows]
    # Of an order that nobody holds, more may be there with each query: what belongs to something is read before it.
    promised = orders.work_lines_of(tx, order_ids)
    works, part_lines = orders.work_of(tx, order_ids), orders.part_lines_of(tx, order_ids)
    parts, lines = orders.parts_of(tx, order_ids), orders.lines_of(tx, order_ids)
    found = []
    for row in rows:
        order = _order(row, lines[row.order_id], parts[row.order_id], part_lines.get(row.order_id, ()))
        _add_works(order, works.get(row.order_id, ()), promised.get(row.order_id, ()))
        found.append(order)
    return found


def load_of_works(tx: Transaction, fulfillment_order_ids: Collection[str]) -> list[Order]:
    """The orders of these assignments; the caller holds the rows of the nodes that it speaks for.

    An order that more than one assignment serves can be written by two nodes at once: its row is locked, and
    everything read after that.
    """
    serving = orders.assignments_of_same_orders(tx, fulfillment_order_ids)
    several = [order_id for order_id, number in serving.items() if number > 1]
    orders.lock(tx, several)
    return load(tx, serving)


def _order(row: Row, lines: Iterable[Row], parts: Iterable[Row], part_lines: Iterable[Row]) -> Order:
    rows = list(lines)
    kits = {one.kit_line for one in rows}
    order = Order(
        row.order_id,
        OrderState(row.state),
        row.method,
        {
            one.line: Line(
                one.sku_id, one.quantity, one.shipped, one.short, tuple(json.loads(one.substitutes))
            )
            for one in rows
            if one.line not in kits
        },
        row.cancel_asked,
    )
    for part in parts:
        order.parts[part.part] = Part(order, part.part, PartState(part.state), {})
    for asked in part_lines:
        order.parts[asked.part].quantities[asked.line] = asked.quantity
    return order


def _add_works(order: Order, works: Iterable[Row], lines: Iterable[Row]) -> None:
    by_id: dict[str, Work] = {}
    for one in works:
        part = order.parts[one.part]
        work = by_id[one.fulfillment_order_id] = Work(
            part,
            one.fulfillment_order_id,
            one.node_id,
            FulfillmentState(one.state),
            one.fencing_token,
            one.sscc,
            one.assigned_event,
            one.revoked_event,
            one.shipped_event,
            one.carrier_service,
            one.updated_at_ms,
        )
        part.works.append(work)
    for one in lines:
        reservation = Reservation(one.quantity, one.posted, one.voided, ReservationState(one.state))
        line = WorkLine(one.sku_id, reservation, one.shipped, one.short)
        by_id[one.fulfillment_order_id].lines[one.line] = line


def save(tx: Transaction, now_ms: int, changed: Collection[Order]) -> None:
    """Write what has changed of these orders; assignments that are new are written by who gives them out."""
    at = {"updated_at_ms": now_ms}
    of_orders = [order for order in changed if order.changed]
    works = [work for order in changed for work in order.works if work.changed]
    parts = [part for order in of_orders for part in order.parts.values() if part.changed]
    orders.save_orders(
        tx,
        [
            {
                "order_id": order.order_id,
                "state": order.state.value,
                "node_id": order.node_id,
                "cancel_asked": order.cancel_asked,
                **at,
            }
            for order in of_orders
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
    save_parts(tx, now_ms, parts)
    orders.save_work(
        tx,
        [
            {
                "fulfillment_order_id": work.fulfillment_order_id,
                "state": work.state.value,
                "sscc": work.sscc,
                "shipped_event": work.shipped_event,
                "revoked_event": work.revoked_event,
                **at,
            }
            for work in works
        ],
    )
    orders.save_work_lines(tx, [row for work in works for row in _lines(work)])


def save_parts(tx: Transaction, now_ms: int, parts: Iterable[Part]) -> None:
    """Write parts that are new or have changed, with what they are asked for."""
    rows, asked = [], []
    for part in parts:
        key = {"order_id": part.order.order_id, "part": part.number}
        rows.append({**key, "state": part.state.value, "changed_at_ms": now_ms})
        lines = part.order.lines
        asked += [{**key, "line": number, "quantity": part.quantities.get(number, 0)} for number in lines]
    orders.put_parts(tx, rows, asked)


def _lines(work: Work) -> Iterator[dict[str, object]]:
    for number, line in work.lines.items():
        yield {
            "fulfillment_order_id": work.fulfillment_order_id,
            "line": number,
            "posted": line.reservation.posted,
            "voided": line.reservation.voided,
            "state": line.reservation.state.value,
            "shipped": line.shipped,
            "short": line.short,
            "superseded": not work.is_in_force,
        }
