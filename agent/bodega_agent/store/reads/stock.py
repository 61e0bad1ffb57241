"""What lies where: by place, lot, serial number and owner, with the doubts about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from bodega.core.expiry import first_out_key
from bodega.core.ledger import Disposition

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Which stock is meant; every text that is not empty must be so."""

    sku_id: str = ""
    bin_id: str = ""
    lot: str = ""
    disposition: str = ""
    owner: str = ""


EVERYTHING = StockFilter()

# What stock can be summed by, and the column that says it.
GROUPS = {"sku": "sku_id", "bin": "bin", "lot": "lot", "disposition": "disposition", "owner": "owner"}


def by_place(reader: Reader, wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Stock on hand by place, with names: bin, sku_id, name, lot, expiry, owner, disposition, quantity.

    `expiry` is an ISO 8601 date, or empty where the lot has none or nobody has said it.
    """
    return reader.rows(
        "SELECT b.bin, b.sku_id, coalesce(s.name, '') AS name, b.lot, coalesce(l.expiry, '') AS expiry, b.owner,"
        " b.disposition, b.quantity FROM balance b LEFT JOIN sku s USING (sku_id)"
        " LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot WHERE b.external = ''"
        " AND (?1 = '' OR b.sku_id = ?1) AND (?2 = '' OR b.bin = ?2) AND (?3 = '' OR b.lot = ?3)"
        " AND (?4 = '' OR b.disposition = ?4) AND (?5 = '' OR b.owner = ?5)"
        " ORDER BY b.bin, b.sku_id, b.lot",
        *astuple(wanted),
    )


def summed(reader: Reader, wanted: StockFilter, groups: Sequence[str]) -> list[Json]:
    """Stock on hand summed by these of GROUPS: their columns, places (how many) and quantity."""
    columns = [GROUPS[group] for group in groups]
    places: dict[tuple[str, ...], set[str]] = defaultdict(set)
    units: dict[tuple[str, ...], int] = defaultdict(int)
    for row in by_place(reader, wanted):
        key = tuple(row[column] for column in columns)
        places[key].add(row["bin"])
        units[key] += row["quantity"]
    return [
        {**dict(zip(columns, key, strict=True)), "places": len(places[key]), "quantity": units[key]}
        for key in sorted(units)
    ]


def lots(reader: Reader, wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Lots on hand, the one that goes out first before the others: sku_id, name, lot, expiry, sellable, on_hand."""
    found: dict[tuple[str, str], Json] = {}
    for row in by_place(reader, wanted):
        if row["lot"]:
            same = {name: row[name] for name in ("sku_id", "name", "lot", "expiry")}
            lot = found.setdefault((row["sku_id"], row["lot"]), {**same, "sellable": 0, "on_hand": 0})
            lot["on_hand"] += row["quantity"]
            lot["sellable"] += row["quantity"] if row["disposition"] == Disposition.SELLABLE else 0
    return sorted(found.values(), key=lambda lot: (first_out_key(lot["expiry"], lot["lot"]), lot["sku_id"]))


def serials(reader: Reader, serial: str = "", wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Where units with serial numbers are: sku_id, serial, bin or external, disposition, lot, owner.

    One serial number wherever it is, or those that lie in the node.
    """
    return reader.rows(
        "SELECT sku_id, serial, bin, external, disposition, lot, owner FROM serial"
        " WHERE (?6 = serial OR (?6 = '' AND external = '')) AND (?1 = '' OR sku_id = ?1)"
        " AND (?2 = '' OR bin = ?2) AND (?3 = '' OR lot = ?3) AND (?4 = '' OR disposition = ?4)"
        " AND (?5 = '' OR owner = ?5) ORDER BY sku_id, serial",
        *astuple(wanted),
        serial,
    )


def discrepancies(reader: Reader, wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Open differences between shelf and book, oldest first: seq, at_ms, bin, sku_id, lot, difference, reason.

    `difference` is shelf minus book in base units; `at_ms` is None once the event lies in an archive.
    """
    return reader.rows(
        "SELECT b.seq, j.at_ms, b.bin, b.sku_id, b.lot, b.difference, b.reason"
        " FROM discrepancy b LEFT JOIN journal j USING (seq) WHERE b.closed_seq = 0"
        " AND (?1 = '' OR b.sku_id = ?1) AND (?2 = '' OR b.bin = ?2) AND (?3 = '' OR b.lot = ?3)"
        " ORDER BY b.seq",
        wanted.sku_id,
        wanted.bin_id,
        wanted.lot,
    )
