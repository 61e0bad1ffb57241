"""Collects the evidence: from hands and devices, from the files of nodes and hub, from broker and API.

Databases are opened read-only and with one SQLite library (apsw) only. Nothing here asks a program what it
meant to do; where a program's own check is evidence (a ledger, the audit chain), it is asked to make it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from bodega.codec import envelope_from_bytes
from bodega.core.ledger import Account
from bodega.core.sync import Envelope
from bodega_agent.demo.associate import Notes
from bodega_agent.demo.bench import Bench
from bodega_agent.demo.evidence import Centre, Floor, Ledger, Line, Order, Row, Till, Wire, Work
from bodega_agent.demo.shop import Shop

Json = dict[str, Any]

_BALANCES = "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM"
_JOURNAL = "SELECT {epoch}, seq, hash, body, fact, cmd_id, at_ms{committed} FROM journal{where} ORDER BY seq"


def floor_of(bench: Bench, notes: Sequence[Notes]) -> Floor:
    """What hands and devices of one node know, and what its associates have noted."""
    shelves = bench.shelves
    return Floor(
        bins=dict(+shelves.bins),
        taken=dict(shelves.taken),
        reported_empty=frozenset(shelves.reported_empty),
        unloaded=dict(shelves.unloaded),
        shipped=dict(shelves.shipped),
        dock=dict(+shelves.dock),
        stages={order: dict(+stage) for order, stage in shelves.stages.items()},
        parcels={order: dict(+parcel) for order, parcel in shelves.parcels.items()},
        labels=tuple(label.sscc or "unreadable" for label in bench.printer.labels),
        wrong_scans_taken=tuple(said for note in notes for said in note.wrong_scans_taken),
        right_scans_refused=tuple(said for note in notes for said in note.right_scans_refused),
        wrong_scans=sum(note.wrong_scans for note in notes),
    )


def journal_of(ledger: Path) -> tuple[Row, ...]:
    """The journal in a node's file, as it is now."""
    with closing(_open(ledger)) as connection:
        epoch = _meta(connection).get("epoch", 1)
        sql = _JOURNAL.format(epoch=int(epoch), committed="", where="")
        return tuple(Row(*row) for row in connection.execute(sql))


def ledger_of(ledger: Path, *, verified: bool, kept: tuple[Row, ...]) -> Ledger:
    """What a node's file holds."""
    journal = journal_of(ledger)
    with closing(_open(ledger)) as connection:
        meta = _meta(connection)
        lines: dict[str, list[Line]] = defaultdict(list)
        for order, *rest in connection.execute(
            "SELECT fulfillment_order_id, line, sku_id, quantity, short, picked FROM fulfillment_line"
            " ORDER BY 1, 2"
        ):
            lines[order].append(Line(*rest))
        works = connection.execute(
            "SELECT fulfillment_order_id, order_id, state, sscc FROM fulfillment_order"
        )
        return Ledger(
            journal=journal,
            balances=_balances(connection.execute(f"{_BALANCES} balance")),
            works=tuple(
                Work(key, order_id, state, sscc, tuple(lines[key])) for key, order_id, state, sscc in works
            ),
            acked_seq=meta.get("acked_seq", 0),
            down_seq=meta.get("down_seq", 0),
            verified=verified,
            labels_asked_again=_number(connection, "SELECT count(*) FROM print_job WHERE copy > 1"),
            kept=kept,
        )


def centre_of(database: Path, node_ids: Iterable[str], audit: Mapping[str, Any]) -> Centre:
    """What the hub's database holds; `audit` is the answer of `bodegactl audit verify --json`."""
    with closing(_open(database)) as connection:
        return Centre(
            journals={node: _hub_journal(connection, node) for node in node_ids},
            stock={
                node: _balances(
                    connection.execute(f"{_BALANCES} stock WHERE node_id = ? AND quantity <> 0", (node,))
                )
                for node in node_ids
            },
            down_logs={node: _down_log(connection, node) for node in node_ids},
            applied_seq=dict(_pairs(connection, "SELECT node_id, applied_seq FROM node")),
            down_applied_seq=dict(_pairs(connection, "SELECT node_id, down_applied_seq FROM node")),
            orders=_orders(connection),
            works=tuple(
                Work(*row)
                for row in connection.execute(
                    "SELECT fulfillment_order_id, order_id, state, sscc FROM fulfillment_order"
                )
            ),
            open_reservations=_number(
                connection, "SELECT count(*) FROM fulfillment_line WHERE state = 'pending'"
            ),
            refused_envelopes=_number(connection, "SELECT count(*) FROM refused_envelope"),
            audit_entries=int(audit["entries"]),
            audit_first_bad_seq=int(audit.get("first_bad_seq") or 0),
            conflicts=dict(_pairs(connection, "SELECT kind, count(*) FROM conflict GROUP BY kind")),
            verdicts=dict(
                _pairs(connection, "SELECT outcome, count(*) FROM vision_decision GROUP BY outcome")
            ),
        )


