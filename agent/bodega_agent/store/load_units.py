"""Pallets and totes with a number of their own: announced ones that came in, and those that this node has numbered."""

from __future__ import annotations

from typing import NamedTuple

from bodega_adapters.labels import document
from bodega_agent.store import catalogue, labels
from bodega_agent.store.transaction import Context, Transaction

_TOTE = "tote"


class LoadUnit(NamedTuple):
    """`own`: the SSCC is of this node's range; `proven`: its label was read."""

    sscc: str
    own: bool
    proven: bool


def find(tx: Transaction, sscc: str) -> LoadUnit | None:
    """A pallet that is here or was, or None."""
    row = tx.one("SELECT sscc, own, proven FROM load_unit WHERE sscc = ?", (sscc,))
    return LoadUnit(row[0], bool(row[1]), bool(row[2])) if row else None


def take(tx: Transaction, sscc: str, receipt_id: str) -> None:
    """An announced pallet has come in; whose label it is needs no proof."""
    tx.execute("INSERT INTO load_unit(sscc, receipt_id, own, proven) VALUES (?, ?, 0, 1)", (sscc, receipt_id))


def start(tx: Transaction, context: Context, sscc: str, receipt_id: str) -> None:
    """A pallet gets the node's next SSCC, and its label is queued."""
    profile = catalogue.profile_of(tx)
    values = {"name": ("PALLET",), "site": (profile.name if profile else "",), "sscc": (sscc,)}
    tx.execute("INSERT INTO load_unit(sscc, receipt_id, own, proven) VALUES (?, ?, 1, 0)", (sscc, receipt_id))
    labels.number_unit(tx, context, sscc, document.of_layout(_TOTE, values).to_bytes())


def prove(tx: Transaction, context: Context, sscc: str) -> None:
    """Its label was read: it was printed."""
    tx.execute("UPDATE load_unit SET proven = 1 WHERE sscc = ?", (sscc,))
    labels.scan_back(tx, context, sscc)
