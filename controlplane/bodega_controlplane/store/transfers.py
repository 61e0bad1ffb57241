"""Rows of transfers between nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega.core.ledger import in_transit
from bodega.core.transfers import Amounts, Kind, Side
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import serial, transfer, transfer_goods, transfer_side
from bodega_controlplane.store.transaction import Transaction


def hold(tx: Transaction, transfer_ids: Sequence[str], start: str, now_ms: int) -> None:
    """Make those known that are new, in state `start`, and hold the rows of all until the end, in id order."""
    rows = [
        {"transfer_id": transfer_id, "state": start, "opened_at_ms": now_ms, "changed_at_ms": now_ms}
        for transfer_id in sorted(transfer_ids)
    ]
    # On PostgreSQL an update locks the row: two nodes' envelopes about one transfer take turns from here on.
    tx.upsert(transfer, rows, keep=("state", "opened_at_ms"))


def of(tx: Transaction, transfer_id: str) -> Row | None:
    """A transfer, as it is now."""
    return tx.connection.execute(sa.select(transfer).where(transfer.c.transfer_id == transfer_id)).first()


def change(tx: Transaction, transfer_id: str, **columns: Any) -> None:
    """Set some columns of a transfer."""
    tx.connection.execute(sa.update(transfer).where(transfer.c.transfer_id == transfer_id).values(**columns))


def add(tx: Transaction, node_id: str, said: Mapping[tuple[str, Kind], Amounts]) -> None:
    """Add what a node has said by now, by transfer and kind of goods."""
    rows = [
        {"transfer_id": transfer_id, "node_id": node_id, **kind._asdict(), **amounts._asdict()}
        for (transfer_id, kind), amounts in said.items()
    ]
    tx.upsert(transfer_goods, rows, add=Amounts._fields)


def put_sides(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """The newest word of a node on whether more follows."""
    tx.upsert(transfer_side, rows)


def sides_of(tx: Transaction, transfer_ids: Collection[str]) -> dict[str, list[Side]]:
    """Transfer -> who takes part, by node id."""
    query = sa.select(transfer_side).where(transfer_side.c.transfer_id.in_(sorted(transfer_ids)))
    found: dict[str, list[Side]] = {}
    for row in tx.connection.execute(query.order_by(transfer_side.c.node_id)):
        event = f"{row.node_id}/{row.epoch}/{row.last_seq}"
        found.setdefault(row.transfer_id, []).append(Side(row.node_id, bool(row.final), event))
    return found


def said_of(tx: Transaction, transfer_ids: Collection[str]) -> dict[str, dict[tuple[str, Kind], Amounts]]:
    """Transfer -> (node, kind of goods) -> what the node says."""
    query = sa.select(transfer_goods).where(transfer_goods.c.transfer_id.in_(sorted(transfer_ids)))
    found: dict[str, dict[tuple[str, Kind], Amounts]] = {}
    for row in tx.connection.execute(query.order_by(*transfer_goods.primary_key)):
        said = found.setdefault(row.transfer_id, {})
        said[row.node_id, Kind(row.sku_id, row.lot, row.owner)] = Amounts(
            row.shipped, row.received, row.written_off
        )
    return found


def told_to(tx: Transaction, node_id: str, state: str) -> list[Row]:
    """Transfers in a state whose difference a node was told to settle, by id."""
    query = sa.select(transfer).where(transfer.c.told_node == node_id, transfer.c.state == state)
    return list(tx.connection.execute(query.order_by(transfer.c.transfer_id)))


def page(tx: Transaction, limit: int, *, states: Collection[str]) -> list[Row]:
    """Transfers in these states, newest first."""
    query = sa.select(transfer).where(transfer.c.state.in_(sorted(states)))
    order = (transfer.c.opened_at_ms.desc(), transfer.c.transfer_id)
    return list(tx.connection.execute(query.order_by(*order).limit(limit)))


def serials_under_way(tx: Transaction, transfer_id: str, kind: Kind, limit: int) -> list[str]:
    """Units that some node has sent with a transfer, and no node holds; in order."""
    there = serial.alias()
    arrived = sa.exists().where(
        there.c.sku_id == serial.c.sku_id, there.c.serial == serial.c.serial, there.c.external == ""
    )
    query = sa.select(serial.c.serial).where(
        serial.c.sku_id == kind.sku_id,
        serial.c.lot == kind.lot,
        serial.c.owner == kind.owner,
        serial.c.external == in_transit(transfer_id),
        ~arrived,
    )
    return list(tx.connection.execute(query.order_by(serial.c.serial).distinct().limit(limit)).scalars())