def skus_known(ledger: Path) -> int:
    """How many SKUs a node knows."""
    with closing(_open(ledger)) as connection:
        return _number(connection, "SELECT count(*) FROM sku")


def acked_in(ledger: Path) -> int:
    """How far the hub has acknowledged, as a node has kept it; it keeps acks only once in a while."""
    with closing(_open(ledger)) as connection:
        return _number(connection, "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'acked_seq'")


def down_heads(database: Path) -> dict[str, int]:
    """Last sequence of the hub's stream for each node."""
    with closing(_open(database)) as connection:
        return dict(_pairs(connection, "SELECT node_id, down_seq FROM node"))


async def till_of(shop: Shop) -> Till:
    """What the shop was told."""
    return Till(tuple(shop.receipts.values()), tuple(_told(order) for order in await shop.orders()))


def wire_of(up: Iterable[bytes], down: Iterable[bytes]) -> Wire:
    """The streams' messages, read as envelopes."""
    return Wire(_by_node(up), _by_node(down))


def _by_node(messages: Iterable[bytes]) -> Mapping[str, tuple[Envelope, ...]]:
    found: dict[str, list[Envelope]] = defaultdict(list)
    for message in messages:
        envelope = envelope_from_bytes(message)
        found[envelope.node_id].append(envelope)
    return {node_id: tuple(envelopes) for node_id, envelopes in found.items()}


def _hub_journal(connection: apsw.Connection, node_id: str) -> tuple[Row, ...]:
    sql = _JOURNAL.format(epoch="epoch", committed=", committed_ms", where=" WHERE node_id = ?")
    return tuple(Row(*row) for row in connection.execute(sql, (node_id,)))


def _down_log(connection: apsw.Connection, node_id: str) -> tuple[Row, ...]:
    sql = "SELECT epoch, seq, hash, body FROM down_log WHERE node_id = ? ORDER BY seq"
    return tuple(Row(*row) for row in connection.execute(sql, (node_id,)))


def _orders(connection: apsw.Connection) -> tuple[Order, ...]:
    lines: dict[str, list[Line]] = defaultdict(list)
    for order_id, line, sku_id, quantity, short, shipped in connection.execute(
        "SELECT order_id, line, sku_id, quantity, short, shipped FROM order_line ORDER BY order_id, line"
    ):
        lines[order_id].append(Line(line, sku_id, quantity, short, shipped=shipped))
    return tuple(
        Order(order_id, reference, state, node_id, tuple(lines[order_id]))
        for order_id, reference, state, node_id in connection.execute(
            "SELECT order_id, reference, state, node_id FROM orders ORDER BY order_id"
        )
    )


def _told(order: Json) -> Order:
    lines = tuple(
        Line(row["line"], row["sku_id"], row["quantity"], row["short"], shipped=row["shipped"])
        for row in order["lines"]
    )
    return Order(order["order_id"], order["reference"], order["state"], order["node_id"], lines)


def _balances(rows: Iterable[tuple[Any, ...]]) -> dict[Account, int]:
    return {Account(*row[:6]): row[6] for row in rows}


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5_000)
    return connection


def _meta(connection: apsw.Connection) -> dict[str, Any]:
    return dict(_pairs(connection, "SELECT key, value FROM meta"))


def _pairs(connection: apsw.Connection, sql: str) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in connection.execute(sql)]


def _number(connection: apsw.Connection, sql: str) -> int:
    return int(next(iter(connection.execute(sql)))[0])
