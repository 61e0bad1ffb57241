"""Movements as GS1 EPCIS 2.0 events in JSON-LD form: what was where, when and why, for other companies' systems.

`epcis_rows.ROWS` says which event each command is, `epcis_uris` how things are called. One movement may be several
events: a new identity is an end and a beginning, and what a scan showed against the book is told apart from what the
command did. An event's id comes from the chain hash of its movement, so it is the same in every export and in
every copy of the journal. EPCIS and CBV rules kept beyond the JSON schema:

- `ilmd` only where goods get their identity (EPCIS 7.4.2); an expiry learned elsewhere, as at receiving, is told in
  CBV's words too, but in `bodega:lotMasterData`;
- shipping names the parcel, not its content once more; no event outside says where goods are that left the node;
- a correction repeats the event that was wrong, with its id and an error declaration (EPCIS 7.4.1.4), and
  `did_not_occur` names no corrective events (CBV 7.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bodega.core.ledger import (
    CARRIER,
    CUSTOMER,
    FOUND,
    SUPPLIER,
    Account,
    LotSeen,
    Movement,
    Posting,
    in_transit,
)
from bodega_agent.rules.epcis_rows import (
    AGAINST_THE_BOOK,
    BIZ_STEPS,
    DISPOSITIONS,
    MADE_CLASS,
    MADE_UNITS,
    ROWS,
    SEEN,
    Action,
    Kind,
    Row,
)
from bodega_agent.rules.epcis_uris import Uris, own, parcel, parcel_of_place

Event = dict[str, object]

CONTEXT: tuple[object, ...] = (
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"bodega": "urn:bodega:epcis:"},
)
UNDO = "correct"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_MS = 253_402_300_800_000
_TRADE = (SUPPLIER, CUSTOMER, CARRIER, in_transit(""))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A movement with its place in a node's journal."""

    movement: Movement
    node_id: str
    seq: int
    at_ms: int
    chain_hash: bytes


@dataclass(frozen=True, slots=True)
class Names:
    """What the catalogue and the work tables add: URIs, and the order that a fulfillment order serves (or "")."""

    uris: Uris
    order_of: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Flow:
    """Units that leave one account for another; an end is None where the postings do not pair up."""

    source: Account | None
    target: Account | None
    quantity: int
    serials: tuple[str, ...]

    @property
    def goods(self) -> Account:
        """Of which goods, as the target knows them."""
        end = self.target or self.source
        assert end is not None, "a flow has an end"
        return end

    @property
    def recorded_disposition(self) -> str:
        return self.goods.disposition if self.goods.disposition in DISPOSITIONS else ""

    @property
    def source_bin(self) -> str:
        return self.source.bin if self.source else ""

    @property
    def target_bin(self) -> str:
        return self.target.bin if self.target else ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What flows have in common that are told in one event; a transformation tells all of its flows."""

    row: Row
    source_bin: str = ""
    target_bin: str = ""
    disposition: str = ""
    trade: str = ""


def iso_time(at_ms: int) -> str:
    """Milliseconds since 1970 as "2026-11-22T07:01:02.003Z"; they must be `is_tellable`."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_tellable(at_ms: int) -> bool:
    """Whether EPCIS can say this time: years 1970 to 9999 (a node's clock may be anything)."""
    return 0 <= at_ms < _YEAR_10000_MS


def events(recorded: Recorded, names: Names) -> list[Event]:
    """The events of one movement; none if it names no place of the node.

    Movements of a newer version, and such as do not add up, are told as far as they can be.
    """
    movement = recorded.movement
    groups: dict[_Shape, list[_Flow]] = {}
    for row, flow in _rows(movement.command, tuple(_flows(movement.postings))):
        if flow.source_bin or flow.target_bin:
            groups.setdefault(_shape(row, flow), []).append(flow)
    return [_event(recorded, part, shape, flows, names) for part, (shape, flows) in enumerate(groups.items())]


def with_corrections(chain: Sequence[Recorded], names: Names) -> list[Event]:
    """What `chain[0]` tells: its own events, after those of `chain[1]`, which it corrects, declared wrong.

    `correct` undoes: the other's events did not occur. To correct a `correct` makes them occur again, under new
    ids. Any other command that names an event tells anew what was told wrong. So a `correct` in the chain must be
    followed by what it corrects, down to the first other command; without that it tells nothing.
    """
    told = _own(chain, names)
    wrong = _own(chain[1:], names)
    declaration: Event = {"declarationTime": iso_time(chain[0].at_ms), "reason": "did_not_occur"}
    if chain[0].movement.command != UNDO:
        declaration |= {
            "reason": "incorrect_data",
            "correctiveEventIDs": [event["eventID"] for event in told],
        }
    return [{**event, "errorDeclaration": declaration} for event in wrong] + told


