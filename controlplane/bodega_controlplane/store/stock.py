"""The replica of the nodes' balance tables, and the promises made against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from bodega.core.ledger import Account, Disposition
from bodega.core.promise import Hold, OverrideRule, held_back
from bodega_controlplane.store.events import note_stock
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.schema import (
    fulfillment_line,
    lot,
    node_rights,
    rule_override,
    serial,
    stock,
)
from bodega_controlplane.store.transaction import Transaction

# The order in which stock is listed; also the whole key, so a page can go on after any row.
LISTING = (
    stock.c.node_id,
    stock.c.bin,
    stock.c.sku_id,
    stock.c.lot,
    stock.c.disposition,
    stock.c.owner,
)

# The key of serials, in the order in which they are listed.
SERIALS_LISTING = (serial.c.sku_id, serial.c.serial, serial.c.node_id)

_DROP_ZERO = sa.delete(stock).where(stock.c.node_id == sa.bindparam("node_id"), stock.c.quantity == 0)
# PostgreSQL has no index of what is zero, but one of bins and SKUs.
_DROP_ZERO_OF = """
DELETE FROM stock USING unnest(%s::text[], %s::text[]) AS touched(bin, sku_id)
WHERE stock.node_id = %s AND stock.bin = touched.bin AND stock.sku_id = touched.sku_id AND stock.quantity = 0
"""

# A node, an account, units.
_ACCOUNT_COLUMNS = ("node_id", *Account._fields, "quantity")


class Held(NamedTuple):
    """Units of one SKU at one node: on sellable places, promised but not yet picked, the node's to promise, and
    kept back by people there.
    """

    sellable: int = 0
    reserved: int = 0
    node_rights: int = 0
    held_back: int = 0


_SUMMED = ("sellable", "reserved", "node_rights", "holds")
_IS_HOLD = (rule_override.c.state == "open", rule_override.c.rule == OverrideRule.HOLD.value)


def _is_past() -> sa.Exists:
    """Whether the node knows that this lot may not be sold any more."""
    known = lot.c.sku_id == stock.c.sku_id, lot.c.lot == stock.c.lot, lot.c.node_id == stock.c.node_id
    return sa.exists().where(*known, lot.c.past)


def _held_query(*, some_nodes: bool) -> sa.Select[Any]:
    wanted: sa.BindParameter[Any] = sa.bindparam("sku_ids", expanding=True)
    sellable = (
        sa.select(
            stock.c.node_id,
            stock.c.sku_id,
            stock.c.quantity.label("sellable"),
            sa.literal(0).label("reserved"),
            sa.literal(0).label("node_rights"),
            sa.literal(0).label("holds"),
        )
        .where(stock.c.disposition == Disposition.SELLABLE.value, stock.c.external == "")
        .where(stock.c.sku_id.in_(wanted))
        .where((stock.c.lot == "") | ~_is_past())
    )
    promised = fulfillment_line.c
    pending = promised.quantity - promised.posted - promised.voided
    reserved = (
        sa.select(promised.node_id, promised.sku_id, sa.literal(0), pending, sa.literal(0), sa.literal(0))
        .where(promised.state == "pending")
        .where(promised.sku_id.in_(wanted))
    )
    not_the_hubs = node_rights.c.held + node_rights.c.in_flight
    rights = sa.select(
        node_rights.c.node_id, node_rights.c.sku_id, sa.literal(0), sa.literal(0), not_the_hubs, sa.literal(0)
    ).where(node_rights.c.sku_id.in_(wanted))
    holds = sa.select(
        rule_override.c.node_id,
        rule_override.c.sku_id,
        sa.literal(0),
        sa.literal(0),
        sa.literal(0),
        sa.literal(1),
    ).where(*_IS_HOLD, rule_override.c.sku_id.in_(wanted))
    if some_nodes:
        at_nodes: sa.BindParameter[Any] = sa.bindparam("node_ids", expanding=True)
        sellable = sellable.where(stock.c.node_id.in_(at_nodes))
        reserved = reserved.where(promised.node_id.in_(at_nodes))
        rights = rights.where(node_rights.c.node_id.in_(at_nodes))
        holds = holds.where(rule_override.c.node_id.in_(at_nodes))
    parts = sellable.union_all(reserved, rights, holds).subquery()
    columns: list[Any] = [parts.c.node_id, parts.c.sku_id]
    # PostgreSQL's sum of BIGINT is a NUMERIC.
    sums = (sa.cast(sa.func.sum(parts.c[name]), sa.BigInteger).label(name) for name in _SUMMED)
    return sa.select(*columns, *sums).group_by(*columns)


# Put together once: every order asks them, and building one takes longer than running it.
_HOLDS = sa.select(
    rule_override.c.node_id, rule_override.c.sku_id, rule_override.c.lot, rule_override.c.quantity
).where(
    *_IS_HOLD,
    rule_override.c.sku_id.in_(sa.bindparam("sku_ids", expanding=True)),
)
_HELD, _HELD_AT = _held_query(some_nodes=False), _held_query(some_nodes=True)


def _levels_query() -> sa.Select[Any]:
    at_nodes = _HELD.subquery()
    kept = at_nodes.c.reserved + at_nodes.c.node_rights + sa.bindparam("safety_stock", type_=sa.BigInteger)
    left = at_nodes.c.sellable - kept
    sums = (at_nodes.c.sellable, at_nodes.c.reserved, sa.case((left > 0, left), else_=0))
    columns = (sa.cast(sa.func.sum(one), sa.BigInteger) for one in sums)
    return sa.select(at_nodes.c.sku_id, *columns).group_by(at_nodes.c.sku_id)


_LEVELS = _levels_query()


def held(
    tx: Transaction, sku_ids: Collection[str], node_ids: Collection[str] | None = None
) -> dict[tuple[str, str], Held]:
    """(node, SKU) -> what is held there; none means zero. Stock and promises are of one moment, in one statement.

    `node_ids`: at these nodes only.
    """
    asked: dict[str, Any] = {"sku_ids": sorted(sku_ids)}
    if node_ids is None:
        rows = tx.connection.execute(_HELD, asked)
    else:
        rows = tx.connection.execute(_HELD_AT, {**asked, "node_ids": sorted(node_ids)})
    found = {}
    is_held_back = False
    for node, sku, sellable, reserved, rights, holds in rows.all():
        found[node, sku] = Held(sellable, reserved, rights)
        is_held_back |= holds > 0
    if is_held_back:
        for place, units in _held_back(tx, asked["sku_ids"], node_ids).items():
            if place in found:
                found[place] = found[place]._replace(held_back=units)
    return found


class Level(NamedTuple):
    """Units of one SKU over all nodes; `available`: what may be promised of it, node by node, summed."""

    sellable: int = 0
    reserved: int = 0
    available: int = 0


def levels(tx: Transaction, sku_ids: Collection[str], safety_stock: int) -> dict[str, Level]:
    """SKU -> its level, summed in the database by the rule of `Standing.available`; none means zero."""
    wanted = sorted(sku_ids)
    rows = tx.connection.execute(_LEVELS, {"sku_ids": wanted, "safety_stock": safety_stock})
    found = {row[0]: Level(*row[1:]) for row in rows}
    for (node_id, sku_id), units in _held_back(tx, wanted, None).items():
        here = held(tx, [sku_id], [node_id]).get((node_id, sku_id), Held())
        left = here.sellable - here.reserved - here.node_rights - safety_stock
        level = found.get(sku_id, Level())
        found[sku_id] = level._replace(available=level.available - min(units, max(0, left)))
    return found


def _held_back(
    tx: Transaction, sku_ids: Collection[str], node_ids: Collection[str] | None
) -> dict[tuple[str, str], int]:
    """(node, SKU) -> units that people at the node keep from being promised, of what is sellable there."""
    holds: dict[tuple[str, str], list[Hold]] = defaultdict(list)
    for row in tx.connection.execute(_HOLDS, {"sku_ids": sku_ids}).all():
        if node_ids is not None and row.node_id not in node_ids:
            continue
        holds[row.node_id, row.sku_id].append(Hold(row.lot, row.quantity))
    return {
        place: held_back(of_place, _sellable_by_lot(tx, *place)) for place, of_place in sorted(holds.items())
    }


def _sellable_by_lot(tx: Transaction, node_id: str, sku_id: str) -> dict[str, int]:
    query = sa.select(stock.c.lot, sa.func.sum(stock.c.quantity)).where(
        stock.c.sku_id == sku_id,
        stock.c.disposition == Disposition.SELLABLE.value,
        stock.c.external == "",
        stock.c.node_id == node_id,
    )
    return {lot: int(units) for lot, units in tx.connection.execute(query.group_by(stock.c.lot))}


def page(
    tx: Transaction, after: Iterable[Any] | None, limit: int, *, node_id: str = "", sku_id: str = ""
) -> list[Row]:
    """Physical stock in LISTING order, after a key."""
    query = sa.select(stock).where(stock.c.external == "")
    if node_id:
        query = query.where(stock.c.node_id == node_id)
    if sku_id:
        query = query.where(stock.c.sku_id == sku_id)
    if after is not None:
        query = query.where(sa.tuple_(*LISTING) > sa.tuple_(*(sa.literal(str(part)) for part in after)))
    return list(tx.connection.execute(query.order_by(*LISTING).limit(limit)))


def physical_at(tx: Transaction, node_id: str) -> dict[Account, int]:
    """All that lies in a node, by account."""
    query = sa.select(stock).where(stock.c.node_id == node_id, stock.c.external == "")
    return {
        Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner): row.quantity
        for row in tx.connection.execute(query)
    }


def of_sku(tx: Transaction, node_id: str, sku_id: str) -> dict[Account, int]:
    """All of one SKU at one node, by account: what lies there, and the outside accounts."""
    query = sa.select(stock).where(stock.c.node_id == node_id, stock.c.sku_id == sku_id)
    return {
        Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner, row.external): row.quantity
        for row in tx.connection.execute(query)
    }


def put_serials(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Where a node says that serial numbers are now."""
    tx.upsert(serial, rows)


