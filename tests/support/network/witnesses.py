"""What devices, files, database and API hold at the end, as the evidence that the demo's rules judge.

The hub's database is read from PostgreSQL here; all other witnesses are those of `bodega_agent.demo.gather`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa

from bodega.core.ledger import Account
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.evidence import Centre, Evidence, Line, Order, Row, Site, Till, Wire, Work
from bodega_agent.demo.gather import floor_of, journal_of, ledger_of
from bodega_agent.demo.handheld import ask
from bodega_agent.demo.plan import Plan, SitePlan
from bodega_controlplane.store import schema
from bodega_controlplane.store.transaction import Transaction
from support.network.crew import Crew
from support.network.customers import Customers
from support.network.processes import Network

SET_ASIDE = (schema.refused_envelope, schema.parked_event, schema.divergence)

Json = dict[str, Any]
# What lay in each node's file just before it was killed.
Kept = dict[str, tuple[Row, ...]]


def keep(kept: Kept, network: Network, node_id: str) -> None:
    """Remember a node's journal as it is now: all of it must be there at the end."""
    (post,) = [post for post in network.posts if post.node_id == node_id]
    kept[node_id] = journal_of(post.ledger)


def plan_of(network: Network, products: tuple[Product, ...]) -> Plan:
    """Who works where; orders are the customers'."""
    places = tuple(SitePlan(post.site, (), (), ()) for post in network.posts)
    return Plan(0, products, places, (), (), 0, ())


async def site_of(network: Network, crew: Crew, number: int, kept: Kept) -> Site:
    """One node from all sides; it runs."""
    post = network.posts[number]
    verified = await ask(post.socket, "ledger.verify")
    return Site(
        post.node_id,
        floor_of(post.bench, [crew.associates[number].notes]),
        ledger_of(post.ledger, verified=bool(verified["ok"]), kept=kept.get(post.node_id, ())),
    )


async def collect(
    network: Network, crew: Crew, customers: Customers, products: tuple[Product, ...], kept: Kept, hub: int
) -> Evidence:
    """All of it; the API is asked at instance `hub`."""
    sites = tuple([await site_of(network, crew, number, kept) for number in range(len(network.posts))])
    audit = await network.bodegactl("audit", "verify", number=hub)
    store = network.open_store()
    try:
        centre = store.read(lambda tx: centre_of(tx, [site.node_id for site in sites], audit))
    finally:
        store.close()
    told = tuple(_told(row) for row in await customers.orders(hub))
    return Evidence(plan_of(network, products), sites, centre, Wire({}, {}), Till((), told))


def centre_of(tx: Transaction, node_ids: list[str], audit: Json) -> Centre:
    """What the hub's database holds; `audit` is what `bodegactl audit verify` says."""
    node, work = schema.node.c, schema.fulfillment_order.c
    return Centre(
        journals={node_id: _journal(tx, node_id) for node_id in node_ids},
        stock={node_id: _stock(tx, node_id) for node_id in node_ids},
        down_logs={node_id: _down_log(tx, node_id) for node_id in node_ids},
        applied_seq=_pairs(tx, sa.select(node.node_id, node.applied_seq)),
        down_applied_seq=_pairs(tx, sa.select(node.node_id, node.down_applied_seq)),
        orders=_orders(tx),
        works=tuple(
            Work(*row)
            for row in tx.connection.execute(
                sa.select(work.fulfillment_order_id, work.order_id, work.state, work.sscc)
            )
        ),
        open_reservations=_open_promises(tx),
        refused_envelopes=sum(_count(tx, table) for table in SET_ASIDE),
        audit_entries=int(audit["entries"]),
        audit_first_bad_seq=int(audit.get("first_bad_seq") or 0),
        conflicts=Counter(tx.connection.execute(sa.select(schema.conflict.c.kind)).scalars()),
    )


def _open_promises(tx: Transaction) -> int:
    pending = schema.fulfillment_line.c.state == "pending"
    return int(tx.connection.execute(sa.select(sa.func.count()).where(pending)).scalar_one())


def _count(tx: Transaction, table: sa.Table) -> int:
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _pairs(tx: Transaction, query: sa.Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in tx.connection.execute(query)}


def _journal(tx: Transaction, node_id: str) -> tuple[Row, ...]:
    of = schema.journal.c
    query = sa.select(of.epoch, of.seq, of.hash, of.body, of.fact, of.cmd_id, of.at_ms, of.committed_ms)
    rows = tx.connection.execute(query.where(of.node_id == node_id).order_by(of.epoch, of.seq))
    return tuple(Row(row[0], row[1], bytes(row[2]), bytes(row[3]), *row[4:]) for row in rows)


def _down_log(tx: Transaction, node_id: str) -> tuple[Row, ...]:
    of = schema.down_log.c
    query = sa.select(of.epoch, of.seq, of.hash, of.body).where(of.node_id == node_id)
    rows = tx.connection.execute(query.order_by(of.epoch, of.seq))
    return tuple(Row(row[0], row[1], bytes(row[2]), bytes(row[3])) for row in rows)


def _stock(tx: Transaction, node_id: str) -> dict[Account, int]:
    of = schema.stock.c
    query = sa.select(of.sku_id, of.bin, of.disposition, of.lot, of.owner, of.external, of.quantity)
    rows = tx.connection.execute(query.where(of.node_id == node_id, of.quantity != 0))
    return {Account(*row[:6]): row[6] for row in rows}


def _orders(tx: Transaction) -> tuple[Order, ...]:
    of, line = schema.orders.c, schema.order_line.c
    lines: dict[str, list[Line]] = defaultdict(list)
    query = sa.select(line.order_id, line.line, line.sku_id, line.quantity, line.short, line.shipped)
    for row in tx.connection.execute(query.order_by(line.order_id, line.line)):
        lines[row.order_id].append(Line(row.line, row.sku_id, row.quantity, row.short, shipped=row.shipped))
    rows = tx.connection.execute(
        sa.select(of.order_id, of.reference, of.state, of.node_id).order_by(of.order_id)
    )
    return tuple(Order(*row, lines=tuple(lines[row.order_id])) for row in rows)


def _told(order: Json) -> Order:
    lines = tuple(
        Line(row["line"], row["sku_id"], row["quantity"], row["short"], shipped=row["shipped"])
        for row in order["lines"]
    )
    return Order(order["order_id"], order["reference"], order["state"], order["node_id"], lines)
