"""Facts of a node's floor -> the rows that people read. Pure: a message in, a row out; one row of FLOOR for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import Message

from bodega.v1 import journal_pb2
from bodega_controlplane.store import schema
from bodega_controlplane.store.rows import Table
from bodega_controlplane.store.schema import floor as floor_tables

Values: TypeAlias = dict[str, Any]
Event: TypeAlias = journal_pb2.NodeEvent


class FloorFact(NamedTuple):
    """Where a fact goes. `row(at, event)` is the row, where `at` is the event's node_id, epoch and seq; columns of
    `keep` stay as they are in a row that is there."""

    table: Table
    row: Callable[[Values, Event], Values]
    keep: tuple[str, ...] = ()


def lines_json(lines: Iterable[Message]) -> str:
    """Lines of a message as a column keeps them: only what is set, lists as lists."""
    return json.dumps([_plain(line) for line in lines], sort_keys=True)


def _plain(message: Message) -> Values:
    return {field.name: list(value) if field.is_repeated else value for field, value in message.ListFields()}


def _of_node(at: Values, event: Event) -> Values:
    return {"node_id": at["node_id"], "changed_at_ms": event.at_ms}


def _named(message: Message, *names: str) -> Values:
    return {name: getattr(message, name) for name in names}


def _receipt(at: Values, event: Event) -> Values:
    said = event.receipt_advanced
    return (
        _of_node(at, event)
        | _named(said, "receipt_id", "notice_id", "state")
        | {"lines": lines_json(said.lines), "device": event.device, "opened_seq": at["seq"]}
    )


def _exception(at: Values, event: Event) -> Values:
    names = ("kind", "reason", "reference", "bin_id", "sku_id", "lot", "quantity")
    return at | _named(event.exception_noted, *names) | {"actor": event.actor, "at_ms": event.at_ms}


def _shift(at: Values, event: Event) -> Values:
    said = event.shift_advanced
    return (
        _of_node(at, event)
        | _named(said, "associate_id", "state")
        | {"signed_by": said.by, "device": event.device}
    )


_PARCEL = (
    "sscc",
    "fulfillment_order_id",
    "state",
    "carton_id",
    "weight_g",
    "expected_weight_g",
    "carrier",
    "service",
    "tracking_number",
    "price_minor",
    "currency",
    "reason",
)


def _parcel(at: Values, event: Event) -> Values:
    return _of_node(at, event) | _named(event.parcel_advanced, *_PARCEL)


def _manifest(at: Values, event: Event) -> Values:
    said = event.manifest_advanced
    parcels = {"parcels": json.dumps(list(said.parcels))}
    return _of_node(at, event) | _named(said, "manifest_id", "carrier", "ship_date", "state") | parcels


def _pickup(at: Values, event: Event) -> Values:
    return _of_node(at, event) | _named(event.pickup_advanced, "fulfillment_order_id", "state", "bin_id")


def _return(at: Values, event: Event) -> Values:
    said = event.return_advanced
    about = _named(said, "return_id", "order_id", "fulfillment_order_id", "state")
    return _of_node(at, event) | about | {"lines": lines_json(said.lines), "expected": "[]"}


def _refund(at: Values, event: Event) -> Values:
    said = event.refund_due
    about = _named(said, "return_id", "order_id")
    return {"node_id": at["node_id"], **about, "lines": lines_json(said.lines), "at_ms": event.at_ms}


def _count(at: Values, event: Event) -> Values:
    said = event.count_advanced
    about = _named(said, "count_id", "bin_id", "cause", "state", "decided_by")
    return _of_node(at, event) | about | {"lines": lines_json(said.lines)}


def _transfer(at: Values, event: Event) -> Values:
    said = event.transfer_advanced
    return _of_node(at, event) | _named(said, "transfer_id", "state") | {"lines": lines_json(said.lines)}


def _substitution(at: Values, event: Event) -> Values:
    names = ("fulfillment_order_id", "line", "sku_id", "substitute_sku_id", "quantity")
    return at | _named(event.line_substituted, *names) | {"at_ms": event.at_ms}


def _label(at: Values, event: Event) -> Values:
    about = _named(event.label_advanced, "print_job_id", "sscc", "state", "copy", "detail")
    return {"node_id": at["node_id"], **about, "updated_at_ms": event.at_ms}


def _discrepancy(at: Values, event: Event) -> Values:
    names = ("bin_id", "sku_id", "lot", "difference", "reason", "fulfillment_order_id")
    return at | _named(event.discrepancy_opened, *names) | {"at_ms": event.at_ms}


# The fact's name on the wire -> where it goes.
FLOOR: Mapping[str, FloorFact] = {
    "label_advanced": FloorFact(schema.label, _label),
    "discrepancy_opened": FloorFact(schema.discrepancy, _discrepancy),
    "receipt_advanced": FloorFact(floor_tables.receipt, _receipt, keep=("opened_seq",)),
    "exception_noted": FloorFact(floor_tables.floor_exception, _exception),
    "shift_advanced": FloorFact(floor_tables.shift, _shift),
    "parcel_advanced": FloorFact(floor_tables.parcel, _parcel),
    "manifest_advanced": FloorFact(floor_tables.manifest, _manifest),
    "pickup_advanced": FloorFact(floor_tables.pickup, _pickup),
    "return_advanced": FloorFact(floor_tables.customer_return, _return, keep=("expected",)),
    "refund_due": FloorFact(floor_tables.refund, _refund),
    "count_advanced": FloorFact(floor_tables.floor_count, _count),
    "transfer_advanced": FloorFact(floor_tables.transfer_progress, _transfer),
    "line_substituted": FloorFact(floor_tables.line_substitution, _substitution),
}
