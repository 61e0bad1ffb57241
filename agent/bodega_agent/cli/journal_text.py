"""One journal event as a line that a person can read, and as JSON that a program can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict

from bodega.codec import fact_of, fulfillment_state_from_wire, parse_node_event
from bodega.v1 import decisions_pb2, fleet_pb2, journal_pb2, stock_pb2


def event_json(seq: int, body: bytes, chain_hash: bytes) -> dict[str, Any]:
    """{seq, fact, hash, event}; `event` has the field names of proto/bodega/v1/journal.proto."""
    event = parse_node_event(body)
    return {
        "seq": seq,
        "fact": fact_of(event),
        "hash": chain_hash.hex(),
        "event": MessageToDict(event, preserving_proto_field_name=True),
    }


def one_line(event: journal_pb2.NodeEvent) -> str:
    """What happened, in a line; facts of a newer version are named as such."""
    fact = event.WhichOneof("fact")
    return "written by a newer version, kept as it is" if fact is None else _LINES[fact](getattr(event, fact))


def _movement(fact: stock_pb2.Movement) -> str:
    moved = [
        f"{posting.quantity:+d} {posting.account.sku_id} {posting.account.bin or posting.account.external}"
        for posting in fact.postings
    ]
    return f"{fact.command}: {', '.join(moved)}"


def _fulfillment(fact: journal_pb2.FulfillmentAdvanced) -> str:
    parcel = f", parcel {fact.sscc}" if fact.sscc else ""
    return f"{fact.fulfillment_order_id} is {fulfillment_state_from_wire(fact.state) or fact.state}{parcel}"


def _discrepancy(fact: stock_pb2.DiscrepancyOpened) -> str:
    return f"{fact.sku_id} in {fact.bin_id}: {fact.difference:+d} against the book, {fact.reason}"


def _label(fact: journal_pb2.LabelAdvanced) -> str:
    detail = f": {fact.detail}" if fact.detail else ""
    return f"label of {fact.sscc}, copy {fact.copy}, is {fact.state} ({fact.event}){detail}"


def _vision(fact: decisions_pb2.VisionDecision) -> str:
    why = f": {fact.reasons[0].text}" if fact.reasons else ""
    return f"{fact.sku_id} of {fact.fulfillment_order_id}: {fact.outcome}{why}"


def _late_cancel(fact: journal_pb2.CancelCameTooLate) -> str:
    return f"{fact.fulfillment_order_id} had shipped before its cancel came"


def _state_reported(fact: fleet_pb2.StateReported) -> str:
    refused = f", a newer one was refused: {'; '.join(fact.faults)}" if fact.faults else ""
    return f"generation {fact.generation} is in force{refused}"


def _task(fact: journal_pb2.TaskOpened) -> str:
    return f"{fact.kind} at {fact.bin_id}"


_LINES: dict[str, Callable[[Any], str]] = {
    "movement": _movement,
    "fulfillment_advanced": _fulfillment,
    "discrepancy_opened": _discrepancy,
    "label_advanced": _label,
    "vision_decision": _vision,
    "cancel_came_too_late": _late_cancel,
    "state_reported": _state_reported,
    "task_opened": _task,
}
