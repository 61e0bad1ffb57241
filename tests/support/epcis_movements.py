"""Movements as the ledger books them when it holds plenty, and their EPCIS events, checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bodega.core.ledger import Account, Disposition, Goods, Movement, Reference
from bodega.core.recipes import RECIPES, Book, End, Places, book
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.rules.epcis import CONTEXT, Event, Names, Recorded, events
from bodega_agent.rules.epcis_uris import Uris
from support.epcis import check_document
from support.node_under_test import gtin

MILK, BREAD, BASKET = "SKU-1", "SKU-2", "SKU-3"
MILK_URI = f"https://id.gs1.org/01/{gtin(1)}"
NODE = "urn:bodega:node:lisbon-01"
SSCC = make_sscc(3, "9521234", 1)
GLN = "9521234000013"

_GTINS = {MILK: gtin(1), BREAD: gtin(2), BASKET: gtin(3)}
NAMES = Names(
    Uris("lisbon-01", lambda sku_id: _GTINS.get(sku_id, "")), lambda name: "ORD-1" if name == "FO-1" else ""
)


def names(**changes: Any) -> Names:
    """NAMES with another `gln` or `gtin_of`."""
    return replace(NAMES, uris=replace(NAMES.uris, **changes))


def recorded(movement: Movement, seq: int = 7) -> Recorded:
    """The movement at a place in a journal; one second later for each sequence."""
    return Recorded(movement, "lisbon-01", seq, 1_790_000_000_123 + 1000 * seq, seq.to_bytes(32, "big"))


def told_as_document(told: Sequence[Event]) -> list[dict[str, Any]]:
    """These events as a reader of their document gets them; the document is checked."""
    document = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T07:00:00.000Z",
        "epcisBody": {"eventList": told},
    }
    return check_document(json.loads(json.dumps(document)))


def tell(movement: Movement, by: Names = NAMES) -> list[dict[str, Any]]:
    """The events of one movement, checked."""
    return told_as_document(events(recorded(movement), by))


def booked(
    command: str,
    *goods: Goods,
    source: str = "A-01",
    target: str = "B-02",
    makes: Iterable[Goods] = (),
    held: Book | None = None,
    reference: Reference | None = None,
) -> Movement:
    """What the ledger records for a command; unless told otherwise, the book has all of it at the source."""
    reference = reference or Reference(transfer_id="T-7" if command.startswith("transfer") else "")
    places = Places(source, target)
    has = held if held is not None else _plenty(command, goods, source)
    return book(command, goods, has, places, makes=makes, reference=reference).movement


def _plenty(command: str, goods: Sequence[Goods], source: str) -> Book:
    from_ = RECIPES[command].source
    disposition = Disposition.SELLABLE if from_ is End.NAMED else from_
    if not isinstance(disposition, Disposition):
        return Book({})
    places = [(item, Account(item.sku_id, source, disposition, item.lot, item.owner)) for item in goods]
    serials = {(item.sku_id, serial): place for item, place in places for serial in item.serials}
    return Book({place: 1_000 for _item, place in places}, serials)
