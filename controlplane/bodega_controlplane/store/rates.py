"""Rows of rate cards, of carriers that are down, and of what nodes were given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import node
from bodega_controlplane.store.schema.rates import carrier_card, carrier_down, node_shipping, rate_card
from bodega_controlplane.store.transaction import Transaction

# Writers of cards take turns, so that versions rise one by one.
_CARDS_LOCK = 0x72617465

_NEWEST = (rate_card.c.valid_from_ms.desc(), rate_card.c.version.desc())
_IN_FORCE = (
    sa.select(rate_card.c.version)
    .where(rate_card.c.valid_from_ms <= sa.bindparam("now_ms"))
    .order_by(*_NEWEST)
    .limit(1)
)
# Put together once, because every order asks them.
_GIVEN: sa.Select[Any] = sa.select(node_shipping.c.node_id, node_shipping.c.digest).order_by(
    node_shipping.c.node_id
)
_GIVEN_TO = _GIVEN.where(node_shipping.c.node_id == sa.bindparam("wanted"))
_DOWN = sa.select(carrier_down).order_by(carrier_down.c.carrier)
_SUMMARY = [column for column in rate_card.c if column.name != "body"]


def lock(tx: Transaction) -> None:
    """Be the only writer of cards until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CARDS_LOCK)))


def in_force(tx: Transaction, now_ms: int) -> int:
    """Version of the card in force; 0 without any."""
    return int(tx.connection.execute(_IN_FORCE, {"now_ms": now_ms}).scalar() or 0)


def card(tx: Transaction, version: int) -> Row | None:
    """One card with its body."""
    return tx.connection.execute(sa.select(rate_card).where(rate_card.c.version == version)).first()


def cards(tx: Transaction, limit: int) -> list[Row]:
    """Cards with their bodies, newest version first."""
    return list(tx.connection.execute(sa.select(rate_card).order_by(rate_card.c.version.desc()).limit(limit)))


def newest(tx: Transaction) -> Row | None:
    """The newest version without its body."""
    return tx.connection.execute(sa.select(*_SUMMARY).order_by(rate_card.c.version.desc()).limit(1)).first()


def put_card(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Add a card."""
    tx.insert_many(rate_card, [row])


def down(tx: Transaction) -> dict[str, Row]:
    """Carriers that are down, by name."""
    return {row.carrier: row for row in tx.connection.execute(_DOWN)}


def put_down(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A carrier is down; one that is down already stays as it was."""
    tx.upsert(carrier_down, [row], keep=("since_ms", "said_by", "reason"))


def put_up(tx: Transaction, carrier: str) -> None:
    """A carrier is up again."""
    tx.connection.execute(sa.delete(carrier_down).where(carrier_down.c.carrier == carrier))


def published(tx: Transaction) -> list[Row]:
    """What carriers have said themselves, by name."""
    return list(tx.connection.execute(sa.select(carrier_card).order_by(carrier_card.c.carrier)))


def publish(tx: Transaction, row: Mapping[str, Any]) -> None:
    """What a carrier says now."""
    tx.upsert(carrier_card, [row])


def unpublish(tx: Transaction, carrier: str) -> None:
    """A carrier says nothing any more."""
    tx.connection.execute(sa.delete(carrier_card).where(carrier_card.c.carrier == carrier))


def given(tx: Transaction, node_ids: Collection[str]) -> dict[str, str]:
    """Node -> digest of what it was given, of these; nodes without any are left out."""
    if len(node_ids) == 1:
        rows = tx.connection.execute(_GIVEN_TO, {"wanted": next(iter(node_ids))}).all()
    else:
        rows = tx.connection.execute(_GIVEN).all()
    return {node_id: digest for node_id, digest in rows if node_id in node_ids}


def bodies(tx: Transaction, digests: Collection[str]) -> dict[str, bytes]:
    """Bodies by their digest."""
    query = sa.select(node_shipping.c.digest, node_shipping.c.body).where(
        node_shipping.c.digest.in_(sorted(digests))
    )
    return {row.digest: row.body for row in tx.connection.execute(query)}


def all_bodies(tx: Transaction) -> list[bytes]:
    """Every body once."""
    query = sa.select(node_shipping.c.digest, node_shipping.c.body)
    return list({row.digest: row.body for row in tx.connection.execute(query)}.values())


def give(tx: Transaction, row: Mapping[str, Any]) -> None:
    """What a node is given now."""
    tx.upsert(node_shipping, [row])


def behind(tx: Transaction, stamp: str, limit: int) -> list[str]:
    """Nodes that were given something else than what is right now, by id."""
    query = (
        sa.select(node.c.node_id)
        .select_from(node.outerjoin(node_shipping, node.c.node_id == node_shipping.c.node_id))
        .where(sa.func.coalesce(node_shipping.c.stamp, "") != stamp)
        .order_by(node.c.node_id)
        .limit(limit)
    )
    return list(tx.connection.execute(query).scalars())