def _own(chain: Sequence[Recorded], names: Names) -> list[Event]:
    """Events in the name of `chain[0]`: an even number of undoings leaves the first movement in force."""
    undone = next((at for at, one in enumerate(chain) if one.movement.command != UNDO), None)
    if undone is None or undone % 2:
        return []
    return events(replace(chain[0], movement=chain[undone].movement), names)


def _flows(postings: Sequence[Posting]) -> Iterator[_Flow]:
    """Postings stand in pairs, out and in; what has no partner is told from the one side that is known."""
    at = 0
    while at < len(postings):
        account, quantity, serials = postings[at]
        partner = postings[at + 1] if at + 1 < len(postings) else None
        at += 1
        if not quantity:
            continue
        other = None
        if partner is not None and partner.quantity == -quantity and partner.account.goods == account.goods:
            other = partner.account
            at += 1
        source, target = (account, other) if quantity < 0 else (other, account)
        yield _Flow(source, target, abs(quantity), serials)


def _rows(command: str, flows: Sequence[_Flow]) -> Iterator[tuple[Row, _Flow]]:
    """The row of each flow: the command's, or that of goods which a scan brought to where the command needs them."""
    row = ROWS.get(command, SEEN)
    rows: list[Row] = []
    needed: set[Account] = set()
    for flow in reversed(flows):
        adjusts = any(end is not None and end.external == FOUND for end in (flow.source, flow.target))
        if adjusts or (flow.target in needed and flow.target_bin):
            rows.append(AGAINST_THE_BOOK)
        else:
            rows.append(row.makes if row.makes and not flow.source_bin else row)
        if flow.source is not None:
            needed.add(flow.source)
    return zip(reversed(rows), flows, strict=True)


def _shape(row: Row, flow: _Flow) -> _Shape:
    if row.kind is Kind.TRANSFORMATION:
        return _Shape(row)
    source_bin = "" if row is AGAINST_THE_BOOK and flow.target_bin else flow.source_bin
    disposition = flow.recorded_disposition if flow.target_bin else row.disposition
    return _Shape(row, source_bin, flow.target_bin, disposition, _trade(flow))


def _trade(flow: _Flow) -> str:
    """In which list of a transfer of business the node stands, or empty within the node."""
    if flow.source is not None and flow.source.external.startswith(_TRADE):
        return "destination"
    if flow.target is not None and flow.target.external.startswith(_TRADE):
        return "source"
    return ""


def _event(recorded: Recorded, part: int, shape: _Shape, flows: Sequence[_Flow], names: Names) -> Event:
    movement, row = recorded.movement, shape.row
    taken, made = _ends(flows)
    if row.kind is Kind.TRANSFORMATION:
        shape = _transformed(shape, taken, made)
    # What a scan shows on the way serves no order.
    papers = [] if row is AGAINST_THE_BOOK else _papers(movement, names)
    sscc = _parcel(movement, shape) if row.kind is Kind.AGGREGATION or row.as_parcel else ""
    fits = {Kind.AGGREGATION: sscc, Kind.TRANSACTION: papers, Kind.TRANSFORMATION: taken and made}
    kind = row.kind if fits.get(row.kind) else Kind.OBJECT
    event: Event = {
        "type": kind.value,
        "eventID": event_id(recorded, part),
        "eventTime": iso_time(recorded.at_ms),
        "eventTimeZoneOffset": "+00:00",
    }
    if kind is not Kind.TRANSFORMATION:
        event["action"] = (row.action if kind is row.kind else Action.OBSERVE).value
    event |= _what(kind, sscc, flows, names.uris)
    event |= _why(movement, shape, made) | _where(shape, names.uris)
    if papers:
        event["bizTransactionList"] = papers
    event |= _lots(movement, made or taken, event, names.uris)
    event |= {"bodega:command": movement.command, "bodega:seq": recorded.seq}
    if movement.reference.reason:
        event["bodega:reason"] = movement.reference.reason
    return event


def _ends(flows: Iterable[_Flow]) -> tuple[list[_Flow], list[_Flow]]:
    """Flows out of the node's places, and flows into them."""
    taken: list[_Flow] = []
    made: list[_Flow] = []
    for flow in flows:
        (made if flow.target_bin else taken).append(flow)
    return taken, made


