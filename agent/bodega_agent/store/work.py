"""Fulfillment orders at the node: who works on them and how far they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bodega.codec import fulfillment_state_to_wire
from bodega.core.ledger import Entered, Goods, Reference, stage_of
from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent, FulfillmentState
from bodega.errors import NotFound
from bodega.v1 import journal_pb2, orders_pb2
from bodega_agent.store import ledger, release
from bodega_agent.store.reads.stage import OPEN_STATES
from bodega_agent.store.transaction import Context, Row, Transaction


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One line, in base units; `camera` is empty, "waiting", "pass", "fail", "review" or "accepted".

    `substitutes` are SKUs that may be sent instead; `substitute_of` is the line whose units this one replaces, or 0.
    """

    line: int
    sku_id: str
    quantity: int
    picked: int
    short: int
    camera: str
    camera_reasons: str
    substitutes: tuple[str, ...] = ()
    substitute_of: int = 0


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One fulfillment order as the node holds it."""

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    device: str
    fencing_token: int
    sscc: str
    method: str
    ship_complete: bool
    batch: str
    lines: tuple[WorkLine, ...]


_CLAIMED_STATES = "('picking', 'picked', 'packed')"
_ORDER_COLUMNS = (
    "fulfillment_order_id, order_id, state, device, fencing_token, sscc, method, ship_complete, batch"
)
_RELEASED = "due_ms, tier, placed_at_ms, arrived_seq"


def find(tx: Transaction, fulfillment_order_id: str) -> WorkOrder:
    """Raises NotFound."""
    order = find_or_none(tx, fulfillment_order_id)
    if order is None:
        raise NotFound(f"there is no fulfillment order '{fulfillment_order_id}' here", hint="bodega orders")
    return order


def find_or_none(tx: Transaction, fulfillment_order_id: str) -> WorkOrder | None:
    """The order, or None if the node has none of this id."""
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE fulfillment_order_id = ?",  # noqa: S608  # a constant
        (fulfillment_order_id,),
    )
    return _work_order(tx, row) if row else None


def device_of(tx: Transaction, fulfillment_order_id: str) -> str:
    """The device that has claimed it; empty if none has, or there is no such order."""
    row = tx.one(
        "SELECT device FROM fulfillment_order WHERE fulfillment_order_id = ?", (fulfillment_order_id,)
    )
    return row[0] if row else ""


def find_by_sscc(tx: Transaction, sscc: str) -> WorkOrder | None:
    """The fulfillment order whose parcel carries this SSCC."""
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE sscc = ? AND sscc <> ''",  # noqa: S608  # a constant
        (sscc,),
    )
    return _work_order(tx, row) if row else None


def claimed_by(tx: Transaction, device: str) -> WorkOrder | None:
    """The oldest unfinished order that this device has claimed."""
    return _oldest(tx, f"device = ? AND state IN {_CLAIMED_STATES}", device)


def picked_by(tx: Transaction, device: str) -> WorkOrder | None:
    """The oldest order that this device has claimed and not picked to the end."""
    return _oldest(tx, "device = ? AND state = 'picking'", device)


def in_walk(tx: Transaction, batch: str, device: str) -> list[WorkOrder]:
    """The orders of a walk that a device still picks, the most urgent first."""
    rows = tx.execute(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE batch = ? AND batch <> '' AND device = ?"  # noqa: S608  # constants
        f" AND state = 'picking' ORDER BY {_RELEASED}",
        (batch, device),
    )
    return [_work_order(tx, row) for row in list(rows)]


def most_urgent(tx: Transaction) -> WorkOrder | None:
    """The order that is picked next; None if none waits."""
    return next(iter(released(tx, 1)), None)


def released(tx: Transaction, limit: int) -> list[WorkOrder]:
    """The orders that nobody works on, the most urgent first (`rules.floor.pick.release`)."""
    rows = tx.execute(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE state = 'assigned'"  # noqa: S608  # constants
        f" ORDER BY {_RELEASED} LIMIT ?",
        (limit,),
    )
    return [_work_order(tx, row) for row in list(rows)]


def open_but_for(tx: Transaction, down_epoch: int) -> list[WorkOrder]:
    """Orders that have not ended, and of which the hub has not spoken in this epoch of its stream."""
    rows = tx.execute(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE down_epoch < ?"  # noqa: S608  # constants
        f" AND state IN {OPEN_STATES} ORDER BY arrived_seq",
        (down_epoch,),
    )
    return [_work_order(tx, row) for row in list(rows)]


def left_behind(tx: Transaction, present: Collection[str]) -> WorkOrder | None:
    """The oldest unfinished order of a device that is not `present` any more."""
    marks = ", ".join("?" * len(present))
    return _oldest(tx, f"device NOT IN ({marks}) AND state IN {_CLAIMED_STATES}", *present)


def _oldest(tx: Transaction, condition: str, *values: str) -> WorkOrder | None:
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE {condition} ORDER BY arrived_seq LIMIT 1",  # noqa: S608  # conditions are constants of this file
        values,
    )
    return _work_order(tx, row) if row else None


def _work_order(tx: Transaction, row: Row) -> WorkOrder:
    lines = tx.execute(
        "SELECT line, sku_id, quantity, picked, short, camera, camera_reasons, substitutes, substitute_of"
        " FROM fulfillment_line WHERE fulfillment_order_id = ? ORDER BY line",
        (row[0],),
    )
    fulfillment_order_id, order_id, state, device, token, sscc, method, ship_complete, batch = row
    return WorkOrder(
        fulfillment_order_id,
        order_id,
        FulfillmentState(state),
        device,
        int(token),
        sscc,
        method or "parcel",
        bool(ship_complete),
        batch,
        tuple(
            replace(WorkLine(*row[:7]), substitutes=tuple(json.loads(row[7])), substitute_of=row[8])
            for row in list(lines)
        ),
    )


def accept(tx: Transaction, arrived_seq: int, message: orders_pb2.FulfillmentOrder) -> None:
    """Take in work from the hub, as urgent as it is. A lower or repeated fencing token is no new work."""
    known = tx.one(
        "SELECT fencing_token FROM fulfillment_order WHERE fulfillment_order_id = ?",
        (message.fulfillment_order_id,),
    )
    down_epoch = tx.get("down_epoch", 1)
    if known and known[0] >= message.fencing_token:
        tx.execute(
            "UPDATE fulfillment_order SET down_epoch = ? WHERE fulfillment_order_id = ?",
            (down_epoch, message.fulfillment_order_id),
        )
        return
    tx.execute(
        "INSERT INTO fulfillment_order(fulfillment_order_id, order_id, state, fencing_token, carrier_service,"
        " recipient, arrived_seq, down_epoch, service_class, ship_by_ms, placed_at_ms, method, ship_complete, pickup)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET fencing_token = excluded.fencing_token, down_epoch = excluded.down_epoch",
        (
            message.fulfillment_order_id,
            message.order_id,
            FULFILLMENT.start,
            message.fencing_token,
            message.carrier_service,
            message.recipient.SerializeToString(),
            arrived_seq,
            down_epoch,
            message.service_class,
            message.ship_by_ms,
            message.placed_at_ms or tx.now_ms(),
            message.method,
            message.ship_complete,
            message.pickup.SerializeToString(),
        ),
    )
    tx.executemany(
        "INSERT OR IGNORE INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity, substitutes)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            (
                message.fulfillment_order_id,
                line.line,
                line.sku_id,
                line.quantity,
                json.dumps(list(line.substitutes)),
            )
            for line in message.lines
        ),
    )
    release.rank(tx, message.fulfillment_order_id)


def advance(
    tx: Transaction, context: Context, fulfillment_order_id: str, event: FulfillmentEvent
) -> FulfillmentState:
    """Step the life cycle and record it; raises IllegalTransition and changes nothing if it may not."""
    order = find(tx, fulfillment_order_id)
    state = FULFILLMENT.step(order.state, event)
    seq = tx.append(context, fulfillment_advanced=_advanced(order, state))
    shipped_seq = seq if state in {FulfillmentState.SHIPPED, FulfillmentState.COLLECTED} else 0
    tx.execute(
        "UPDATE fulfillment_order SET state = ?, advanced_seq = ?, shipped_seq = ? WHERE fulfillment_order_id = ?",
        (state, seq, shipped_seq, fulfillment_order_id),
    )
    return state


def steps_of(tx: Transaction, fulfillment_order_id: str) -> tuple[int, int]:
    """Sequences of the event that advanced it last and of the one by which it left, each 0 if there is none."""
    row = tx.one(
        "SELECT advanced_seq, shipped_seq FROM fulfillment_order WHERE fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _advanced(order: WorkOrder, state: FulfillmentState) -> journal_pb2.FulfillmentAdvanced:
    return journal_pb2.FulfillmentAdvanced(
        fulfillment_order_id=order.fulfillment_order_id,
        order_id=order.order_id,
        state=fulfillment_state_to_wire(state),
        lines=[
            orders_pb2.OrderLine(
                line=line.line,
                sku_id=line.sku_id,
                quantity=line.quantity,
                shipped=line.picked,
                short=line.short,
            )
            for line in order.lines
        ],
        sscc=order.sscc,
        fencing_token=order.fencing_token,
    )


def claim(
    tx: Transaction, context: Context, fulfillment_order_id: str, *, take_over: bool = False, batch: str = ""
) -> None:
    """Bind an order to the context's device, and to a walk; a take-over changes the device and nothing else."""
    if not take_over:
        advance(tx, context, fulfillment_order_id, FulfillmentEvent.CLAIM)
        tx.execute(
            "UPDATE fulfillment_order SET batch = ? WHERE fulfillment_order_id = ?",
            (batch, fulfillment_order_id),
        )
    tx.execute(
        "UPDATE fulfillment_order SET device = ? WHERE fulfillment_order_id = ?",
        (context.device, fulfillment_order_id),
    )


