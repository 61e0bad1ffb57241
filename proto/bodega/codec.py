"""Wire <-> domain values: the only place where a protobuf message becomes a rule's value, and back.

Events are decoded from the bytes that their writer recorded; those bytes, not the values, are the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from bodega import packing
from bodega.core.conflicts.row import Conflict
from bodega.core.floor_words import TemperatureClass, VelocityClass
from bodega.core.ledger import (
    NO_REFERENCE,
    Account,
    Discrepancy,
    Entered,
    LotSeen,
    Movement,
    Posting,
    Reference,
)
from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.sku import EACH, Sku, Unit
from bodega.core.sync import Envelope, Head
from bodega.errors import PeerFault
from bodega.v1 import catalogue_pb2, decisions_pb2, journal_pb2, orders_pb2, stock_pb2, sync_pb2

UNKNOWN_FACT = "unknown"

M = TypeVar("M", bound=Message)


def fact_of(event: journal_pb2.NodeEvent | journal_pb2.HubEvent) -> str:
    """Name of the fact, such as "movement"; "unknown" for one that a newer writer has added."""
    return event.WhichOneof("fact") or UNKNOWN_FACT


def parse_node_event(body: bytes) -> journal_pb2.NodeEvent:
    """Raises PeerFault if the bytes are no NodeEvent at all."""
    return _parse(journal_pb2.NodeEvent(), body)


def parse_hub_event(body: bytes) -> journal_pb2.HubEvent:
    """Raises PeerFault if the bytes are no HubEvent at all."""
    return _parse(journal_pb2.HubEvent(), body)


def _parse(message: M, body: bytes) -> M:
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise PeerFault(f"not a {message.DESCRIPTOR.name}: {error}") from error
    return message


def without_zero_characters(message: M, body: bytes = b"\0") -> M:
    """The message itself, with U+0000 in its texts replaced by U+FFFD: not every database takes it.

    `body`: the bytes that it was parsed from, if they are at hand; without a zero byte there is nothing to do.
    """
    if b"\0" in body:
        _replace_zeros(message)
    return message


def _replace_zeros(message: Message) -> None:
    for field, value in message.ListFields():
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map:
            cleaned = {_clean(key): _clean(one) for key, one in value.items()}
            if cleaned != dict(value):
                value.clear()
                value.update(cleaned)
        elif field.message_type is not None:
            for one in [value] if isinstance(value, Message) else value:
                _replace_zeros(one)
        elif isinstance(value, str):
            setattr(message, field.name, _clean(value))
        elif field.type == field.TYPE_STRING:
            value[:] = [_clean(one) for one in value]


def _clean(value: object) -> object:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def movement_to_wire(movement: Movement) -> stock_pb2.Movement:
    """The message of a movement."""
    message = stock_pb2.Movement()
    fill_movement(message, movement)
    return message


def fill_movement(message: stock_pb2.Movement, movement: Movement) -> None:
    """Fill an empty message. Every command comes through here: what is empty is not touched, and messages are
    filled where they are, because one made apart would be copied.
    """
    message.command = movement.command
    message.biz_step = movement.biz_step
    reference = movement.reference
    if reference is not NO_REFERENCE:
        message.fulfillment_order_id = reference.fulfillment_order_id
        message.sscc = reference.sscc
        message.corrects = reference.corrects
        message.reason = reference.reason
        message.transfer_id = reference.transfer_id
        message.reservation_id = reference.reservation_id
        message.basis_seq = reference.basis_seq
        message.final = reference.final
    for account, quantity, serials in movement.postings:
        posting = message.postings.add(quantity=quantity)
        if serials:
            posting.serials.extend(serials)
        _fill(posting.account, account)
    for said in movement.entered:
        message.entered.add(
            sku_id=said.sku_id, quantity=said.quantity, unit=said.unit, units_version=said.units_version
        )
    for seen in movement.lots:
        message.lots.add(sku_id=seen.sku_id, lot=seen.lot, expiry=seen.expiry)


def movement_from_wire(message: stock_pb2.Movement) -> Movement:
    """The value of a message; not yet checked (`core.ledger.check`)."""
    return Movement(
        command=message.command,
        biz_step=message.biz_step,
        # A list first: this runs for millions of events, and a generator would cost a third more.
        postings=tuple(
            [Posting(account_from_wire(p.account), p.quantity, tuple(p.serials)) for p in message.postings]
        ),
        reference=Reference(
            fulfillment_order_id=message.fulfillment_order_id,
            sscc=message.sscc,
            reason=message.reason,
            corrects=message.corrects,
            transfer_id=message.transfer_id,
            reservation_id=message.reservation_id,
            basis_seq=message.basis_seq,
            final=message.final,
        ),
        entered=tuple([Entered(e.sku_id, e.quantity, e.unit, e.units_version) for e in message.entered]),
        lots=tuple([LotSeen(seen.sku_id, seen.lot, seen.expiry) for seen in message.lots]),
    )


def sku_from_wire(message: catalogue_pb2.Sku) -> Sku:
    """The facts of a SKU that the ledger's and the floor's rules ask for."""
    return Sku(
        sku_id=message.sku_id,
        name=message.name,
        owner=message.owner,
        lot_tracked=message.lot_tracked,
        serial_tracked=message.serial_tracked,
        expiry_tracked=message.expiry_tracked,
        base_unit=message.base_unit or EACH,
        units=tuple([Unit(unit.unit, unit.base_units, tuple(unit.gtins)) for unit in message.units]),
        units_version=message.units_version,
        gtins=tuple(message.gtins),
        components=tuple([(part.sku_id, part.quantity) for part in message.components]),
        weight_g=message.weight_g,
        volume_ml=message.volume_ml,
        length_mm=message.length_mm,
        width_mm=message.width_mm,
        height_mm=message.height_mm,
        temperature_class=message.temperature_class or TemperatureClass.AMBIENT,
        velocity_class=message.velocity_class or VelocityClass.C,
        fragile=message.fragile,
    )


def account_to_wire(account: Account) -> stock_pb2.Account:
    """The message of an account."""
    message = stock_pb2.Account()
    _fill(message, account)
    return message


def _fill(message: stock_pb2.Account, account: Account) -> None:
    message.sku_id, bin_id, disposition, lot, owner, external = account
    if external:
        message.external = external
    else:
        message.bin = bin_id
    if disposition:
        message.disposition = disposition
    if lot:
        message.lot = lot
    if owner:
        message.owner = owner


def account_from_wire(message: stock_pb2.Account) -> Account:
    """The value of a message."""
    return Account(
        message.sku_id, message.bin, message.disposition, message.lot, message.owner, message.external
    )


def discrepancy_to_wire(value: Discrepancy) -> stock_pb2.DiscrepancyOpened:
    """The message of a discrepancy."""
    return stock_pb2.DiscrepancyOpened(
        bin_id=value.bin_id,
        sku_id=value.sku_id,
        lot=value.lot,
        difference=value.difference,
        reason=value.reason,
        fulfillment_order_id=value.fulfillment_order_id,
    )


def conflict_to_wire(value: Conflict) -> decisions_pb2.Conflict:
    """Two facts that met, without what people have decided about it."""
    return decisions_pb2.Conflict(
        conflict_id=value.conflict_id,
        kind=value.kind,
        rule=value.rule,
        inputs=value.inputs,
        knew=value.knew,
        effect=value.effect,
        undo=value.undo,
        order_id=value.order_id,
        node_id=value.node_id,
        sku_id=value.sku_id,
        effects=value.effects,
        needs=value.needs,
    )


def conflict_from_wire(message: decisions_pb2.Conflict) -> Conflict:
    """The inverse of `conflict_to_wire`."""
    return Conflict(
        conflict_id=message.conflict_id,
        kind=message.kind,
        rule=message.rule,
        inputs=tuple(message.inputs),
        knew=message.knew,
        effect=message.effect,
        undo=message.undo,
        order_id=message.order_id,
        node_id=message.node_id,
        sku_id=message.sku_id,
        effects=tuple(message.effects),
        needs=message.needs,
    )


def envelope_to_wire(envelope: Envelope) -> sync_pb2.Envelope:
    """The message of an envelope."""
    return sync_pb2.Envelope(
        node_id=envelope.node_id,
        epoch=envelope.epoch,
        first_seq=envelope.first_seq,
        prev_hash=envelope.prev_hash,
        events=envelope.events,
        last_hash=envelope.last_hash,
    )


def envelope_to_bytes(envelope: Envelope, understood: Collection[int] = ()) -> bytes:
    """The bytes that travel; packed where that pays, in a way that the reader has said it understands."""
    message = envelope_to_wire(envelope)
    packing.pack(message, understood)
    return message.SerializeToString()


def envelope_from_bytes(body: bytes) -> Envelope:
    """Raises PeerFault if the bytes are no envelope."""
    return envelope_from_wire(_parse(sync_pb2.Envelope(), body))


def envelope_from_wire(message: sync_pb2.Envelope) -> Envelope:
    """The value of a message; not yet judged (`core.sync.judge`). Raises PeerFault if it cannot be unpacked."""
    return Envelope(
        message.node_id,
        message.epoch,
        message.first_seq,
        message.prev_hash,
        tuple(packing.events_of(message)),
        message.last_hash,
    )


def head_to_ack(node_id: str, head: Head, signature: bytes = b"") -> sync_pb2.Ack:
    """The ack that says: committed up to this head."""
    return sync_pb2.Ack(node_id=node_id, epoch=head.epoch, seq=head.seq, hash=head.hash, signature=signature)


def head_from_ack(ack: sync_pb2.Ack) -> Head:
    """The head that an ack speaks of."""
    return Head(ack.epoch, ack.seq, ack.hash)


def ack_text(ack: sync_pb2.Ack) -> bytes:
    """The bytes that the hub counter-signs: node, epoch, sequence and hash, in one unambiguous line."""
    return f"bodega-ack-v1\n{ack.node_id}\n{ack.epoch}\n{ack.seq}\n{ack.hash.hex()}".encode()


def desired_state_text(node_id: str, generation: int, settings: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a desired state that the hub signs; settings sorted by name."""
    lines = [f"{len(name)}:{name}={len(value)}:{value}" for name, value in sorted(settings)]
    return "\n".join(["bodega-desired-v1", node_id, str(generation), *lines]).encode()


