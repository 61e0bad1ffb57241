"""What every world begins with: a hub's database that knows the nodes and the catalogue, made once and copied."""

from __future__ import annotations

from pathlib import Path

from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.node_views import BinDraft, NodeDraft, SsccRange
from bodega_controlplane.app.views import Caller, GeoPoint, SkuDraft
from bodega_controlplane.store.engine import open_store
from bodega_controlplane.store.transaction import Transaction
from simulator.machine import BEGAN_MS
from simulator.plan import BINS, NODES, ROGUE, SERIAL, SKUS

_NUMBERED = (*NODES, ROGUE)
_WHO = Caller("operator", "operator", BEGAN_MS)


def node_draft(node_id: str) -> NodeDraft:
    """The profile of a node; all are in Lisbon, a little apart."""
    number = _NUMBERED.index(node_id)
    serials = SsccRange(3, "5600000", number * 1000, number * 1000 + 999)
    bins = tuple(BinDraft(bin_id, place) for place, bin_id in enumerate(BINS, start=1))
    place = GeoPoint(38.7 + number / 100, -9.1)
    return NodeDraft(node_id, f"Node {node_id}", place, ("Rua Nova 1", "1100 Lisboa"), serials, bins)


def sku_draft(sku_id: str, name: str = "as delivered") -> SkuDraft:
    """A SKU of the catalogue."""
    return SkuDraft(sku_id, f"{sku_id}, {name}", serial_tracked=sku_id == SERIAL)


def make_first(folder: Path, node_ids: tuple[str, ...]) -> Path:
    """The database, in a folder of its own."""
    folder.mkdir()
    store = open_store("sqlite", folder)

    def fill(tx: Transaction) -> None:
        catalogue.upsert_skus(tx, _WHO, [sku_draft(sku_id) for sku_id in SKUS])
        for node_id in (*node_ids, ROGUE):
            nodes.register_node(tx, _WHO, node_draft(node_id))

    store.write(fill)
    store.close()
    return folder
