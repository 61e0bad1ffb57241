"""The journal as the floor's figures want it, and what waits on the floor now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bodega.codec import parse_node_event
from bodega.v1 import floor_pb2, journal_pb2, orders_pb2, stock_pb2
from bodega_agent.rules.kpis import Counted, Fact, Figures, Labelled, Noted, Picked, Reached, Seen, figures_of

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

_STATE_PREFIX = "FULFILLMENT_STATE_"


@dataclass(frozen=True, slots=True)
class Told:
    """Figures of the events from `first_seq` to `last_seq`; 0 and 0 if the time has none."""

    figures: Figures
    first_seq: int
    last_seq: int


def figures_since(reader: Reader, since_ms: int, *, events_max: int | None = None) -> Told:
    """The figures of all that happened from `since_ms` (wall clock) on, of the newest `events_max` at most."""
    with reader.snapshot():
        last = reader.head().seq
        first = max(first_since(reader, since_ms), last - events_max + 1 if events_max else 0)
        if first > last:
            return Told(Figures(), 0, 0)
        # Work that began before may end in this time: all orders are asked, there are few beside the events.
        ordered = {
            row["fulfillment_order_id"]: row["placed_at_ms"]
            for row in reader.rows(
                "SELECT fulfillment_order_id, placed_at_ms FROM fulfillment_order WHERE placed_at_ms > 0"
            )
        }
        return Told(figures_of(_seen(reader, first), ordered), first, last)


def first_since(reader: Reader, since_ms: int) -> int:
    """The first event that is not older, by bisection: clocks that jumped make it a little wrong, and no more."""
    low, high = reader.first_seq(), reader.head().seq + 1
    while low < high:
        middle = (low + high) // 2
        row = next(
            iter(reader.connection.execute("SELECT at_ms FROM journal WHERE seq = ?", (middle,))), None
        )
        if row is None or row[0] < since_ms:
            low = middle + 1
        else:
            high = middle
    return low


def queues(reader: Reader) -> dict[str, int]:
    """How much waits now, by what it waits for; 0 where nothing does."""
    return {name: next(iter(reader.connection.execute(sql)))[0] for name, sql in QUEUES.items()}


# In the order of the work. Each answers one number.
QUEUES: Mapping[str, str] = {
    "receipts open": "SELECT count(*) FROM receipt WHERE closed_seq = 0",
    "units to put away": "SELECT coalesce(sum(quantity), 0) FROM balance WHERE bin = 'DOCK'",
    "orders to pick": "SELECT count(*) FROM fulfillment_order WHERE state = 'assigned'",
    "orders in picking": "SELECT count(*) FROM fulfillment_order WHERE state = 'picking'",
    "orders to pack": "SELECT count(*) FROM fulfillment_order WHERE state = 'picked'",
    "parcels to label": "SELECT count(*) FROM fulfillment_order WHERE state = 'packed'",
    "labels in doubt": "SELECT count(*) FROM print_job WHERE state IN ('unknown', 'failed')",
    "parcels to hand over": "SELECT count(*) FROM fulfillment_order WHERE state = 'labelled'",
    "parcels to be fetched": "SELECT count(*) FROM fulfillment_order WHERE state = 'staged'",
    "places to count": "SELECT count(*) FROM count_task WHERE closed_seq = 0",
    "counts to approve": "SELECT count(*) FROM stock_count WHERE state = 'waits_for_approval'",
    "returns open": "SELECT count(*) FROM goods_return WHERE state = 'open'",
}


def _seen(reader: Reader, first: int) -> Iterator[Seen]:
    rows = reader.connection.execute("SELECT fact, body FROM journal WHERE seq >= ? ORDER BY seq", (first,))
    for fact, body in rows:
        if fact in _READ:
            event = parse_node_event(body)
            yield Seen(event.at_ms, event.actor, tuple(_READ[fact](getattr(event, fact))))


def _movement(fact: stock_pb2.Movement) -> Iterator[Fact]:
    if fact.command == "pick":
        yield Picked(sum(posting.quantity for posting in fact.postings if posting.quantity > 0))


def _advanced(fact: journal_pb2.FulfillmentAdvanced) -> Iterator[Fact]:
    state = orders_pb2.FulfillmentState.Name(fact.state).removeprefix(_STATE_PREFIX).lower()
    yield Reached(fact.fulfillment_order_id, state)


def _exception(fact: floor_pb2.ExceptionNoted) -> Iterator[Fact]:
    yield Noted(fact.kind, fact.reason, fact.quantity)


def _label(fact: journal_pb2.LabelAdvanced) -> Iterator[Fact]:
    if fact.event == "queued":
        yield Labelled(fact.copy, fact.detail)


def _count(fact: floor_pb2.CountAdvanced) -> Iterator[Fact]:
    if fact.state == "posted":
        yield from (Counted(line.counted, line.book) for line in fact.lines)


def _shift(_fact: floor_pb2.ShiftAdvanced) -> Iterator[Fact]:
    yield from ()


_READ: Mapping[str, Callable[[Any], Iterator[Fact]]] = {
    "movement": _movement,
    "fulfillment_advanced": _advanced,
    "exception_noted": _exception,
    "label_advanced": _label,
    "count_advanced": _count,
    "shift_advanced": _shift,
}
