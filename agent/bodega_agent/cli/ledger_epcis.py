"""The EPCIS document of `bodega ledger export --epcis`, written piece by piece however long the journal is.

What an event means is in `bodega_agent.rules.epcis`; here the journal's rows become its values. Rows come from the
`query` of whoever has the file open, so this module uses no SQLite library.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TextIO

from bodega.codec import fact_of, movement_from_wire, parse_node_event
from bodega.limits import EXPORT_NAMES_CACHED_MAX
from bodega.v1 import catalogue_pb2
from bodega_agent.rules.epcis import (
    CONTEXT,
    UNDO,
    Event,
    Names,
    Recorded,
    is_tellable,
    iso_time,
    with_corrections,
)
from bodega_agent.rules.epcis_uris import Uris

Query = Callable[[str, Sequence[Any]], Iterable[dict[str, Any]]]

NO_TIME = "movement with a time before 1970 or after 9999"
NO_PLACE = "movement that names no place of this node"
NO_ORIGINAL = "correction of an event that this file no longer holds"
ARCHIVED = "event of an archive that was dropped"


def write_document(
    query: Query,
    *,
    after: int,
    gln: str,
    created_at_ms: int,
    output: TextIO,
    archived: Iterable[dict[str, Any]] = (),
) -> Counter[str]:
    """Write all movements after sequence `after` as one EPCISDocument; returns what was left out, counted.

    `archived`: rows (seq, body, hash) that the journal has given to archives, in order; they come first. Facts
    that EPCIS has no word for are counted by their name. Raises PeerFault on a row that is no event at all.
    """
    left_out: Counter[str] = Counter()
    head = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": iso_time(created_at_ms),
    }
    output.write(json.dumps(head, ensure_ascii=False).removesuffix("}"))
    output.write(', "epcisBody": {"eventList": [')
    separator = "\n"
    for event in _Journal(query, gln).events(after, archived, left_out):
        output.write(separator + json.dumps(event, ensure_ascii=False))
        separator = ",\n"
    output.write("\n]}}\n")
    return left_out


class _Journal:
    """The journal's movements, and what its tables say about the names in them."""

    def __init__(self, query: Query, gln: str) -> None:
        self._query = query
        # Millions of events name the same few thousand SKUs and orders.
        remembered = lru_cache(EXPORT_NAMES_CACHED_MAX)
        self._node_id = str(self._value("SELECT value FROM meta WHERE key = ?", "node_id") or "")
        self._names = Names(Uris(self._node_id, remembered(self._gtin_of), gln), remembered(self._order_of))

    def events(
        self, after: int, archived: Iterable[dict[str, Any]], left_out: Counter[str]
    ) -> Iterator[Event]:
        """EPCIS events in the journal's order; a row that comes again, from both of its places, is told once."""
        live = self._query("SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq", [after])
        last = after
        for row in chain(archived, live):
            if row["seq"] <= last:
                continue
            left_out.update({ARCHIVED: row["seq"] - last - 1} if row["seq"] > last + 1 else {})
            last = row["seq"]
            recorded = self._recorded(row)
            if isinstance(recorded, str):
                left_out[recorded] += 1
                continue
            corrected = self._chain(recorded)
            told = with_corrections(corrected, self._names)
            if _is_cut_off(corrected):
                left_out[NO_ORIGINAL] += 1
            elif not told:
                left_out[NO_PLACE] += 1
            yield from told

    def _recorded(self, row: dict[str, Any]) -> Recorded | str:
        """The movement of a row, or why it can not be told."""
        event = parse_node_event(row["body"])
        if not event.HasField("movement"):
            return fact_of(event)
        if not is_tellable(event.at_ms):
            return NO_TIME
        movement = movement_from_wire(event.movement)
        return Recorded(movement, self._node_id, row["seq"], event.at_ms, row["hash"])

    def _chain(self, recorded: Recorded) -> list[Recorded]:
        """A movement and the one that it corrects; behind a `correct`, on to the first other command.

        A writer only corrects what its journal holds, so the sequence alone names the event, whatever the epoch.
        """
        found = [recorded]
        while len(found) == 1 or found[-1].movement.command == UNDO:
            seq = found[-1].movement.reference.corrects.rpartition("/")[2]
            if not seq.isdecimal() or int(seq) >= found[-1].seq:
                break
            rows = self._query("SELECT seq, body, hash FROM journal WHERE seq = ?", [int(seq)])
            older = next(map(self._recorded, rows), NO_ORIGINAL)
            if isinstance(older, str):
                break
            found.append(older)
        return found

    def _gtin_of(self, sku_id: str) -> str:
        body = self._value("SELECT body FROM sku WHERE sku_id = ?", sku_id)
        gtins = catalogue_pb2.Sku.FromString(body).gtins if body is not None else ()
        return gtins[0] if gtins else ""

    def _order_of(self, fulfillment_order_id: str) -> str:
        query = "SELECT order_id FROM fulfillment_order WHERE fulfillment_order_id = ?"
        return self._value(query, fulfillment_order_id) or ""

    def _value(self, query: str, key: str) -> Any:
        return next((next(iter(row.values())) for row in self._query(query, [key])), None)


def _is_cut_off(chain: Sequence[Recorded]) -> bool:
    """Whether a correction does not reach what it corrects."""
    last = chain[-1].movement
    return last.command == UNDO or (len(chain) == 1 and bool(last.reference.corrects))