def hand_on(tx: Transaction, from_device: str, to_device: str) -> None:
    """All that a device has claimed is another one's from now on."""
    tx.execute(
        f"UPDATE fulfillment_order SET device = ? WHERE device = ? AND state IN {_CLAIMED_STATES}",  # noqa: S608  # a constant
        (to_device, from_device),
    )


def pick(
    tx: Transaction,
    context: Context,
    fulfillment_order_id: str,
    line: int,
    goods: Goods,
    bin_id: str,
    *,
    entered: Sequence[Entered] = (),
) -> None:
    """Goods leave a bin for the stage of this order. The CHECK refuses more than was asked for."""
    tx.execute(
        "UPDATE fulfillment_line SET picked = picked + ? WHERE fulfillment_order_id = ? AND line = ?",
        (goods.quantity, fulfillment_order_id, line),
    )
    ledger.move(
        tx,
        context,
        "pick",
        [goods],
        source_bin=bin_id,
        target_bin=stage_of(fulfillment_order_id),
        reference=Reference(fulfillment_order_id),
        entered=entered,
    )


def pick_lines(tx: Transaction, order: WorkOrder, wanted: Mapping[str, int]) -> None:
    """Count picked units (by SKU) on the order's lines, first lines first; no more than is outstanding."""
    left = dict(wanted)
    for line in order.lines:
        taken = min(line.quantity - line.picked - line.short, left.get(line.sku_id, 0))
        if taken > 0:
            left[line.sku_id] -= taken
            tx.execute(
                "UPDATE fulfillment_line SET picked = picked + ? WHERE fulfillment_order_id = ? AND line = ?",
                (taken, order.fulfillment_order_id, line.line),
            )


