"""Rows of the file exchange: which orders have news, which files wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import fulfillment_order, order_line, orders
from bodega_controlplane.store.schema.exchange import exchange_file, exchange_order, exchange_told
from bodega_controlplane.store.schema.floor import parcel
from bodega_controlplane.store.transaction import Transaction

# Instances take turns in numbering files.
_FILES_LOCK = 0x66696C65


def lock(tx: Transaction) -> None:
    """Be the only one who makes files until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FILES_LOCK)))


def taken(tx: Transaction, channel: str, reference: str) -> Row | None:
    """What was taken under a reference: `digest` of what it said, and the order."""
    query = sa.select(exchange_order).where(
        exchange_order.c.channel == channel, exchange_order.c.reference == reference
    )
    return tx.connection.execute(query).first()


def take(tx: Transaction, row: Mapping[str, Any]) -> None:
    """An order was taken under its reference."""
    tx.insert_many(exchange_order, [row])


def changed_orders(tx: Transaction, channel: str, since_ms: int, limit: int) -> list[Row]:
    """Orders of a channel that the shop was not told of as they are, the first changed first.

    With what was said last of each, `word`, None if nothing was.
    """
    told = sa.and_(exchange_told.c.channel == orders.c.channel, exchange_told.c.order_id == orders.c.order_id)
    query = (
        sa.select(
            orders.c.order_id,
            orders.c.reference,
            orders.c.state,
            orders.c.updated_at_ms,
            exchange_told.c.word,
        )
        .select_from(orders.outerjoin(exchange_told, told))
        .where(
            orders.c.channel == channel,
            orders.c.updated_at_ms >= since_ms,
            sa.func.coalesce(exchange_told.c.at_ms, -1) < orders.c.updated_at_ms,
        )
        .order_by(orders.c.updated_at_ms, orders.c.order_id)
        .limit(limit)
    )
    return list(tx.connection.execute(query))


def last_told_ms(tx: Transaction, channel: str) -> int:
    """When the newest of what the shop was told had changed; 0 if it was told nothing."""
    query = sa.select(sa.func.max(exchange_told.c.at_ms)).where(exchange_told.c.channel == channel)
    return int(tx.connection.execute(query).scalar() or 0)


def tell(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """The shop is told, or has nothing to hear, of these orders as they are."""
    tx.upsert(exchange_told, rows)


def lines_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its lines."""
    query = sa.select(order_line).where(order_line.c.order_id.in_(sorted(order_ids)))
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query.order_by(order_line.c.order_id, order_line.c.line)):
        found.setdefault(row.order_id, []).append(row)
    return found


def parcels_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Order id -> its parcels that were not opened again: SSCC, carrier, service, tracking number."""
    query: sa.Select[Any] = (
        sa.select(
            fulfillment_order.c.order_id,
            parcel.c.sscc,
            parcel.c.carrier,
            parcel.c.service,
            parcel.c.tracking_number,
        )
        .join(parcel, parcel.c.fulfillment_order_id == fulfillment_order.c.fulfillment_order_id)
        .where(fulfillment_order.c.order_id.in_(sorted(order_ids)), parcel.c.state != "voided")
        .order_by(fulfillment_order.c.order_id, parcel.c.sscc)
    )
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.order_id, []).append(row)
    return found


def add_file(tx: Transaction, channel: str, body: bytes, now_ms: int) -> int:
    """A file to be written; its number."""
    last = tx.connection.execute(
        sa.select(sa.func.max(exchange_file.c.number)).where(exchange_file.c.channel == channel)
    ).scalar()
    number = int(last or 0) + 1
    row = {"channel": channel, "number": number, "body": body, "made_ms": now_ms, "written_ms": 0}
    tx.insert_many(exchange_file, [row])
    return number


def files_to_write(tx: Transaction, channel: str) -> list[Row]:
    """Files that are not known to be written, the first one first."""
    query = sa.select(exchange_file).where(
        exchange_file.c.channel == channel, exchange_file.c.written_ms == 0
    )
    return list(tx.connection.execute(query.order_by(exchange_file.c.number)))


def written(tx: Transaction, channel: str, number: int, now_ms: int) -> None:
    """The shop has a file: what it says need not be kept here."""
    tx.connection.execute(
        sa.update(exchange_file)
        .where(exchange_file.c.channel == channel, exchange_file.c.number == number)
        .values(written_ms=now_ms, body=b"")
    )
