"""What an event is about: the SKUs, bins, lots, serials, orders and promises that it names.

Histories are found by these names. One row per fact; a fact without a row would be missing from every history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from bodega.v1 import catalogue_pb2, decisions_pb2, journal_pb2, stock_pb2


class Kind(StrEnum):
    """What a name names."""

    SKU = "sku"
    BIN = "bin"
    LOT = "lot"
    SERIAL = "serial"
    ORDER = "order"
    PARCEL = "parcel"
    RESERVATION = "reservation"
    TRANSFER = "transfer"


Name = tuple[Kind, str]


def names_in(event: journal_pb2.NodeEvent) -> frozenset[Name]:
    """Every name in it that is not empty; none for facts about the node as a whole or of a newer version."""
    fact = event.WhichOneof("fact")
    if fact is None:
        return frozenset()
    return frozenset(name for name in NAMES[fact](getattr(event, fact)) if name[1])


def _movement(fact: stock_pb2.Movement) -> Iterator[Name]:
    for posting in fact.postings:
        account = posting.account
        yield Kind.SKU, account.sku_id
        yield Kind.BIN, account.bin
        yield Kind.LOT, account.lot
        for serial in posting.serials:
            yield Kind.SERIAL, serial
    yield Kind.ORDER, fact.fulfillment_order_id
    yield Kind.PARCEL, fact.sscc
    yield Kind.RESERVATION, fact.reservation_id
    yield Kind.TRANSFER, fact.transfer_id


def _order(fact: journal_pb2.FulfillmentAdvanced | journal_pb2.CancelCameTooLate) -> Iterator[Name]:
    yield Kind.ORDER, fact.fulfillment_order_id
    yield Kind.ORDER, fact.order_id


def _advanced(fact: journal_pb2.FulfillmentAdvanced) -> Iterator[Name]:
    yield from _order(fact)
    yield Kind.PARCEL, fact.sscc
    for line in fact.lines:
        yield Kind.SKU, line.sku_id


def _discrepancy(fact: stock_pb2.DiscrepancyOpened | stock_pb2.DiscrepancyClosed) -> Iterator[Name]:
    yield Kind.BIN, fact.bin_id
    yield Kind.SKU, fact.sku_id
    yield Kind.LOT, fact.lot


def _opened(fact: stock_pb2.DiscrepancyOpened) -> Iterator[Name]:
    yield from _discrepancy(fact)
    yield Kind.ORDER, fact.fulfillment_order_id


def _label(fact: journal_pb2.LabelAdvanced) -> Iterator[Name]:
    yield Kind.PARCEL, fact.sscc


def _vision(fact: decisions_pb2.VisionDecision) -> Iterator[Name]:
    yield Kind.ORDER, fact.fulfillment_order_id
    yield Kind.SKU, fact.sku_id


def _task(fact: journal_pb2.TaskOpened) -> Iterator[Name]:
    yield Kind.BIN, fact.bin_id
    yield Kind.ORDER, fact.fulfillment_order_id
    yield Kind.SKU, fact.sku_id
    yield Kind.LOT, fact.lot


def _task_closed(fact: journal_pb2.TaskClosed) -> Iterator[Name]:
    yield Kind.BIN, fact.bin_id
    yield Kind.SKU, fact.sku_id
    yield Kind.LOT, fact.lot
    for row in fact.book:
        yield Kind.SKU, row.account.sku_id
        yield Kind.BIN, row.account.bin
        yield Kind.LOT, row.account.lot


_PROPOSED = {"sku": Kind.SKU, "bin": Kind.BIN}


def _proposed(fact: catalogue_pb2.FieldProposed) -> Iterator[Name]:
    if fact.kind in _PROPOSED:
        yield _PROPOSED[fact.kind], fact.subject


def _settled(fact: stock_pb2.TransferSettled) -> Iterator[Name]:
    yield Kind.TRANSFER, fact.transfer_id


def _reservation(fact: stock_pb2.ReservationChanged) -> Iterator[Name]:
    yield Kind.SKU, fact.sku_id
    yield Kind.RESERVATION, fact.reservation_id


def _rights(fact: stock_pb2.RightsTaken | stock_pb2.RightsReturned) -> Iterator[Name]:
    yield Kind.SKU, fact.sku_id
    yield Kind.TRANSFER, fact.transfer_id


def _override(fact: stock_pb2.OverrideChanged) -> Iterator[Name]:
    yield Kind.SKU, fact.sku_id
    yield Kind.LOT, fact.lot


def _conflict(fact: journal_pb2.ConflictFound) -> Iterator[Name]:
    yield Kind.ORDER, fact.conflict.order_id
    yield Kind.SKU, fact.conflict.sku_id


def _floor(fact: Any) -> Iterator[Name]:
    """What the floor records: its own fields, and those of its lines, name what it is about."""
    for one in (fact, *getattr(fact, "lines", ())):
        for field, kind in _FLOOR_FIELDS.items():
            value = getattr(one, field, "")
            if value:
                yield kind, value
        for serial in getattr(one, "serials", ()):
            yield Kind.SERIAL, serial


def _whole_node(_fact: object) -> Iterator[Name]:
    return iter(())


_FLOOR_FIELDS = {
    "sku_id": Kind.SKU,
    "substitute_sku_id": Kind.SKU,
    "bin_id": Kind.BIN,
    "lot": Kind.LOT,
    "fulfillment_order_id": Kind.ORDER,
    "order_id": Kind.ORDER,
    "reference": Kind.ORDER,
    "transfer_id": Kind.TRANSFER,
    "sscc": Kind.PARCEL,
}

NAMES: dict[str, Callable[[Any], Iterator[Name]]] = {
    "movement": _movement,
    "fulfillment_advanced": _advanced,
    "discrepancy_opened": _opened,
    "discrepancy_closed": _discrepancy,
    "label_advanced": _label,
    "vision_decision": _vision,
    "cancel_came_too_late": _order,
    "state_reported": _whole_node,
    "routing_reported": _whole_node,
    "task_opened": _task,
    "reservation_changed": _reservation,
    "rights_taken": _rights,
    "rights_returned": _rights,
    "override_changed": _override,
    "ledger_checkpoint": _whole_node,
    "store_restored": _whole_node,
    "epoch_begun": _whole_node,
    "conflict_found": _conflict,
    "parked_event_applied": _whole_node,
    "field_proposed": _proposed,
    "transfer_settled": _settled,
    "task_closed": _task_closed,
    "receipt_advanced": _floor,
    "exception_noted": _floor,
    "shift_advanced": _whole_node,
    "parcel_advanced": _floor,
    "manifest_advanced": _whole_node,
    "pickup_advanced": _floor,
    "return_advanced": _floor,
    "refund_due": _floor,
    "count_advanced": _floor,
    "transfer_advanced": _floor,
    "line_substituted": _floor,
}
