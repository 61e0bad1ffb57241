"""What nodes say of their floors, for people and programs to read: the newest word of each thing."""

from __future__ import annotations

from collections.abc import Mapping

from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.store import floor
from bodega_controlplane.store.rows import Row, Table
from bodega_controlplane.store.schema import floor as schema
from bodega_controlplane.store.transaction import Transaction

# What a reader calls them -> where they are.
KINDS: Mapping[str, Table] = {
    "receipts": schema.receipt,
    "exceptions": schema.floor_exception,
    "shifts": schema.shift,
    "parcels": schema.parcel,
    "manifests": schema.manifest,
    "pickups": schema.pickup,
    "returns": schema.customer_return,
    "refunds": schema.refund,
    "counts": schema.floor_count,
    "transfers": schema.transfer_progress,
    "substitutions": schema.line_substitution,
}


def list_records(
    tx: Transaction, kind: str, node_id: str, size: int
) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Names of the columns and the records, newest first. Raises InvalidInput for a kind that is none."""
    faults = Faults()
    faults.one_of("kind", kind, tuple(KINDS))
    faults.raise_if_any("the question")
    table = KINDS[kind]
    names = tuple(column.name for column in table.columns)
    return names, tuple(floor.newest(tx, table, node_id, limit_of(size)))
