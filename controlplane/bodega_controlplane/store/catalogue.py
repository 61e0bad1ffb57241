"""SKUs and their GTINs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.among import among
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import gtin, sku
from bodega_controlplane.store.transaction import Transaction

# Writers of the catalogue take turns, so that two of them cannot give one GTIN to two SKUs unseen.
_CATALOGUE_LOCK = 0x736B7573


# Put together once, because every order asks it.
_BY_IDS = sa.select(sku).where(sku.c.sku_id.in_(sa.bindparam("wanted", expanding=True)))


def lock(tx: Transaction) -> None:
    """Be the only writer of the catalogue until the end of the transaction."""
    if not tx.exclusive:
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CATALOGUE_LOCK)))


def by_ids(tx: Transaction, sku_ids: Collection[str]) -> dict[str, Row]:
    """SKU rows by id; unknown ids are left out."""
    return {row.sku_id: row for row in tx.connection.execute(_BY_IDS, {"wanted": sorted(sku_ids)}).all()}


def page(tx: Transaction, after: str, limit: int) -> list[Row]:
    """SKU rows by id, after one."""
    query = sa.select(sku).where(sku.c.sku_id > after).order_by(sku.c.sku_id).limit(limit)
    return list(tx.connection.execute(query))


def gtins_of(tx: Transaction, sku_ids: Collection[str]) -> dict[str, list[str]]:
    """GTINs of the base unit by SKU, sorted; SKUs without any are left out."""
    query = sa.select(gtin).where(among(tx, gtin.c.sku_id, sku_ids), gtin.c.unit == "").order_by(gtin.c.gtin)
    found: dict[str, list[str]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.sku_id, []).append(row.gtin)
    return found


def owners_of(tx: Transaction, gtins: Collection[str]) -> dict[str, str]:
    """GTIN -> SKU that has it now."""
    query = sa.select(gtin).where(among(tx, gtin.c.gtin, gtins))
    return {row.gtin: row.sku_id for row in tx.connection.execute(query)}


def replace(tx: Transaction, skus: Sequence[Mapping[str, Any]], gtins: Sequence[Mapping[str, str]]) -> None:
    """Write whole SKUs; their GTINs are those given and no others."""
    tx.upsert(sku, skus)
    ids = [row["sku_id"] for row in skus]
    tx.connection.execute(sa.delete(gtin).where(among(tx, gtin.c.sku_id, ids)))
    if gtins:
        tx.insert_many(gtin, gtins)
