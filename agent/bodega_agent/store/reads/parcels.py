"""Manifests and the parcels on them, as commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bodega.errors import NotFound

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]


def manifests(reader: Reader, limit: int, *, only_open: bool = False) -> list[Json]:
    """The newest manifests: what each is, how many parcels are on it, how many of its carrier are still here."""
    where = "WHERE m.closed_seq = 0" if only_open else ""
    rows = reader.rows(
        "SELECT m.manifest_id, m.carrier, m.ship_date, m.parcels, m.closed_seq, (SELECT count(*) FROM"  # noqa: S608  # constants
        "   fulfillment_order f JOIN parcel p ON p.sscc = f.sscc WHERE f.state = 'labelled' AND p.carrier = m.carrier)"
        f"   AS still_here FROM manifest m {where} ORDER BY m.ship_date DESC, m.carrier, m.manifest_id DESC LIMIT ?",
        limit,
    )
    return [_told(row) for row in rows]


def manifest(reader: Reader, manifest_id: str) -> Json:
    """One manifest with its parcels in the order of handover; raises NotFound."""
    rows = reader.rows(
        "SELECT manifest_id, carrier, ship_date, parcels, closed_seq FROM manifest WHERE manifest_id = ?",
        manifest_id,
    )
    if not rows:
        raise NotFound(f"there is no manifest '{manifest_id}'", hint="bodega manifest ls")
    parcels = reader.rows(
        "SELECT sscc, fulfillment_order_id, service, tracking_number, carton_id, weight_g, price_minor, currency"
        " FROM parcel WHERE manifest_id = ? AND manifest_id <> '' ORDER BY on_manifest",
        manifest_id,
    )
    return {**_told(rows[0]), "lines": parcels}


def waiting(reader: Reader) -> list[Json]:
    """Labelled parcels that no carrier has yet, by carrier and planned day, the oldest label first."""
    return reader.rows(
        "SELECT p.sscc, f.fulfillment_order_id, p.carrier, p.service, p.ship_date, p.tracking_number, p.weight_g"
        " FROM fulfillment_order f JOIN parcel p ON p.sscc = f.sscc WHERE f.state = 'labelled'"
        " AND f.method IN ('', 'parcel') ORDER BY p.carrier, p.ship_date, f.advanced_seq"
    )


def _told(row: Json) -> Json:
    closed_seq = row.pop("closed_seq")
    return {**row, "state": "closed" if closed_seq else "open"}