def serials(
    tx: Transaction,
    after: Iterable[Any] | None,
    limit: int,
    *,
    sku_id: str = "",
    number: str = "",
    in_two_nodes: bool = False,
) -> list[Row]:
    """Where serial numbers are, in SERIALS_LISTING order, after a key.

    `in_two_nodes` keeps those that more than one node holds physically. Journals arrive in any order, so a
    unit on its way can show there for a moment; one that stays is a fault.
    """
    query = sa.select(serial)
    if sku_id:
        query = query.where(serial.c.sku_id == sku_id)
    if number:
        query = query.where(serial.c.serial == number)
    if in_two_nodes:
        here = serial.alias()
        elsewhere = sa.exists().where(
            here.c.sku_id == serial.c.sku_id,
            here.c.serial == serial.c.serial,
            here.c.node_id != serial.c.node_id,
            here.c.external == "",
        )
        query = query.where(serial.c.external == "", elsewhere)
    if after is not None:
        query = query.where(
            sa.tuple_(*SERIALS_LISTING) > sa.tuple_(*(sa.literal(str(part)) for part in after))
        )
    return list(tx.connection.execute(query.order_by(*SERIALS_LISTING).limit(limit)))


def add(tx: Transaction, node_id: str, changes: Mapping[Account, int]) -> None:
    """Add to the balances of a node; accounts that come to zero disappear."""
    rows = [(node_id, *account, change) for account, change in changes.items() if change]
    if not rows:
        return
    tx.add_rows(stock, _ACCOUNT_COLUMNS, rows, add=("quantity",))
    note_stock(tx, changes)
    if tx.exclusive:
        tx.connection.execute(_DROP_ZERO, {"node_id": node_id})
    else:
        touched = [account for account, change in changes.items() if change]
        names = ([account.bin for account in touched], [account.sku_id for account in touched])
        tx.connection.exec_driver_sql(_DROP_ZERO_OF, (*names, node_id))
