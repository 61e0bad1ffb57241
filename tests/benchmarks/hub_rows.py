"""A network for the hub's benchmarks: nodes over the peninsula, a catalogue, stock of every SKU at every node.

Nodes and catalogue come by the use cases; stock, rights and promises are written as rows, as many journals would leave
them: two bins of each SKU at each node, the supplier's account that sums them to zero, a promise here and there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bodega.core.ledger import SUPPLIER, Disposition
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.views import GeoPoint
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR, node_draft, sku

SKUS = 1_000
UNITS_A_BIN = 1_000_000
_SELLABLE = Disposition.SELLABLE.value
_STOCK = ("sku_id", "disposition", "external", "node_id", "bin", "lot", "owner", "quantity")
_RIGHTS_OF = 10
_NODES_A_SLICE = 20
_ROWS_A_SLICE = 100


def node_id(number: int) -> str:
    """The node of this number."""
    return f"node-{number:03}"


def sku_id(number: int) -> str:
    """The SKU of this number."""
    return f"SKU-{number:04}"


def place(draw: Random) -> GeoPoint:
    """Somewhere in Portugal or Spain."""
    return GeoPoint(draw.uniform(37.0, 43.0), draw.uniform(-9.0, 3.0))


def build(database: str, data_dir: Path, node_count: int, skus: int = SKUS) -> list[float]:
    """Make the network; how long the writer was held for each slice of the catalogue, seconds."""
    data_dir.mkdir(parents=True, exist_ok=True)
    store = open_store(database, data_dir)
    try:
        draw = Random(7)
        for number in range(node_count):
            draft = node_draft(node_id(number), place(draw), number=number)
            store.write(lambda tx, draft=draft: nodes.register_node(tx, OPERATOR, draft))  # type: ignore[misc]  # bound now, because it is a loop
        held_s = [_imported(store, begin, skus) for begin in range(0, skus, _ROWS_A_SLICE)]
        for begin in range(0, node_count, _NODES_A_SLICE):
            numbers = range(begin, min(begin + _NODES_A_SLICE, node_count))
            store.write(lambda tx, numbers=numbers: _stock(tx, numbers, skus))  # type: ignore[misc]  # as above
        return held_s
    finally:
        store.close()


def _imported(store: Store, begin: int, skus: int) -> float:
    drafts = [sku(sku_id(number)) for number in range(begin, min(begin + _ROWS_A_SLICE, skus))]
    began = time.perf_counter()
    store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, drafts))
    return time.perf_counter() - began


def _stock(tx: Transaction, numbers: range, skus: int) -> None:
    rows = [
        row for number in numbers for each in range(skus) for row in _balances(node_id(number), sku_id(each))
    ]
    tx.insert_rows(schema.stock, _STOCK, rows)
    rights = [
        {
            "node_id": node_id(number),
            "sku_id": sku_id(each),
            "held": 3,
            "in_flight": 0,
            "wanted": 0,
        }
        for number in numbers
        for each in range(number % _RIGHTS_OF, skus, _RIGHTS_OF)
    ]
    tx.insert_many(schema.node_rights, rights)


def _balances(at: str, of: str) -> Iterator[tuple[object, ...]]:
    yield of, _SELLABLE, "", at, "A-01-01", "", "", UNITS_A_BIN
    yield of, _SELLABLE, "", at, "A-01-02", "", "", UNITS_A_BIN
    yield of, "", SUPPLIER, at, "", "", "", -2 * UNITS_A_BIN
