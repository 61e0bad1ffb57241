"""The history of a SKU, a bin, a lot, a serial number or an order: its events, the newest first.

There is no index: SQLite searches the events' bytes for the names, 10,000 events at a time, each in a read
transaction of its own. A million events take about half a second (tests/benchmarks/bench_reads.py), and one
question looks at no more; an index of names cost 8 to 25 % of the file and as much CPU as the events themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bodega.codec import parse_node_event
from bodega.core.sync import Recorded
from bodega.limits import HISTORY_EVENTS_SEARCHED_MAX, HISTORY_WINDOW_EVENTS_MAX
from bodega.v1 import journal_pb2
from bodega_agent.store.reads.names import Kind, Name, names_in

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

# Alternatives: an event must have one of them.
AnyOf = tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a history."""

    seq: int
    event: journal_pb2.NodeEvent
    body: bytes
    hash: bytes


def as_told(event: Recorded) -> Told:
    """The event, parsed."""
    return Told(event.seq, parse_node_event(event.body), event.body, event.hash)


@dataclass(frozen=True, slots=True)
class History:
    """The newest events first. All events from `searched_from` on were looked at; `first_seq` is the
    oldest that is not archived. `more` older ones were seen and are not told here.
    """

    events: tuple[Told, ...]
    more: int
    searched_from: int
    first_seq: int

    @property
    def complete(self) -> bool:
        """Whether the whole journal that is here was looked at."""
        return self.searched_from <= self.first_seq


def history(reader: Reader, wanted: Sequence[AnyOf], *, limit: int, before: int | None = None) -> History:
    """The newest `limit` events that have a name of each of `wanted`, older than event `before`."""
    search = Search(reader, wanted, before=before)
    found: list[Told] = []
    for window in search.windows():
        found += window
        if len(found) >= limit:
            break
    return History(tuple(found[:limit]), len(found[limit:]), search.searched_from, search.first_seq)


def of_order(reader: Reader, order: str) -> AnyOf:
    """What an order's events are found by: its own name, its fulfillment orders and their parcels."""
    rows = reader.rows(
        "SELECT fulfillment_order_id, sscc FROM fulfillment_order WHERE ?1 IN (fulfillment_order_id, order_id)",
        order,
    )
    names = [(Kind.ORDER, order), *((Kind.ORDER, row["fulfillment_order_id"]) for row in rows)]
    names += [(Kind.PARCEL, row["sscc"]) for row in rows if row["sscc"]]
    return tuple(dict.fromkeys(names))


class Search:
    """A walk back through the journal, a window at a time; `searched_from` says how far it came."""

    def __init__(self, reader: Reader, wanted: Sequence[AnyOf], *, before: int | None = None) -> None:
        self._reader = reader
        self._wanted = [frozenset(names) for names in wanted]
        newest = reader.head().seq
        self._newest = newest if before is None else min(newest, before - 1)
        self.first_seq = reader.first_seq()
        self.searched_from = self._newest + 1

    def windows(self) -> Iterator[list[Told]]:
        """Events of each window, the newest first, until the bound or the journal's start is reached."""
        stop = max(self.first_seq - 1, self._newest - HISTORY_EVENTS_SEARCHED_MAX)
        while self.searched_from - 1 > stop:
            last = self.searched_from - 1
            after = max(stop, last - HISTORY_WINDOW_EVENTS_MAX)
            found = [told for told in self._window(after, last) if self._is_wanted(told)]
            self.searched_from = after + 1
            yield found[::-1]

    def _window(self, after: int, last: int) -> Iterator[Told]:
        """Oldest first, because the disk reads ahead and not back."""
        needles = [[_in_bytes(name) for _kind, name in names] for names in self._wanted]
        condition = "".join(f" AND ({' OR '.join(['instr(body, ?)'] * len(texts))})" for texts in needles)
        rows = self._reader.rows(
            f"SELECT seq, CAST(body AS BLOB) AS body, hash FROM journal WHERE seq > ? AND seq <= ?{condition}"
            " ORDER BY seq",
            after,
            last,
            *(text for texts in needles for text in texts),
        )
        for row in rows:
            yield as_told(Recorded(row["seq"], row["body"], row["hash"]))

    def _is_wanted(self, told: Told) -> bool:
        named = names_in(told.event)
        return all(names & named for names in self._wanted)


def _in_bytes(text: str) -> bytes:
    """A text as it lies in a protobuf message: behind its length (a varint), so "SKU-1" is not "SKU-10"."""
    encoded = text.encode()
    length = len(encoded)
    prefix = bytes([length]) if length < 0x80 else bytes([length & 0x7F | 0x80, length >> 7])
    return prefix + encoded
