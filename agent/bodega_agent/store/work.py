"""Fulfillment orders at the node: who works on them, how far they are, and what a cancel means."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.codec import fulfillment_state_to_wire
from bodega.core.ledger import Goods, Reference, parcel_place, stage_of
from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent, FulfillmentState
from bodega.errors import NotFound
from bodega.v1 import journal_pb2, orders_pb2
from bodega_agent.store import ledger
from bodega_agent.store.transaction import Context, Transaction


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One line, in base units; `camera` is "", "asked", "pass", "flagged" or "accepted"."""

    line: int
    sku_id: str
    quantity: int
    picked: int
    short: int
    camera: str

    @property
    def outstanding(self) -> int:
        return self.quantity - self.picked - self.short


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One fulfillment order as the node holds it."""

    fulfillment_order_id: str
    order_id: str
    state: FulfillmentState
    device: str
    fencing_token: int
    sscc: str
    lines: tuple[WorkLine, ...]


_ORDER_COLUMNS = "fulfillment_order_id, order_id, state, device, fencing_token, sscc"


def find(tx: Transaction, fulfillment_order_id: str) -> WorkOrder:
    """Raises NotFound."""
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE fulfillment_order_id = ?",  # noqa: S608  # a constant
        (fulfillment_order_id,),
    )
    if row is None:
        raise NotFound(f"there is no fulfillment order '{fulfillment_order_id}' here", hint="bodega orders")
    return _work_order(tx, row)


def find_by_sscc(tx: Transaction, sscc: str) -> WorkOrder | None:
    """The fulfillment order whose parcel carries this SSCC."""
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE sscc = ? AND sscc <> ''",  # noqa: S608  # a constant
        (sscc,),
    )
    return _work_order(tx, row) if row else None


def next_for(tx: Transaction, device: str) -> WorkOrder | None:
    """What this device should work on: its own unfinished order first, else the oldest unclaimed one."""
    open_states = "('picking', 'picked', 'packed')"
    row = tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE device = ? AND state IN {open_states}"  # noqa: S608  # constants
        " ORDER BY arrived_seq LIMIT 1",
        (device,),
    ) or tx.one(
        f"SELECT {_ORDER_COLUMNS} FROM fulfillment_order WHERE state = 'assigned'"  # noqa: S608  # a constant
        " ORDER BY arrived_seq LIMIT 1"
    )
    return _work_order(tx, row) if row else None


def _work_order(tx: Transaction, row: tuple[str, ...]) -> WorkOrder:
    lines = tx.execute(
        "SELECT line, sku_id, quantity, picked, short, camera FROM fulfillment_line"
        " WHERE fulfillment_order_id = ? ORDER BY line",
        (row[0],),
    )
    fulfillment_order_id, order_id, state, device, token, sscc = row
    return WorkOrder(
        fulfillment_order_id,
        order_id,
        FulfillmentState(state),
        device,
        int(token),
        sscc,
        tuple(WorkLine(*line) for line in lines),
    )


def accept(tx: Transaction, arrived_seq: int, message: orders_pb2.FulfillmentOrder) -> None:
    """Take in work from the hub. A lower or repeated fencing token is no new work."""
    known = tx.one(
        "SELECT fencing_token FROM fulfillment_order WHERE fulfillment_order_id = ?",
        (message.fulfillment_order_id,),
    )
    if known and known[0] >= message.fencing_token:
        return
    tx.execute(
        "INSERT INTO fulfillment_order(fulfillment_order_id, order_id, state, fencing_token, carrier_service,"
        " recipient, arrived_seq) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET fencing_token = excluded.fencing_token",
        (
            message.fulfillment_order_id,
            message.order_id,
            FULFILLMENT.start,
            message.fencing_token,
            message.carrier_service,
            message.recipient.SerializeToString(),
            arrived_seq,
        ),
    )
    tx.executemany(
        "INSERT OR IGNORE INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity)"
        " VALUES (?, ?, ?, ?)",
        ((message.fulfillment_order_id, line.line, line.sku_id, line.quantity) for line in message.lines),
    )


def advance(
    tx: Transaction, context: Context, fulfillment_order_id: str, event: FulfillmentEvent
) -> FulfillmentState:
    """Step the life cycle and record it; raises IllegalTransition and changes nothing if it may not."""
    order = find(tx, fulfillment_order_id)
    state = FULFILLMENT.step(order.state, event)
    tx.execute(
        "UPDATE fulfillment_order SET state = ? WHERE fulfillment_order_id = ?", (state, fulfillment_order_id)
    )
    seq = tx.append(context, fulfillment_advanced=_advanced(order, state))
    if state is FulfillmentState.SHIPPED:
        tx.execute(
            "UPDATE fulfillment_order SET shipped_seq = ? WHERE fulfillment_order_id = ?",
            (seq, fulfillment_order_id),
        )
    return state


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


def claim(tx: Transaction, context: Context, fulfillment_order_id: str, device: str) -> None:
    """Bind an order to the device that works on it."""
    advance(tx, context, fulfillment_order_id, FulfillmentEvent.CLAIM)
    tx.execute(
        "UPDATE fulfillment_order SET device = ? WHERE fulfillment_order_id = ?",
        (device, fulfillment_order_id),
    )


def pick(
    tx: Transaction, context: Context, fulfillment_order_id: str, line: int, goods: Goods, bin_id: str
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
    )


def set_short(tx: Transaction, fulfillment_order_id: str, line: int, quantity: int) -> None:
    """`quantity` more units of this line were promised and are nowhere in the node."""
    tx.execute(
        "UPDATE fulfillment_line SET short = short + ? WHERE fulfillment_order_id = ? AND line = ?",
        (quantity, fulfillment_order_id, line),
    )


def set_camera(tx: Transaction, fulfillment_order_id: str, line: int, camera: str) -> None:
    """What the camera, or a person in its place, says of a line."""
    tx.execute(
        "UPDATE fulfillment_line SET camera = ? WHERE fulfillment_order_id = ? AND line = ?",
        (camera, fulfillment_order_id, line),
    )


def staged_goods(tx: Transaction, place: str) -> list[Goods]:
    """All goods that lie at a stage or in a parcel."""
    return [
        Goods(account.sku_id, quantity, account.lot, account.owner)
        for account, quantity in sorted(ledger.balances_at(tx, place).items())
    ]


def cancel(tx: Transaction, context: Context, cancel_seq: int, message: journal_pb2.CancelRequested) -> None:
    """A cancel from the hub: before the hand-over it wins, after it a conflict is recorded.

    A closed parcel is unpacked by the book; what was picked waits on its stage to be put back.
    """
    order = find(tx, message.fulfillment_order_id)
    if order.state is FulfillmentState.SHIPPED:
        shipped = tx.one(
            "SELECT shipped_seq FROM fulfillment_order WHERE fulfillment_order_id = ?",
            (order.fulfillment_order_id,),
        )
        assert shipped is not None, "find() above has just found it"
        tx.append(
            context,
            cancel_came_too_late=journal_pb2.CancelCameTooLate(
                fulfillment_order_id=order.fulfillment_order_id,
                order_id=order.order_id,
                cancel_seq=cancel_seq,
                ship_seq=shipped[0],
            ),
        )
        return
    if not FULFILLMENT.allows(order.state, FulfillmentEvent.CANCEL):
        return
    _unpack(tx, context, order)
    advance(tx, context, order.fulfillment_order_id, FulfillmentEvent.CANCEL)
    if staged_goods(tx, stage_of(order.fulfillment_order_id)):
        tx.append(
            context,
            task_opened=journal_pb2.TaskOpened(
                task_id=f"put-back-{order.fulfillment_order_id}",
                kind="put_back",
                bin_id=stage_of(order.fulfillment_order_id),
                fulfillment_order_id=order.fulfillment_order_id,
            ),
        )


def _unpack(tx: Transaction, context: Context, order: WorkOrder) -> None:
    goods = staged_goods(tx, parcel_place(order.sscc)) if order.sscc else []
    if goods:
        ledger.move(
            tx,
            context,
            "unpack",
            goods,
            source_bin=parcel_place(order.sscc),
            target_bin=stage_of(order.fulfillment_order_id),
            reference=Reference(order.fulfillment_order_id, order.sscc, "cancelled"),
        )
