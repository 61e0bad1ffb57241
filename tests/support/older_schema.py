"""A database of today, taken back to an earlier version of the schema with the rows that it then had."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store import schema
from bodega_controlplane.store.migrations import STEPS
from bodega_controlplane.store.schema import former as former_tables
from bodega_controlplane.store.tellers import drop_tellers
from bodega_controlplane.store.transaction import Transaction


def back_to(tx: Transaction, version: int) -> None:
    """Undo every step after a version; orders are then of one part each."""
    drop_tellers(tx.connection)
    if version < 5:
        _out_of_parts(tx)
    for number in sorted((number for number in STEPS if number > version), reverse=True):
        step = STEPS[number]
        for index in step.indexes:
            index.drop(tx.connection, checkfirst=True)
        for table in reversed(step.tables):
            table.drop(tx.connection, checkfirst=True)
        for table, columns in step.columns.items():
            for column in columns:
                tx.connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP COLUMN {column}")
    tx.upsert(schema.meta, [{"key": "schema_version", "value": str(version)}])


def _out_of_parts(tx: Transaction) -> None:
    """Promises by order and line, and those of assignments that were superseded: as version 4 kept them."""
    former_tables.former.create_all(tx.connection)
    line, work = schema.fulfillment_line, schema.fulfillment_order
    named = ("node_id", "sku_id", "quantity", "posted", "voided", "state")
    columns = [line.c.line, *(line.c[name] for name in named)]
    joined = sa.join(line, work, work.c.fulfillment_order_id == line.c.fulfillment_order_id)
    for table, superseded, more in (
        (former_tables.reservation, False, [work.c.order_id]),
        (former_tables.revoked_reservation, True, [work.c.order_id, line.c.fulfillment_order_id]),
    ):
        query = sa.select(*more, *columns).select_from(joined).where(line.c.superseded == superseded)
        names = [*(column.name for column in more), "line", *named]
        tx.connection.execute(sa.insert(table).from_select(names, query))