def event_id(recorded: Recorded, part: int) -> str:
    """A UUID of version 8 (RFC 9562) from the movement's chain hash: as many as it has events, always the same."""
    text = f"bodega-epcis-v1\n{recorded.node_id}\n{recorded.chain_hash.hex()}\n{part}".encode()
    digits = hashlib.sha256(text).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _transformed(shape: _Shape, taken: Sequence[_Flow], made: Sequence[_Flow]) -> _Shape:
    """From where the parts came, and where the outcome lies now."""
    return replace(
        shape,
        source_bin=taken[0].source_bin if taken else "",
        target_bin=made[0].target_bin if made else "",
        disposition=made[0].recorded_disposition if made else "",
    )


def _parcel(movement: Movement, shape: _Shape) -> str:
    """The parcel that the goods go into, come out of or are in."""
    at = parcel_of_place(shape.target_bin) or parcel_of_place(shape.source_bin)
    return movement.reference.sscc or at


def _what(kind: Kind, sscc: str, flows: Sequence[_Flow], uris: Uris) -> Event:
    if kind is Kind.TRANSFORMATION:
        taken, made = _ends(flows)
        parts = _goods("inputEPCList", "inputQuantityList", taken, uris)
        return parts | _goods("outputEPCList", "outputQuantityList", made, uris)
    if kind is Kind.AGGREGATION:
        return {"parentID": parcel(sscc)} | _goods("childEPCs", "childQuantityList", flows, uris)
    return {"epcList": [parcel(sscc)]} if sscc else _goods("epcList", "quantityList", flows, uris)


def _goods(named: str, counted: str, flows: Iterable[_Flow], uris: Uris) -> Event:
    """Units with a serial number by name, all others by class (SKU or lot) and quantity in base units."""
    units: dict[str, None] = {}
    classes: dict[str, int] = {}
    for flow in flows:
        sku_id, lot = flow.goods.sku_id, flow.goods.lot
        units.update((uris.unit(sku_id, serial), None) for serial in flow.serials)
        unnamed = flow.quantity - len(flow.serials)
        if unnamed > 0:
            goods = uris.goods(sku_id, lot)
            classes[goods] = classes.get(goods, 0) + unnamed
    told: Event = {}
    if units:
        told[named] = list(units)
    if classes:
        told[counted] = [{"epcClass": goods, "quantity": quantity} for goods, quantity in classes.items()]
    return told


def _why(movement: Movement, shape: _Shape, made: Sequence[_Flow]) -> Event:
    step = shape.row.biz_step or movement.biz_step
    if step == MADE_CLASS and any(flow.serials for flow in made):
        step = MADE_UNITS
    told: Event = {}
    if shape.row.biz_step or step in BIZ_STEPS:
        told["bizStep"] = step
    if shape.disposition:
        told["disposition"] = shape.disposition
    return told


def _where(shape: _Shape, uris: Uris) -> Event:
    told: Event = {"readPoint": {"id": uris.place(shape.source_bin or shape.target_bin)}}
    if shape.target_bin:
        told["bizLocation"] = {"id": uris.place(shape.target_bin)}
    if shape.trade:
        told[f"{shape.trade}List"] = [{"type": "location", shape.trade: uris.place("")}]
    return told


def _papers(movement: Movement, names: Names) -> list[dict[str, str]]:
    """Business transactions that the movement serves; one transfer has the same URI at both of its nodes."""
    reference = movement.reference
    order = names.order_of(reference.fulfillment_order_id) if reference.fulfillment_order_id else ""
    papers = (
        ("po", "order", order),
        ("desadv", "fulfillment_order", reference.fulfillment_order_id),
        ("desadv", "transfer", reference.transfer_id),
        ("po", "reservation", reference.reservation_id),
    )
    return [{"type": type_, "bizTransaction": own(kind, name)} for type_, kind, name in papers if name]


def _lots(movement: Movement, flows: Sequence[_Flow], event: Event, uris: Uris) -> Event:
    """What was learned about lots: in `ilmd` where it is legal and there is one lot, else in words of our own."""
    present = {(flow.goods.sku_id, flow.goods.lot) for flow in flows}
    seen = [one for one in movement.lots if (one.sku_id, one.lot) in present]
    if not seen:
        return {}
    is_made = (event["type"], event.get("action")) in {(Kind.TRANSFORMATION, None), (Kind.OBJECT, Action.ADD)}
    if is_made and len(present) == 1 == len(seen):
        return {"ilmd": _lot_facts(seen[0])}
    return {
        "bodega:lotMasterData": [
            {"epcClass": uris.goods(one.sku_id, one.lot)} | _lot_facts(one) for one in seen
        ]
    }


def _lot_facts(seen: LotSeen) -> dict[str, str]:
    expiry = {"cbvmda:itemExpirationDate": seen.expiry} if seen.expiry else {}
    return {"cbvmda:lotNumber": seen.lot} | expiry
