"""What lies where: by place, lot, serial number and owner, with the doubts about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

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

_FILTER = (
    "(?1 = '' OR b.sku_id = ?1) AND (?2 = '' OR b.bin = ?2) AND (?3 = '' OR b.lot = ?3)"
    " AND (?4 = '' OR b.disposition = ?4) AND (?5 = '' OR b.owner = ?5)"
)
_IN_NODE = f"b.external = '' AND {_FILTER}"


def by_place(reader: Reader, wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Stock on hand by place, with names: bin, sku_id, name, lot, owner, disposition, quantity."""
    return reader.rows(
        "SELECT b.bin, b.sku_id, coalesce(s.name, '') AS name, b.lot, b.owner, b.disposition, b.quantity"
        f" FROM balance b LEFT JOIN sku s USING (sku_id) WHERE {_IN_NODE} ORDER BY b.bin, b.sku_id, b.lot",
        *astuple(wanted),
    )


def summed(reader: Reader, wanted: StockFilter, groups: Sequence[str]) -> list[Json]:
    """Stock on hand summed by these of GROUPS: their columns, places (how many) and quantity."""
    columns = ", ".join(f"b.{GROUPS[group]}" for group in groups)
    return reader.rows(
        f"SELECT {columns}, count(DISTINCT b.bin) AS places, sum(b.quantity) AS quantity"
        f" FROM balance b WHERE {_IN_NODE} GROUP BY {columns} ORDER BY {columns}",
        *astuple(wanted),
    )


def lots(reader: Reader, wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Lots on hand, the one that expires soonest first: sku_id, name, lot, expiry, sellable, on_hand.

    `expiry` is an ISO 8601 date, or empty if nobody has said it; those come last.
    """
    return reader.rows(
        "SELECT b.sku_id, coalesce(s.name, '') AS name, b.lot, coalesce(l.expiry, '') AS expiry,"
        " sum(CASE b.disposition WHEN 'sellable_accessible' THEN b.quantity ELSE 0 END) AS sellable,"
        " sum(b.quantity) AS on_hand"
        " FROM balance b LEFT JOIN sku s USING (sku_id) LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot"
        f" WHERE b.lot <> '' AND {_IN_NODE} GROUP BY b.sku_id, b.lot"
        " ORDER BY coalesce(l.expiry, '') = '', l.expiry, b.sku_id, b.lot",
        *astuple(wanted),
    )


def serials(reader: Reader, serial: str = "", wanted: StockFilter = EVERYTHING) -> list[Json]:
    """Where units with serial numbers are: sku_id, serial, bin or external, disposition, lot, owner.

    One serial number wherever it is, or those that lie in the node.
    """
    return reader.rows(
        "SELECT b.sku_id, b.serial, b.bin, b.external, b.disposition, b.lot, b.owner FROM serial b"
        f" WHERE (?6 = b.serial OR (?6 = '' AND b.external = '')) AND {_FILTER}"
        " ORDER BY b.sku_id, b.serial",
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
