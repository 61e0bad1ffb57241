"""This node's end of transfers: what the hub has ordered, and how far picking or receiving is.

Where the goods are is in the ledger, and what the two ends say together is summed at the hub (`core.transfers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bodega.errors import Refused
from bodega.limits_floor import TRANSFER_LINES_MAX
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.send.facts import LegState
from bodega_agent.store.transaction import Context, Transaction


class Leg(NamedTuple):
    """One transfer at this node; `from_node_id` is empty if the hub has not told of it yet."""

    transfer_id: str
    from_node_id: str
    to_node_id: str
    state: LegState
    device: str


class LegLine(NamedTuple):
    """One SKU of it in base units; `moved` are the units that were picked here, or came in."""

    sku_id: str
    ordered: int
    moved: int
    short: int
    damaged: int


_LEG = "SELECT transfer_id, from_node_id, to_node_id, state, device FROM transfer_order"


def accept(tx: Transaction, ordered: floor_pb2.TransferOrdered) -> None:
    """The hub orders a transfer. Told again, it changes only what nobody has begun; raises Refused if it is not ours.

    Goods may have come in before the hub's word: then it says what should have come.
    """
    here, leg = tx.get("node_id"), find(tx, ordered.transfer_id)
    if here not in {ordered.from_node_id, ordered.to_node_id}:
        raise Refused(
            f"transfer {ordered.transfer_id} is none of this node's",
            hint="bodegactl transfers show names its ends",
        )
    if len(ordered.lines) > TRANSFER_LINES_MAX:
        raise Refused(
            f"transfer {ordered.transfer_id} has {len(ordered.lines)} lines, {TRANSFER_LINES_MAX} is the most",
            hint="order it as several transfers",
        )
    if leg is not None and leg.state is not LegState.ORDERED and leg.from_node_id:
        return
    tx.execute(
        "INSERT INTO transfer_order(transfer_id, from_node_id, to_node_id, state, arrived_seq)"
        " VALUES (?1, ?2, ?3, 'ordered', ?4) ON CONFLICT DO UPDATE SET from_node_id = ?2, to_node_id = ?3",
        (ordered.transfer_id, ordered.from_node_id, ordered.to_node_id, tx.head.seq),
    )
    tx.execute("UPDATE transfer_line SET ordered = 0 WHERE transfer_id = ?", (ordered.transfer_id,))
    for line in ordered.lines:
        _add(tx, ordered.transfer_id, line.sku_id, "ordered", line.quantity)


def put_back(tx: Transaction, ordered: floor_pb2.TransferOrdered, state: str) -> None:
    """An end that this ledger does not know to be done, by the hub's word: it is not to be done again."""
    accept(tx, ordered)
    tx.execute(
        "UPDATE transfer_order SET state = ? WHERE transfer_id = ?", (LegState(state), ordered.transfer_id)
    )


def find(tx: Transaction, transfer_id: str) -> Leg | None:
    """The transfer of this id, if the node knows it."""
    row = tx.one(f"{_LEG} WHERE transfer_id = ?", (transfer_id,))
    return _leg(row) if row else None


def named(tx: Transaction, text: str) -> str:
    """The transfer that a label names, or empty."""
    return text if find(tx, text) is not None else ""


def to_send(tx: Transaction) -> list[Leg]:
    """What this node should send and has not, the oldest first."""
    return _open(tx, "from_node_id", "('ordered', 'picking')")


def to_come(tx: Transaction) -> list[Leg]:
    """What should come here and has not, the oldest first."""
    return _open(tx, "to_node_id", "('ordered', 'receiving')")


def _open(tx: Transaction, end: str, states: str) -> list[Leg]:
    rows = tx.execute(
        f"{_LEG} WHERE {end} = ? AND state IN {states} ORDER BY arrived_seq, transfer_id",
        (tx.get("node_id"),),
    )
    return [_leg(row) for row in list(rows)]


def lines_of(tx: Transaction, transfer_id: str) -> list[LegLine]:
    """The lines of a transfer, by SKU."""
    rows = tx.execute(
        "SELECT sku_id, ordered, moved, short, damaged FROM transfer_line WHERE transfer_id = ? ORDER BY sku_id",
        (transfer_id,),
    )
    return [LegLine(*row) for row in list(rows)]


def begin(tx: Transaction, context: Context, transfer_id: str, state: LegState) -> None:
    """Somebody picks it, or receives it; one that nobody has told of is known from here on. Said once."""
    leg = find(tx, transfer_id)
    tx.execute(
        "INSERT INTO transfer_order(transfer_id, from_node_id, to_node_id, state, device, arrived_seq)"
        " VALUES (?1, '', ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET state = ?3, device = ?4",
        (transfer_id, tx.get("node_id"), state, context.device, tx.head.seq),
    )
    if leg is None or leg.state is not state:
        _tell(tx, context, transfer_id, state)


def end(
    tx: Transaction,
    context: Context,
    transfer_id: str,
    state: LegState,
    lines: Sequence[floor_pb2.NoticeLine],
) -> None:
    """All of it is shipped, or is here."""
    tx.execute("UPDATE transfer_order SET state = ?, device = '' WHERE transfer_id = ?", (state, transfer_id))
    _tell(tx, context, transfer_id, state, lines)


def _tell(
    tx: Transaction,
    context: Context,
    transfer_id: str,
    state: LegState,
    lines: Sequence[floor_pb2.NoticeLine] = (),
) -> None:
    told = floor_pb2.TransferAdvanced(transfer_id=transfer_id, state=state, lines=lines)
    tx.append(context, transfer_advanced=told)


def moved(tx: Transaction, transfer_id: str, sku_id: str, units: int) -> None:
    """So many more were picked, or came in."""
    _add(tx, transfer_id, sku_id, "moved", units)


def short(tx: Transaction, transfer_id: str, sku_id: str, units: int) -> None:
    """So many can not be found."""
    _add(tx, transfer_id, sku_id, "short", units)


def damaged(tx: Transaction, transfer_id: str, sku_id: str, units: int) -> None:
    """So many of what came in are damaged."""
    _add(tx, transfer_id, sku_id, "damaged", units)


def _add(tx: Transaction, transfer_id: str, sku_id: str, column: str, units: int) -> None:
    tx.execute(
        f"INSERT INTO transfer_line(transfer_id, sku_id, {column}) VALUES (?1, ?2, ?3)"  # noqa: S608  # our own names
        f" ON CONFLICT DO UPDATE SET {column} = {column} + ?3",
        (transfer_id, sku_id, units),
    )


def hand_on(tx: Transaction, from_device: str, to_device: str) -> None:
    """Another device goes on with what one has begun."""
    tx.execute("UPDATE transfer_order SET device = ? WHERE device = ?", (to_device, from_device))


def _leg(row: Sequence[str]) -> Leg:
    return Leg(row[0], row[1], row[2], LegState(row[3]), row[4])
