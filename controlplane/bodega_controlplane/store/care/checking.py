"""The check of a whole database: its file, its shape, its chains, its books. It only reads."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.care import chains, shape
from bodega_controlplane.store.care.findings import Findings, Step
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.schema import stock
from bodega_controlplane.store.transaction import Transaction

_NAMED_MAX = 20


def steps_of(store: Store) -> int:
    """How many steps `check` will tell of; 0 for a database of another shape."""
    return store.read(lambda tx: chains.lengths(tx) if shape.check(tx.connection, Findings()) else 0)


def check(store: Store, step: Step) -> Findings:
    """Everything that is wrong, on one snapshot; a hub may be at work."""
    return store.read(lambda tx: _check(tx, step))


def _check(tx: Transaction, step: Step) -> Findings:
    found = Findings()
    if tx.exclusive:
        _check_file(tx.connection, found)
    if shape.check(tx.connection, found):
        chains.check(tx, found, step)
        _check_stock(tx.connection, found)
    return found


def _check_file(connection: sa.Connection, found: Findings) -> None:
    """SQLite's own check of pages, indexes and foreign keys. (PostgreSQL has pg_amcheck for that.)"""
    for (word,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_NAMED_MAX})"):
        if word != "ok":
            found.add("file", str(word))
    orphans = list(connection.exec_driver_sql("PRAGMA foreign_key_check"))
    for table, row_no, parent, _ in orphans[:_NAMED_MAX]:
        found.add(str(table), f"row {row_no} points to a row of {parent} that is not there")


def _check_stock(connection: sa.Connection, found: Findings) -> None:
    """Movements sum to zero per node, owner, SKU and lot, outside accounts with them: so do the balances."""
    goods = (stock.c.node_id, stock.c.owner, stock.c.sku_id, stock.c.lot)
    total = sa.func.sum(stock.c.quantity)
    query = sa.select(*goods, total.label("total")).group_by(*goods).having(total != 0).order_by(*goods)
    for row in connection.execute(query.limit(_NAMED_MAX)):
        lot = f", lot {row.lot}" if row.lot else ""
        found.add("stock", f"{row.sku_id}{lot} at {row.node_id} does not sum to zero: {int(row.total):+d}")
    rows = connection.execute(sa.select(sa.func.count()).select_from(stock)).scalar_one()
    found.looked_at["balances"] = int(rows)
