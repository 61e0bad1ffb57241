"""Conflicts that rules have resolved at this node, and the events of its own journal that met in them."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.codec import conflict_from_wire
from bodega.core.conflicts.row import Conflict
from bodega.errors import NotFound
from bodega.v1 import decisions_pb2
from bodega_agent.store.reader import Reader


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A conflict, with the event that recorded it and the wall clock at which that was."""

    seq: int
    at_ms: int
    conflict: Conflict


_COLUMNS = "c.seq, c.body, coalesce(j.at_ms, 0) AS at_ms FROM conflict c LEFT JOIN journal j ON j.seq = c.seq"


def newest(reader: Reader, limit: int) -> list[FoundConflict]:
    """At most `limit` of them, newest first."""
    rows = reader.rows(f"SELECT {_COLUMNS} ORDER BY c.seq DESC LIMIT ?", limit)  # a constant
    return [_found(row["seq"], row["at_ms"], row["body"]) for row in rows]


def by_id(reader: Reader, conflict_id: str) -> FoundConflict:
    """One of them. Raises NotFound."""
    rows = reader.rows(f"SELECT {_COLUMNS} WHERE c.conflict_id = ?", conflict_id)  # a constant
    if not rows:
        raise NotFound(
            f"this node has no conflict '{conflict_id[:80]}'",
            hint="list them: bodega conflicts ls; the hub knows of more: bodegactl conflicts show ID",
        )
    return _found(rows[0]["seq"], rows[0]["at_ms"], rows[0]["body"])


def _found(seq: int, at_ms: int, body: bytes) -> FoundConflict:
    return FoundConflict(seq, at_ms, conflict_from_wire(decisions_pb2.Conflict.FromString(body)))


def event_of(reader: Reader, event: str, node_id: str) -> bytes | None:
    """The bytes of an input that this journal or its archives hold; None for those of others, and lost ones."""
    writer, _, position = event.partition("/")
    seq = position.rpartition("/")[2]
    if writer != node_id or not seq.isdecimal() or int(seq) < 1:
        return None
    found = reader.events(int(seq) - 1, 1)
    return found[0].body if found and found[0].seq == int(seq) else None