_ORDER_STATES = {state: orders_pb2.OrderState.Value(f"ORDER_STATE_{state.name}") for state in OrderState}
_FULFILLMENT_STATES = {
    state: orders_pb2.FulfillmentState.Value(f"FULFILLMENT_STATE_{state.name}") for state in FulfillmentState
}
_FULFILLMENT_FROM_WIRE = {number: state for state, number in _FULFILLMENT_STATES.items()}
_ORDER_FROM_WIRE = {number: state for state, number in _ORDER_STATES.items()}


def order_state_to_wire(state: OrderState) -> orders_pb2.OrderState.ValueType:
    """The enum number of a state."""
    return _ORDER_STATES[state]


def order_state_from_wire(number: int) -> OrderState | None:
    """None for unspecified and for states that a newer peer has added."""
    return _ORDER_FROM_WIRE.get(orders_pb2.OrderState.ValueType(number))


def fulfillment_state_to_wire(state: FulfillmentState) -> orders_pb2.FulfillmentState.ValueType:
    """The enum number of a state."""
    return _FULFILLMENT_STATES[state]


def fulfillment_state_from_wire(number: int) -> FulfillmentState | None:
    """None for unspecified and for states that a newer peer has added."""
    return _FULFILLMENT_FROM_WIRE.get(orders_pb2.FulfillmentState.ValueType(number))
