"""Rows of what nodes say of their floors."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from bodega.v1 import catalogue_pb2
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import journal
from bodega_controlplane.store.schema.floor import line_substitution, parcel
from bodega_controlplane.store.transaction import Transaction


def substituted(tx: Transaction, fulfillment_order_id: str, line: int) -> int:
    """Units of a line of work that are served by other SKUs."""
    query = sa.select(sa.func.coalesce(sa.func.sum(line_substitution.c.quantity), 0)).where(
        line_substitution.c.fulfillment_order_id == fulfillment_order_id, line_substitution.c.line == line
    )
    return int(tx.connection.execute(query).scalar_one())


def substitutes_of(tx: Transaction, fulfillment_order_id: str) -> dict[str, int]:
    """SKU -> the line of this work that it is sent for."""
    query = sa.select(line_substitution).where(
        line_substitution.c.fulfillment_order_id == fulfillment_order_id
    )
    return {row.substitute_sku_id: row.line for row in tx.connection.execute(query)}


def movements_after(tx: Transaction, node_id: str, epoch: int, seq: int) -> Iterator[bytes]:
    """Movements in a node's journal after `seq`, in order; sequences rise over epochs, the newest is `epoch`."""
    query = sa.select(journal.c.body).where(
        journal.c.node_id == node_id,
        journal.c.epoch.in_(range(1, epoch + 1)),
        journal.c.seq > seq,
        journal.c.fact == "movement",
    )
    for row in tx.connection.execute(query.order_by(journal.c.seq)):
        yield bytes(row.body)


def newest(tx: Transaction, table: sa.Table, node_id: str, limit: int) -> list[Row]:
    """Rows of one of the floor's tables, newest first; of one node, or of all where it is empty."""
    query = sa.select(table).where(table.c.node_id == node_id) if node_id else sa.select(table)
    at = table.c.changed_at_ms if "changed_at_ms" in table.c else table.c.at_ms
    return list(tx.connection.execute(query.order_by(at.desc(), *table.primary_key).limit(limit)))


def highest_tracking_numbers(tx: Transaction, node_id: str, profile: catalogue_pb2.NodeProfile) -> list[str]:
    """The highest number that a node has given out of each range of its profile; none for a range that it has not used.

    Numbers of one range are equally long and differ in their digits alone, so the last in the alphabet is the highest.
    """
    found = []
    for one in profile.tracking_ranges:
        query = sa.select(sa.func.max(parcel.c.tracking_number)).where(
            parcel.c.node_id == node_id,
            parcel.c.carrier == one.carrier,
            parcel.c.tracking_number.startswith(one.prefix, autoescape=True),
            parcel.c.tracking_number.endswith(one.suffix, autoescape=True),
            sa.func.length(parcel.c.tracking_number) == len(one.prefix) + one.digits + 1 + len(one.suffix),
        )
        found.append(tx.connection.execute(query).scalar_one())
    return [str(number) for number in found if number]