def set_short(tx: Transaction, fulfillment_order_id: str, line: int, quantity: int) -> None:
    """`quantity` more units of this line were promised and are nowhere in the node."""
    tx.execute(
        "UPDATE fulfillment_line SET short = short + ? WHERE fulfillment_order_id = ? AND line = ?",
        (quantity, fulfillment_order_id, line),
    )


def substitute(tx: Transaction, fulfillment_order_id: str, line: int, sku_id: str, quantity: int) -> None:
    """`quantity` units of a line are another SKU's: they are short there, and wanted as a line of their own."""
    set_short(tx, fulfillment_order_id, line, quantity)
    tx.execute(
        "INSERT INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity, substitute_of)"
        " SELECT ?1, max(line) + 1, ?2, ?3, ?4 FROM fulfillment_line WHERE fulfillment_order_id = ?1",
        (fulfillment_order_id, sku_id, quantity, line),
    )


def set_camera(
    tx: Transaction, fulfillment_order_id: str, line: int, camera: str, reasons: Collection[str] = ()
) -> None:
    """What the camera, or a person in its place, says of a line."""
    tx.execute(
        "UPDATE fulfillment_line SET camera = ?, camera_reasons = ?"
        " WHERE fulfillment_order_id = ? AND line = ?",
        (camera, json.dumps(list(reasons)), fulfillment_order_id, line),
    )


def unanswered_checks(tx: Transaction) -> list[tuple[str, str, int, str]]:
    """(device, fulfillment order, line, SKU) of open work whose camera check was asked for and not answered."""
    rows = tx.execute(
        "SELECT f.device, l.fulfillment_order_id, l.line, l.sku_id FROM fulfillment_line l"
        " JOIN fulfillment_order f USING (fulfillment_order_id)"
        " WHERE l.camera = 'waiting' AND f.state IN ('picking', 'picked') ORDER BY f.arrived_seq, l.line"
    )
    return [(str(row[0]), str(row[1]), int(row[2]), str(row[3])) for row in rows]


def staged_goods(tx: Transaction, place: str) -> list[Goods]:
    """All goods that lie at a stage or in a parcel, with their serials."""
    return ledger.all_goods(tx, ledger.balances_at(tx, place))
