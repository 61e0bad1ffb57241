"""One journal event as a sentence that a person can read, and as JSON that a program can.

One row per fact; `rules.sentences` has one per command of a movement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.json_format import MessageToDict

from bodega.codec import fact_of, fulfillment_state_from_wire, movement_from_wire, parse_node_event
from bodega.v1 import catalogue_pb2, decisions_pb2, fleet_pb2, journal_pb2, routing_pb2, stock_pb2
from bodega_agent.cli.journal_floor_text import FLOOR_SENTENCES
from bodega_agent.cli.times import utc
from bodega_agent.rules.sentences import sentence


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
    """What happened, in a sentence; facts of a newer version are named as such."""
    fact = event.WhichOneof("fact")
    return (
        "written by a newer version, kept as it is" if fact is None else SENTENCES[fact](getattr(event, fact))
    )


def who(event: journal_pb2.NodeEvent) -> str:
    """Who recorded it, and with what."""
    return f"{event.actor} at {event.device}" if event.device else event.actor


def told(seq: int, event: journal_pb2.NodeEvent) -> str:
    """Event number, time, who, and what happened, on one line."""
    return f"#{seq}  {utc(event.at_ms)}  {who(event)}: {one_line(event)}"


def _movement(fact: stock_pb2.Movement) -> str:
    return sentence(movement_from_wire(fact))


def _fulfillment(fact: journal_pb2.FulfillmentAdvanced) -> str:
    parcel = f", parcel {fact.sscc}" if fact.sscc else ""
    return f"{fact.fulfillment_order_id} is {fulfillment_state_from_wire(fact.state) or fact.state}{parcel}"


def _goods(fact: Any) -> str:
    return f"{fact.sku_id} (lot {fact.lot})" if fact.lot else str(fact.sku_id)


def _discrepancy(fact: stock_pb2.DiscrepancyOpened) -> str:
    order = f" during {fact.fulfillment_order_id}" if fact.fulfillment_order_id else ""
    side = "more" if fact.difference > 0 else "fewer"
    return f"{fact.bin_id} holds {abs(fact.difference)} {_goods(fact)} {side} than the book said ({fact.reason}{order})"


def _agrees(fact: stock_pb2.DiscrepancyClosed) -> str:
    opened = f", which settles {', '.join(fact.opened)}" if fact.opened else ""
    return f"shelf and book of {_goods(fact)} in {fact.bin_id} agree again ({fact.reason}){opened}"


def _label(fact: journal_pb2.LabelAdvanced) -> str:
    detail = f": {fact.detail}" if fact.detail else ""
    return f"label of {fact.sscc}, copy {fact.copy}, is {fact.state} ({fact.event}){detail}"


def _vision(fact: decisions_pb2.VisionDecision) -> str:
    why = f": {fact.reasons[0].text}" if fact.reasons else ""
    return f"the camera says {fact.outcome} to {fact.sku_id} of {fact.fulfillment_order_id}{why}"


def _late_cancel(fact: journal_pb2.CancelCameTooLate) -> str:
    return f"{fact.fulfillment_order_id} had shipped (event {fact.ship_seq}) before its cancel came"


def _state_reported(fact: fleet_pb2.StateReported) -> str:
    refused = f", a newer one was refused: {'; '.join(fact.faults)}" if fact.faults else ""
    return f"generation {fact.generation} of the settings is in force{refused}"


def _task(fact: journal_pb2.TaskOpened) -> str:
    order = f" for {fact.fulfillment_order_id}" if fact.fulfillment_order_id else ""
    goods = f" {_goods(fact)}" if fact.sku_id else ""
    return f"there is a task at {fact.bin_id}: {fact.kind.replace('_', ' ')}{goods}{order}"


def _task_closed(fact: journal_pb2.TaskClosed) -> str:
    place = f" at {fact.bin_id}" if fact.bin_id else ""
    return f"{_goods(fact)} is counted{place}" + (f", for {fact.divergence_id}" if fact.divergence_id else "")


def _reservation(fact: stock_pb2.ReservationChanged) -> str:
    served = f" for {fact.reference}" if fact.reference else ""
    done = [
        f"{units} {word}"
        for units, word in (
            (fact.posted, "handed over"),
            (fact.voided, "given back"),
            (fact.quantity - fact.posted - fact.voided, "pending"),
        )
        if units
    ]
    return (
        f"reservation {fact.reservation_id} of {fact.quantity} {fact.sku_id}{served}: {fact.event},"
        f" now {fact.state} ({', '.join(done)})"
    )


def _rights_taken(fact: stock_pb2.RightsTaken) -> str:
    return (
        f"the node has taken the right to promise {fact.quantity} {fact.sku_id} and holds {fact.held}"
        f" ({fact.transfer_id})"
    )


def _rights_returned(fact: stock_pb2.RightsReturned) -> str:
    return (
        f"the node has given the right to promise {fact.quantity} {fact.sku_id} back and holds {fact.held}"
        f" ({fact.reason}, {fact.transfer_id})"
    )


def _override(fact: stock_pb2.OverrideChanged) -> str:
    units = f"{fact.quantity} " if fact.quantity else ""
    if fact.state == "open":
        return f"set rule '{fact.rule}' aside for {units}{_goods(fact)}: {fact.reason} ({fact.override_id})"
    return (
        f"rule '{fact.rule}' is in force again for {units}{_goods(fact)}: {fact.state} ({fact.override_id})"
    )


def _checkpoint(fact: stock_pb2.LedgerCheckpoint) -> str:
    return f"checkpoint: {fact.accounts} balances stand as of event {fact.basis_seq}"


def _restored(fact: stock_pb2.StoreRestored) -> str:
    lost = f" in place of one at event {fact.replaced_seq}" if fact.replaced_seq else ""
    return f"{fact.actor} put back the backup of event {fact.backup_seq}{lost}: {fact.reason}"


def _routing_reported(fact: routing_pb2.RoutingReported) -> str:
    digest = fact.digest.hex()[:12] or "none of the hub's"
    refused = f", a newer one is refused: {'; '.join(fact.faults)}" if fact.faults else ""
    return f"decides by routing bundle {digest}, activation {fact.activation}{refused}"


def _epoch_begun(fact: journal_pb2.EpochBegun) -> str:
    fork = f", {fact.fork_events} events of the old line judged" if fact.fork_events else ""
    return f"epoch {fact.epoch} begins ({fact.reason}): it follows event {fact.previous_seq} at the hub{fork}"


def _conflict(fact: journal_pb2.ConflictFound) -> str:
    row = fact.conflict
    return f"{row.kind.replace('_', ' ')}: {row.effect} (conflict {row.conflict_id}, {row.rule})"


def _proposed(fact: catalogue_pb2.FieldProposed) -> str:
    why = f" ({fact.reason})" if fact.reason else ""
    return f"{fact.kind} {fact.subject}: {fact.field} should be {fact.value}{why}"


def _settled(fact: stock_pb2.TransferSettled) -> str:
    return f"transfer {fact.transfer_id} is over: {fact.missing} missing, {fact.surplus} too many"


def _parked_applied(fact: journal_pb2.ParkedEventApplied) -> str:
    told_at = f"event {fact.down_epoch}/{fact.down_seq} of the hub's stream"
    return f"{told_at} ({fact.fact}), which had waited here, is applied now"


SENTENCES: dict[str, Callable[[Any], str]] = {
    "movement": _movement,
    "fulfillment_advanced": _fulfillment,
    "discrepancy_opened": _discrepancy,
    "discrepancy_closed": _agrees,
    "label_advanced": _label,
    "vision_decision": _vision,
    "cancel_came_too_late": _late_cancel,
    "state_reported": _state_reported,
    "routing_reported": _routing_reported,
    "task_opened": _task,
    "reservation_changed": _reservation,
    "rights_taken": _rights_taken,
    "rights_returned": _rights_returned,
    "override_changed": _override,
    "ledger_checkpoint": _checkpoint,
    "store_restored": _restored,
    "epoch_begun": _epoch_begun,
    "conflict_found": _conflict,
    "field_proposed": _proposed,
    "transfer_settled": _settled,
    "task_closed": _task_closed,
    "parked_event_applied": _parked_applied,
    **FLOOR_SENTENCES,
}
