"""Drafts and events as rows. Whoever numbers events holds `lock` until its commit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from bodega.core.ledger import Account, Disposition
from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema.events import event, event_draft, stock_told
from bodega_controlplane.store.schema.floor import customer_return, parcel, refund
from bodega_controlplane.store.schema.ordering import fulfillment_order, orders
from bodega_controlplane.store.transaction import Transaction

_NUMBERING_LOCK = 0x65766E74
_ANY = ".*"

Values = Mapping[str, Any]


class Wanted(NamedTuple):
    """Which events somebody reads: of a channel and of all (empty: of every channel), and of these types.

    A type is a whole one or the beginning of one with ".*"; no types means all.
    """

    channel: str = ""
    types: tuple[str, ...] = ()


def note_stock(tx: Transaction, changes: Mapping[Account, int]) -> None:
    """Balances have changed: leave one draft for all the SKUs of which more or less can be sold."""
    sums: dict[str, int] = defaultdict(int)
    for account, units in changes.items():
        if account.disposition == Disposition.SELLABLE and not account.external:
            sums[account.sku_id] += units
    skus = sorted(sku_id for sku_id, units in sums.items() if units)
    if skus:
        tx.insert_many(event_draft, [{"kind": "stocks", "subject": "", "word": json.dumps(skus), "at_ms": 0}])


def lock(tx: Transaction) -> None:
    """Of all instances, number alone until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_NUMBERING_LOCK)))


def any_draft(tx: Transaction) -> bool:
    """Whether there is something to number."""
    return bool(tx.connection.execute(sa.select(sa.exists(sa.select(event_draft.c.draft_id)))).scalar_one())


def take_drafts(tx: Transaction, limit: int) -> list[Row]:
    """Drafts that are committed now, oldest first; they are gone with this transaction's commit.

    One statement reads and deletes: what another transaction commits meanwhile, maybe with a lower number, stays.
    """
    oldest_ones = sa.select(event_draft.c.draft_id).order_by(event_draft.c.draft_id).limit(limit)
    gone = sa.delete(event_draft).where(event_draft.c.draft_id.in_(oldest_ones)).returning(event_draft)
    return sorted(tx.connection.execute(gone), key=lambda row: row.draft_id)


def head(tx: Transaction) -> int:
    """The newest sequence; 0 before the first event."""
    return int(tx.connection.execute(sa.select(sa.func.coalesce(sa.func.max(event.c.seq), 0))).scalar_one())


def append(tx: Transaction, rows: Sequence[Values]) -> None:
    """Whole rows, already numbered."""
    tx.insert_many(event, rows)


def by_id(tx: Transaction, event_id: str) -> Row | None:
    """The event of this name."""
    return tx.connection.execute(sa.select(event).where(event.c.event_id == event_id)).first()


def at(tx: Transaction, seq: int) -> Row | None:
    """The event of this number."""
    return tx.connection.execute(sa.select(event).where(event.c.seq == seq)).first()


def oldest(tx: Transaction) -> int:
    """The oldest sequence that is kept; 0 if none is."""
    return int(tx.connection.execute(sa.select(sa.func.coalesce(sa.func.min(event.c.seq), 0))).scalar_one())


def after(tx: Transaction, seq: int, upto: int, wanted: Wanted, limit: int) -> list[Row]:
    """Events after one sequence and not beyond another, in order."""
    query = sa.select(event).where(event.c.seq > seq, event.c.seq <= upto, *_filters(wanted))
    return list(tx.connection.execute(query.order_by(event.c.seq).limit(limit)))


def _filters(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.channel:
        yield event.c.channel.in_(["", wanted.channel])
    if wanted.types:
        yield sa.or_(*map(_is_of, wanted.types))


def _is_of(kind: str) -> sa.ColumnElement[bool]:
    if kind.endswith(_ANY):
        return event.c.type.startswith(kind.removesuffix("*"), autoescape=True)
    return event.c.type == kind


def trim(tx: Transaction, before_ms: int, limit: int) -> int:
    """Delete events that were numbered before a time, oldest first, but never the newest; how many went."""
    query = sa.select(event.c.seq).where(event.c.numbered_at_ms < before_ms, event.c.seq < head(tx))
    old = [row.seq for row in tx.connection.execute(query.order_by(event.c.seq).limit(limit))]
    if old:
        tx.connection.execute(sa.delete(event).where(event.c.seq <= old[-1]))
    return len(old)


def stock_may_differ(tx: Transaction, sku_ids: Collection[str], now_ms: int) -> None:
    """Note SKUs to be looked at, each once."""
    rows = [
        {"sku_id": sku_id, "told": "", "told_at_ms": 0, "changed_at_ms": now_ms} for sku_id in sorted(sku_ids)
    ]
    tx.upsert(stock_told, rows, keep=("told", "told_at_ms"))


def stock_due(tx: Transaction, told_before_ms: int, limit: int) -> list[Row]:
    """SKUs that may differ from what was told, those told longest ago first."""
    query = sa.select(stock_told).where(
        stock_told.c.changed_at_ms > 0, stock_told.c.told_at_ms <= told_before_ms
    )
    return list(
        tx.connection.execute(query.order_by(stock_told.c.told_at_ms, stock_told.c.sku_id).limit(limit))
    )


def save_told(tx: Transaction, rows: Sequence[Values]) -> None:
    """Rows of stock_told."""
    tx.upsert(stock_told, rows)


def works(tx: Transaction, fulfillment_order_ids: Collection[str]) -> dict[str, Row]:
    """Fulfillment order id -> its row."""
    query = sa.select(fulfillment_order).where(
        among(tx, fulfillment_order.c.fulfillment_order_id, fulfillment_order_ids)
    )
    return {row.fulfillment_order_id: row for row in tx.connection.execute(query)}


def orders_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, Row]:
    """Order id -> what may be told of it: nothing that is personal."""
    names = (
        "order_id",
        "channel",
        "reference",
        "state",
        "node_id",
        "method",
        "service_class",
        "placed_at_ms",
    )
    query = sa.select(*(orders.c[name] for name in names)).where(among(tx, orders.c.order_id, order_ids))
    return {row.order_id: row for row in tx.connection.execute(query)}


def parcels_of(tx: Transaction, fulfillment_order_ids: Collection[str]) -> dict[str, list[Row]]:
    """Fulfillment order id -> its parcels, voided ones left out."""
    query = sa.select(parcel).where(
        among(tx, parcel.c.fulfillment_order_id, fulfillment_order_ids), parcel.c.state != "voided"
    )
    found: dict[str, list[Row]] = {}
    for row in tx.connection.execute(query.order_by(parcel.c.sscc)):
        found.setdefault(row.fulfillment_order_id, []).append(row)
    return found


def return_of(tx: Transaction, node_id: str, return_id: str) -> Row | None:
    """A customer's return."""
    key = (customer_return.c.node_id == node_id, customer_return.c.return_id == return_id)
    return tx.connection.execute(sa.select(customer_return).where(*key)).first()


def refund_of(tx: Transaction, node_id: str, return_id: str) -> Row | None:
    """A refund that is due."""
    key = (refund.c.node_id == node_id, refund.c.return_id == return_id)
    return tx.connection.execute(sa.select(refund).where(*key)).first()
