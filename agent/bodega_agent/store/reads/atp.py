"""Why may the node promise what it may? The breakdown, and under each line what made it.

The figures come from one snapshot, the events from a walk back through the journal that ends as soon as
they explain the figures. What a line shows and the `older` units add up to the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bodega.codec import movement_from_wire
from bodega.core.ledger import Disposition
from bodega.core.promise import NodeStanding, Part
from bodega.core.rights import spent_by
from bodega.errors import NotFound
from bodega.v1 import journal_pb2
from bodega_agent.store.reads.histories import Search, Told, as_told
from bodega_agent.store.reads.names import Kind
from bodega_agent.store.standing import standing

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that made a line: `units` of it, the event that did it (if it is here), and words."""

    units: int
    told: Told | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the breakdown, and `of` units that its newest `entries` and `older` things make together."""

    part: Part
    of: int = 0
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def older(self) -> int:
        """Units of `of` that come from what is not shown."""
        return self.of - sum(entry.units for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Explanation:
    """All lines; their parts sum to `standing.available`. Events were looked at from `searched_from` on.

    `doubts` are open differences between shelf and book.
    """

    sku_id: str
    name: str
    standing: NodeStanding
    lines: tuple[Line, ...]
    doubts: Line
    searched_from: int


def sku_ids(reader: Reader) -> list[str]:
    """Every SKU that the node knows, holds, or may promise."""
    rows = reader.rows(
        "SELECT sku_id FROM sku UNION SELECT sku_id FROM balance WHERE external = '' UNION SELECT sku_id FROM rights"
        " ORDER BY sku_id"
    )
    return [row["sku_id"] for row in rows]


def standings(reader: Reader, today: str, wanted: Iterable[str] = ()) -> list[Json]:
    """On hand and the breakdown of what may be promised, per SKU, from one snapshot.

    {sku_id, name, on_hand, <every part of NodeStanding.breakdown()>, available}; the parts sum to
    `available`. NotFound for a SKU that the node has never heard of.
    """
    with reader.snapshot():
        return [_standing_row(reader, today, sku_id) for sku_id in list(wanted) or sku_ids(reader)]


def _standing_row(reader: Reader, today: str, sku_id: str) -> Json:
    known = _known(reader, sku_id)
    now = standing(reader.connection, sku_id, today)
    return {**known, **{part.word: part.units for part in now.breakdown()}, "available": now.available}


def _known(reader: Reader, sku_id: str) -> Json:
    (row,) = reader.rows(
        "SELECT ?1 AS sku_id, coalesce((SELECT name FROM sku WHERE sku_id = ?1), '') AS name,"
        " coalesce((SELECT sum(quantity) FROM balance WHERE sku_id = ?1 AND external = ''), 0) AS on_hand,"
        " EXISTS (SELECT 1 FROM sku WHERE sku_id = ?1) OR EXISTS (SELECT 1 FROM balance WHERE sku_id = ?1)"
        " OR EXISTS (SELECT 1 FROM rights WHERE sku_id = ?1) AS is_known",
        sku_id,
    )
    if not row.pop("is_known"):
        raise NotFound(
            f"this node has never heard of SKU '{sku_id}'", hint="list what it knows: bodega stock atp"
        )
    return row


def explain(reader: Reader, sku_id: str, today: str, *, limit: int) -> Explanation:
    """Why `sku_id` may be promised as it may: every line with at most `limit` of its newest entries."""
    with reader.snapshot():
        name = str(_known(reader, sku_id)["name"])
        now = standing(reader.connection, sku_id, today)
        parts = {part.word: part for part in now.breakdown()}
        shelf = _Walk(_on_shelf(reader, sku_id), limit)
        rights = _Walk(now.rights_held, limit)
        lines = {word: Line(part) for word, part in parts.items()}
        lines["hub_reserved"] = _open_lines(reader, sku_id, parts["hub_reserved"], limit)
        for word, sql in _OPENED.items():
            lines[word] = _opened(reader, sku_id, parts[word], sql, limit)
        doubts = _opened(reader, sku_id, Part(0, "doubts", "open differences"), _DOUBTS, limit)
        notes = tuple(_expiry_notes(reader, sku_id, today))
        search = Search(reader, [((Kind.SKU, sku_id),)])
    for window in search.windows():
        for told in window:
            shelf.take(told, _shelf_change(told.event, sku_id))
            rights.take(told, _rights_change(told.event, sku_id))
        if shelf.done and rights.done:
            break
    lines["sellable"] = Line(parts["sellable"], shelf.of, tuple(shelf.entries), notes)
    said = f"the node holds the right to promise {now.rights_held}, and {now.local_reserved} of them are promised"
    lines["no_right"] = Line(parts["no_right"], rights.of, tuple(rights.entries), (said,))
    return Explanation(sku_id, name, now, tuple(lines.values()), doubts, search.searched_from)


@dataclass(slots=True)
class _Walk:
    """Going back from a figure: each event took part in it, until nothing is `left` to explain."""

    of: int
    limit: int
    entries: list[Entry] = field(default_factory=list)
    left: int = 0

    def __post_init__(self) -> None:
        self.left = self.of

    @property
    def done(self) -> bool:
        return self.left == 0 or len(self.entries) >= self.limit

    def take(self, told: Told, change: int) -> None:
        if change and not self.done:
            self.entries.append(Entry(change, told))
            self.left -= change


def _shelf_change(event: journal_pb2.NodeEvent, sku_id: str) -> int:
    if event.WhichOneof("fact") != "movement":
        return 0
    return sum(
        posting.quantity
        for posting in event.movement.postings
        if posting.account.sku_id == sku_id
        and posting.account.bin
        and posting.account.disposition == Disposition.SELLABLE
    )


def _rights_change(event: journal_pb2.NodeEvent, sku_id: str) -> int:
    match event.WhichOneof("fact"):
        case "rights_taken" if event.rights_taken.sku_id == sku_id:
            return event.rights_taken.quantity
        case "rights_returned" if event.rights_returned.sku_id == sku_id:
            return -event.rights_returned.quantity
        case "movement":
            return -spent_by(movement_from_wire(event.movement)).get(sku_id, 0)
        case _:
            return 0


def _on_shelf(reader: Reader, sku_id: str) -> int:
    (row,) = reader.rows(
        "SELECT coalesce(sum(quantity), 0) AS units FROM balance WHERE sku_id = ? AND external = ''"
        " AND disposition = ?",
        sku_id,
        Disposition.SELLABLE,
    )
    return int(row["units"])


def _expiry_notes(reader: Reader, sku_id: str, today: str) -> Iterable[str]:
    """Lots whose day has passed: not sellable, unless a person has set the rule aside."""
    for row in reader.rows(
        "SELECT b.lot, l.expiry, sum(b.quantity) AS units, (SELECT o.reason FROM rule_override o"
        "   WHERE o.sku_id = b.sku_id AND o.state = 'open' AND o.rule = 'expired' AND o.lot IN ('', b.lot)"
        "   LIMIT 1) AS reason"
        " FROM balance b JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot WHERE b.sku_id = ?"
        " AND b.external = '' AND b.disposition = ? AND l.expiry <> '' AND l.expiry < ? GROUP BY b.lot"
        " ORDER BY l.expiry, b.lot",
        sku_id,
        Disposition.SELLABLE,
        today,
    ):
        but = f", but may be sold: {row['reason']}" if row["reason"] is not None else " and are not sellable"
        yield f"{row['units']} of lot {row['lot']} expired on {row['expiry']}{but}"


def _open_lines(reader: Reader, sku_id: str, part: Part, limit: int) -> Line:
    rows = reader.rows(
        "SELECT f.fulfillment_order_id, f.order_id, f.state, f.arrived_seq, l.quantity, l.picked, l.short"
        " FROM fulfillment_line l JOIN fulfillment_order f USING (fulfillment_order_id) WHERE l.sku_id = ?"
        " AND l.quantity > l.picked + l.short AND f.state IN ('assigned', 'picking')"
        " ORDER BY f.arrived_seq DESC, l.line LIMIT ?",
        sku_id,
        limit,
    )
    entries = tuple(
        Entry(
            row["picked"] + row["short"] - row["quantity"],
            text=f"{row['fulfillment_order_id']} of order {row['order_id']} is {row['state']}: {row['quantity']}"
            f" asked, {row['picked']} picked, {row['short']} short (event {row['arrived_seq']} of the hub)",
        )
        for row in rows
    )
    return Line(part, part.units, entries)


_OPENED = {
    "local_reserved": "SELECT opened_seq AS seq, posted + voided - quantity AS units FROM reservation"
    " WHERE sku_id = ? AND state = 'pending' ORDER BY opened_seq DESC",
    "held_back": "SELECT opened_seq AS seq, -quantity AS units FROM rule_override"
    " WHERE sku_id = ? AND state = 'open' AND rule = 'hold' ORDER BY opened_seq DESC",
}
_DOUBTS = (
    "SELECT seq, difference AS units FROM discrepancy WHERE sku_id = ? AND closed_seq = 0 ORDER BY seq DESC"
)


def _opened(reader: Reader, sku_id: str, part: Part, sql: str, limit: int) -> Line:
    """What is open now, told by the events that opened it."""
    rows = reader.rows(sql, sku_id)
    entries = tuple(
        Entry(row["units"], _told(reader, row["seq"]), f"event {row['seq']}, which is archived")
        for row in rows[:limit]
    )
    return Line(part, sum(row["units"] for row in rows), entries)


def _told(reader: Reader, seq: int) -> Told | None:
    """One event; None once only an archive has it."""
    found = reader.events(seq - 1, 1)
    if not found or found[0].seq != seq:
        return None
    return as_told(found[0])
