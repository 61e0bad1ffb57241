"""Rows of how nodes come back: agents heard, epochs begun, snapshots, approvals; and what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bodega.core.ledger import Account
from bodega_controlplane.store import schema
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Values = Mapping[str, Any]


def agents(tx: Transaction, node_id: str) -> list[Row]:
    """Who has spoken for a node, the newest start first."""
    table = schema.node_agent
    query = sa.select(table).where(table.c.node_id == node_id)
    return list(tx.connection.execute(query.order_by(table.c.first_ms.desc(), table.c.boot_nonce)))


def put_agent(tx: Transaction, row: Values) -> None:
    """An agent has spoken."""
    tx.upsert(schema.node_agent, [row], keep=("first_ms",))


def forget_agents(tx: Transaction, node_id: str, nonces: Collection[str]) -> None:
    """The oldest ones."""
    table = schema.node_agent
    tx.connection.execute(
        sa.delete(table).where(table.c.node_id == node_id, table.c.boot_nonce.in_(sorted(nonces)))
    )


def newest_epoch(tx: Transaction, node_id: str) -> Row | None:
    """The last epoch that was opened for a node."""
    table = schema.node_epoch
    query = sa.select(table).where(table.c.node_id == node_id).order_by(table.c.epoch.desc()).limit(1)
    return tx.connection.execute(query).first()


def put_epoch(tx: Transaction, row: Values) -> None:
    """An epoch was opened."""
    tx.insert_many(schema.node_epoch, [row])


def put_snapshot(tx: Transaction, snapshot_id: str, node_id: str, body: bytes) -> None:
    """The one that is in use from now on; those before it go."""
    drop_snapshots(tx, node_id)
    tx.insert_many(schema.node_snapshot, [{"snapshot_id": snapshot_id, "node_id": node_id, "body": body}])


def drop_snapshots(tx: Transaction, node_id: str) -> None:
    """Nobody begins from them any more."""
    table = schema.node_snapshot
    tx.connection.execute(sa.delete(table).where(table.c.node_id == node_id))


def snapshot_part(tx: Transaction, snapshot_id: str, node_id: str, offset: int, size: int) -> bytes | None:
    """Bytes of a node's snapshot; None if there is no such one."""
    table = schema.node_snapshot
    part = sa.func.substr(table.c.body, offset + 1, size)
    query = sa.select(part).where(table.c.snapshot_id == snapshot_id, table.c.node_id == node_id)
    row = tx.connection.execute(query).first()
    return None if row is None else bytes(row[0])


def put_approval(tx: Transaction, row: Values) -> None:
    """A person lets a node in."""
    tx.upsert(schema.readmission, [row])


def approval(tx: Transaction, node_id: str, now_ms: int) -> Row | None:
    """The approval in force."""
    table = schema.readmission
    query = sa.select(table).where(table.c.node_id == node_id, table.c.ends_ms > now_ms)
    return tx.connection.execute(query).first()


def end_approval(tx: Transaction, node_id: str) -> None:
    """It was used."""
    table = schema.readmission
    tx.connection.execute(sa.delete(table).where(table.c.node_id == node_id))


def hash_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The chain hash of a node's journal after `seq`; sequences rise over epochs, the newest is `epoch`."""
    table = schema.journal
    query = sa.select(table.c.hash).where(
        table.c.node_id == node_id, table.c.epoch.in_(range(1, epoch + 1)), table.c.seq == seq
    )
    return tx.connection.execute(query).scalar_one_or_none()


def cmd_ids_after(tx: Transaction, node_id: str, epoch: int, seq: int, limit: int) -> list[str]:
    """The commands behind the newest events after `seq`, each once, the newest last."""
    table = schema.journal
    query = (
        sa.select(table.c.cmd_id)
        .where(table.c.node_id == node_id, table.c.epoch.in_(range(1, epoch + 1)), table.c.seq > seq)
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    found = dict.fromkeys(row[0] for row in tx.connection.execute(query) if row[0])
    return list(reversed(found))


def balances(tx: Transaction, node_id: str) -> dict[Account, int]:
    """Every account of a node, those outside of it too."""
    table = schema.stock
    rows = tx.connection.execute(sa.select(table).where(table.c.node_id == node_id))
    return {
        Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner, row.external): int(row.quantity)
        for row in rows
    }


def serials(tx: Transaction, node_id: str) -> dict[tuple[str, str], Account]:
    """(SKU, serial) -> its place in the node."""
    table = schema.serial
    rows = tx.connection.execute(sa.select(table).where(table.c.node_id == node_id, table.c.external == ""))
    return {
        (row.sku_id, row.serial): Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner)
        for row in rows
    }


def rows_of_node(tx: Transaction, table: sa.Table, node_id: str, *where: sa.ColumnElement[bool]) -> list[Row]:
    """Rows of one node, by their key."""
    query = sa.select(table).where(table.c.node_id == node_id, *where)
    return list(tx.connection.execute(query.order_by(*table.primary_key)))


def work(tx: Transaction, node_id: str, ended: Collection[str]) -> list[Row]:
    """Fulfillment orders of a node that are in none of the states `ended`, with what the node is told of the order
    and its state as `order_state`."""
    table, order = schema.fulfillment_order, schema.orders
    told = (
        order.c[name]
        for name in (
            "recipient",
            "service_class",
            "placed_at_ms",
            "method",
            "ship_complete",
            "ship_by_ms",
            "pickup",
        )
    )
    query = (
        sa.select(table, *told, order.c.state.label("order_state"))
        .join(order, order.c.order_id == table.c.order_id)
        .where(table.c.node_id == node_id, table.c.state.not_in(sorted(ended)))
        .order_by(table.c.fulfillment_order_id)
    )
    return list(tx.connection.execute(query))
