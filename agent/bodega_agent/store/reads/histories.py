"""The history of a SKU, a bin, a lot, a serial number or an order: its events, the newest first.

There is no index: SQLite searches the events' bytes for the names, 10,000 events at a time, each in a read
transaction of its own. A million events take about half a second (tests/benchmarks/bench_reads.py), and one
question looks at no more. An index of names took 8 to 25 % more of the disk and 10 us more of the CPU an event,
for ever, to make a question of a person half a second quicker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bodega.codec import parse_node_event
from bodega.core.sync import Recorded
from bodega.errors import NotFound
from bodega.limits import HISTORY_EVENTS_SEARCHED_MAX, HISTORY_WINDOW_EVENTS_MAX
from bodega.v1 import journal_pb2
from bodega_agent.store.archive import Segment, segments
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
    """The newest events first, and `more` older ones that were seen and are not told here.

    All events from `searched_from` on were looked at; `first_seq` is the oldest that could have been.
    """

    events: tuple[Told, ...]
    more: int
    searched_from: int
    first_seq: int

    @property
    def complete(self) -> bool:
        """Whether all that could be looked at was."""
        return self.searched_from <= self.first_seq


def history(
    reader: Reader, wanted: Sequence[AnyOf], *, limit: int, before: int | None = None, archives: bool = False
) -> History:
    """The newest `limit` events that have a name of each of `wanted`, older than event `before`.

    With `archives` the search goes on into the files of events that the journal has given away.
    """
    # Where every event is wanted, the newest ones are all that must be read.
    size = HISTORY_WINDOW_EVENTS_MAX if wanted else limit
    search = Search(reader, wanted, before=before, archives=archives, window_events=size)
    found: list[Told] = []
    for some in search.windows():
        found += some
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

    def __init__(
        self,
        reader: Reader,
        wanted: Sequence[AnyOf],
        *,
        before: int | None = None,
        archives: bool = False,
        window_events: int = HISTORY_WINDOW_EVENTS_MAX,
    ) -> None:
        self._reader = reader
        self._wanted = [frozenset(names) for names in wanted]
        self._needles = [[_in_bytes(name) for _kind, name in names] for names in wanted]
        newest = reader.head().seq
        self._newest = newest if before is None else min(newest, before - 1)
        self._live_seq = reader.first_seq()
        self._files = _files(reader, self._live_seq) if archives else []
        self.first_seq = self._files[-1].first_seq if self._files else self._live_seq
        self._window_events = window_events
        self.searched_from = self._newest + 1

    def windows(self) -> Iterator[list[Told]]:
        """Events of each window, the newest first, until the bound or the oldest event is reached."""
        stop = max(self.first_seq - 1, self._newest - HISTORY_EVENTS_SEARCHED_MAX)
        while self.searched_from - 1 > stop:
            last = self.searched_from - 1
            if last >= self._live_seq:
                after = max(stop, last - self._window_events, self._live_seq - 1)
                found = self._in_journal(after, last)
            else:
                file = next(file for file in self._files if file.first_seq <= last)
                after = max(stop, file.first_seq - 1)
                found = self._in_archive(after, last)
            chosen = [told for told in map(as_told, found) if self._is_wanted(told)]
            self.searched_from = after + 1
            yield chosen[::-1]

    def _in_journal(self, after: int, last: int) -> Iterator[Recorded]:
        """Oldest first, because the disk reads ahead and not back."""
        condition = "".join(f" AND ({' OR '.join(['instr(body, ?)'] * len(n))})" for n in self._needles)
        sql = "SELECT seq, CAST(body AS BLOB) AS body, hash FROM journal WHERE seq > ? AND seq <= ?"
        rows = self._reader.rows(
            f"{sql}{condition} ORDER BY seq",
            after,
            last,
            *(needle for needles in self._needles for needle in needles),
        )
        return (Recorded(row["seq"], row["body"], row["hash"]) for row in rows)

    def _in_archive(self, after: int, last: int) -> Iterator[Recorded]:
        while after < last and (events := self._reader.events(after, min(_AT_ONCE, last - after))):
            after = events[-1].seq
            for event in events:
                if all(any(needle in event.body for needle in needles) for needles in self._needles):
                    yield event
        if after < last:
            raise NotFound(
                f"events {after + 1} to {last} can not be read: their archive file is gone",
                hint="put it back into the folder 'archives' beside the ledger, or ask without the archives",
            )

    def _is_wanted(self, told: Told) -> bool:
        named = names_in(told.event)
        return all(names & named for names in self._wanted)


_AT_ONCE = 1_000


def _files(reader: Reader, live_seq: int) -> list[Segment]:
    """Archives that reach back from the journal without a gap, the newest first."""
    files: list[Segment] = []
    oldest = live_seq
    for file in reversed(segments(reader.connection)):
        if not file.dropped and file.first_seq < oldest <= file.last_seq + 1:
            files.append(file)
            oldest = file.first_seq
    return files


def _in_bytes(text: str) -> bytes:
    """A text as it lies in a protobuf message: behind its length (a varint), so "SKU-1" is not "SKU-10"."""
    encoded = text.encode()
    length = len(encoded)
    prefix = bytes([length]) if length < 0x80 else bytes([length & 0x7F | 0x80, length >> 7])
    return prefix + encoded
