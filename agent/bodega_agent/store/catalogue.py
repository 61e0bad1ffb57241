"""The node's copy of what the hub owns: its profile, bins and SKUs. Only higher versions replace."""

from __future__ import annotations

from collections.abc import Iterable

from bodega.codec import sku_from_wire
from bodega.core.sku import Sku
from bodega.v1 import catalogue_pb2
from bodega_agent.store.transaction import Transaction


def put_profile(tx: Transaction, profile: catalogue_pb2.NodeProfile) -> None:
    """Take over the node's profile and its bins."""
    if profile.version <= tx.get("profile_version", 0):
        return
    tx.put("profile", profile.SerializeToString())
    tx.put("profile_version", profile.version)
    tx.execute("DELETE FROM bin")
    tx.executemany(
        "INSERT OR REPLACE INTO bin(bin_id, walk_order, kind, temperature_class, velocity_class, capacity_ml,"
        " capacity_g, fixed_sku_id, refill_below, refill_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                b.bin_id,
                b.walk_order,
                b.kind,
                b.temperature_class,
                b.velocity_class,
                b.capacity_ml,
                b.capacity_g,
                b.fixed_sku_id,
                b.refill_below,
                b.refill_to,
            )
            for b in profile.bins
        ),
    )
    _put_associates(tx, profile.associates)
    apply_local_fields(tx)


def _put_associates(tx: Transaction, associates: Iterable[catalogue_pb2.Associate]) -> None:
    tx.execute("DELETE FROM associate")
    tx.executemany(
        "INSERT OR REPLACE INTO associate(associate_id, name, role, badge, pin_salt, pin_hash)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        ((a.associate_id, a.name, a.role, a.badge, a.pin_salt, a.pin_hash) for a in associates),
    )


def apply_local_fields(tx: Transaction) -> None:
    """What this node owns of a record outranks what the hub has sent of it (`core.conflicts.fields`)."""
    tx.execute(
        "UPDATE bin SET walk_order = CAST(value AS INTEGER) FROM local_field"
        " WHERE local_field.kind = 'bin' AND subject = bin_id AND field = 'walk_order'"
    )


def profile_of(tx: Transaction) -> catalogue_pb2.NodeProfile | None:
    """The profile that the hub sent, or None before it has."""
    body = tx.get("profile")
    return catalogue_pb2.NodeProfile.FromString(body) if body is not None else None


def put_sku(tx: Transaction, sku: catalogue_pb2.Sku) -> None:
    """Add or replace a SKU and its GTINs. A GTIN that moved between SKUs follows the newest."""
    row = tx.one("SELECT version FROM sku WHERE sku_id = ?", (sku.sku_id,))
    if row and row[0] >= sku.version:
        return
    tx.execute(
        "INSERT OR REPLACE INTO sku(sku_id, name, owner, lot_tracked, version, body)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (sku.sku_id, sku.name, sku.owner, sku.lot_tracked, sku.version, sku.SerializeToString()),
    )
    tx.execute("DELETE FROM gtin WHERE sku_id = ?", (sku.sku_id,))
    means = [(gtin, "") for gtin in sku.gtins]
    means += [(gtin, unit.unit) for unit in sku.units for gtin in unit.gtins]
    tx.executemany(
        "INSERT OR REPLACE INTO gtin(gtin, sku_id, unit) VALUES (?, ?, ?)",
        ((gtin, sku.sku_id, unit) for gtin, unit in means),
    )


def sku_by_gtin(tx: Transaction, gtin: str) -> tuple[Sku, str] | None:
    """The SKU that a GTIN (14 digits) means and the unit of it (empty: the base unit), or None."""
    row = tx.one("SELECT s.body, g.unit FROM gtin g JOIN sku s USING (sku_id) WHERE g.gtin = ?", (gtin,))
    return (_sku(row[0]), row[1]) if row else None


def sku_by_id(tx: Transaction, sku_id: str) -> Sku | None:
    """The SKU of this id, or None."""
    row = tx.one("SELECT body FROM sku WHERE sku_id = ?", (sku_id,))
    return _sku(row[0]) if row else None


def name_of(tx: Transaction, sku_id: str) -> str:
    """What a person calls it; the id of one that is not in the catalogue."""
    row = tx.one("SELECT name FROM sku WHERE sku_id = ?", (sku_id,))
    return row[0] if row and row[0] else sku_id


def _sku(body: bytes) -> Sku:
    return sku_from_wire(catalogue_pb2.Sku.FromString(body))


def expiry_of(tx: Transaction, sku_id: str, lot: str) -> str | None:
    """What the node knows of a lot's expiry: None if the lot was never seen, empty if it was never said."""
    row = tx.one("SELECT expiry FROM lot WHERE sku_id = ? AND lot = ?", (sku_id, lot))
    return row[0] if row else None


def known_texts(tx: Transaction, table: str) -> list[str]:
    """Every id of "sku" or "bin", for a suggestion when one was misspelt."""
    columns = {"sku": "SELECT sku_id FROM sku", "bin": "SELECT bin_id FROM bin"}
    return [row[0] for row in tx.execute(columns[table])]


def has_bin(tx: Transaction, bin_id: str) -> bool:
    """Whether this text is the label of one of the node's bins."""
    return tx.one("SELECT 1 FROM bin WHERE bin_id = ?", (bin_id,)) is not None


def carton_named(tx: Transaction, text: str) -> str:
    """The carton whose barcode says this; empty if it is none of the node's."""
    profile = profile_of(tx)
    return text if profile and any(one.carton_id == text for one in profile.cartons) else ""
