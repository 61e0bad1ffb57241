"""Promises of the node's own (walk-ins, pickups), made from the rights that it holds.

Check and reservation look at the same rows in one transaction, and the writer runs one transaction at a
time: the last unit goes to exactly one caller. A refusal writes nothing.

One reservation is of one SKU, because it is posted, given back and expires by SKU. A basket is several of
them, made together or not at all (`reserve_basket`); lines of the same SKU are one question. A kit is
promised from its own stock, as any SKU: a promise of its parts is a basket of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bodega.core.deadline import Deadline, deadline, refuse_early
from bodega.core.ledger import Goods, Reference
from bodega.core.lifecycles import RESERVATION, ReservationEvent, ReservationState
from bodega.core.promise import Reservation, demand_by_sku, refuse_beyond
from bodega.core.rights import POST
from bodega.errors import FieldFault, InvalidInput, NotFound, Refused
from bodega.limits import (
    IDENTIFIER_CHARS_MAX,
    PROMISE_LASTS_MS_MAX,
    QUANTITY_MAX,
    RESERVATION_LINES_MAX,
    TEXT_CHARS_MAX,
)
from bodega.v1 import stock_pb2
from bodega_agent.store import ledger, rights
from bodega_agent.store.overrides import close_override, open_override
from bodega_agent.store.standing import standing
from bodega_agent.store.transaction import Context, Transaction

__all__ = [
    "BasketLine",
    "close_override",
    "expire",
    "open_override",
    "post",
    "release",
    "reserve",
    "reserve_basket",
    "sku_of",
    "standing",
]

Json = dict[str, Any]


class BasketLine(NamedTuple):
    """One reservation of a basket: `quantity` base units of one SKU under an id of its own."""

    reservation_id: str
    sku_id: str
    quantity: int


class _Kept(NamedTuple):
    """A row of `reservation`."""

    reservation_id: str
    sku_id: str
    reference: str
    promise: Reservation
    ends: Deadline


def reserve(
    tx: Transaction,
    context: Context,
    *,
    reservation_id: str,
    sku_id: str,
    quantity: int,
    reference: str = "",
    expires_after_ms: int = 0,
) -> Json:
    """Promise `quantity` base units of a SKU for `expires_after_ms` (0: until it is released).

    Refused with code "insufficient-rights" when the node may not promise that many, "disk-full" when
    it makes no promises at present, "reservation-twice" for an id that is taken; InvalidInput for bad fields.
    """
    line = BasketLine(reservation_id, sku_id, quantity)
    (made,) = reserve_basket(
        tx, context, lines=[line], reference=reference, expires_after_ms=expires_after_ms
    )["reservations"]
    return dict(made)


def reserve_basket(
    tx: Transaction,
    context: Context,
    *,
    lines: Sequence[BasketLine],
    reference: str = "",
    expires_after_ms: int = 0,
) -> Json:
    """Promise every line of a basket, or none: {"reservations": [as `reserve` answers]}. Refuses as `reserve`."""
    tx.gate.check_promise()
    _check(lines, reference, expires_after_ms)
    for line in lines:
        if tx.one("SELECT 1 FROM reservation WHERE reservation_id = ?", (line.reservation_id,)):
            raise Refused(
                f"there is a reservation '{line.reservation_id}' already",
                code="reservation-twice",
                hint="repeat a command with its own cmd_id, or give a new reservation a new id",
            )
    demand = demand_by_sku((line.sku_id, line.quantity) for line in lines)
    today = tx.today()
    refuse_beyond({sku_id: standing(tx, sku_id, today) for sku_id in demand}, demand)
    ends = deadline(expires_after_ms, tx.clock())
    made = [
        _Kept(line.reservation_id, line.sku_id, reference, Reservation(line.quantity), ends) for line in lines
    ]
    return {"reservations": [_open(tx, context, one) for one in made]}


def _check(lines: Sequence[BasketLine], reference: str, expires_after_ms: int) -> None:
    faults = [
        FieldFault(where, problem)
        for wrong, where, problem in (
            (
                not 1 <= len(lines) <= RESERVATION_LINES_MAX,
                "lines",
                f"must be 1 to {RESERVATION_LINES_MAX}, are {len(lines)}",
            ),
            (
                len({line.reservation_id for line in lines}) != len(lines),
                "reservation_id",
                "must be another one on every line",
            ),
            (
                len(reference) > TEXT_CHARS_MAX,
                "reference",
                f"must be at most {TEXT_CHARS_MAX} characters, are {len(reference)}",
            ),
            (
                not 0 <= expires_after_ms <= PROMISE_LASTS_MS_MAX,
                "expires_after_ms",
                f"must be 0 (never) to {PROMISE_LASTS_MS_MAX}, is {expires_after_ms}",
            ),
        )
        if wrong
    ]
    for number, line in enumerate(lines):
        where = f"lines[{number}]." if len(lines) > 1 else ""
        faults += [
            FieldFault(f"{where}{name}", f"must be 1 to {IDENTIFIER_CHARS_MAX} characters")
            for name, value in (("reservation_id", line.reservation_id), ("sku_id", line.sku_id))
            if not 0 < len(value) <= IDENTIFIER_CHARS_MAX
        ]
        if not 0 < line.quantity <= QUANTITY_MAX:
            faults.append(
                FieldFault(f"{where}quantity", f"must be 1 to {QUANTITY_MAX} base units, is {line.quantity}")
            )
    if faults:
        raise InvalidInput(
            f"this can not be reserved: {'; '.join(map(str, faults))}",
            hint="mend each field named and send it again with a new cmd_id",
            faults=tuple(faults),
        )


def release(tx: Transaction, context: Context, *, reservation_id: str) -> Json:
    """Give back what is pending. NotFound; Refused with code "illegal-transition" for one that has ended."""
    kept = _pending(tx, reservation_id, ReservationEvent.VOID)
    return _change(tx, context, kept._replace(promise=kept.promise.void()), ReservationEvent.VOID)


def expire(tx: Transaction, context: Context, *, reservation_id: str) -> Json:
    """Give back what is pending because its time is over, by the node's monotonic clock.

    NotFound; Refused with code "not-due" before that, "illegal-transition" for one that has ended.
    """
    kept = _pending(tx, reservation_id, ReservationEvent.EXPIRE)
    refuse_early(kept.ends, tx.clock(), f"reservation '{reservation_id}'", "to end it now, release it")
    return _change(tx, context, kept._replace(promise=kept.promise.expire()), ReservationEvent.EXPIRE)


def post(
    tx: Transaction, context: Context, *, reservation_id: str, goods: Goods, bin_id: str, final: bool = True
) -> Json:
    """Goods left `bin_id` for a reservation: movement, rights and reservation in one transaction.

    `final`: what is still pending after it is given back. NotFound; Refused with code "illegal-transition"
    for a reservation that has ended, "more-than-reserved"; InvalidInput for goods of another SKU.
    """
    kept = _pending(tx, reservation_id, ReservationEvent.POST)
    if goods.sku_id != kept.sku_id:
        raise InvalidInput(
            f"reservation '{reservation_id}' is of SKU '{kept.sku_id}'",
            hint="post each reservation with the goods that it was made for",
            faults=(FieldFault("sku_id", f"must be {kept.sku_id}, is {goods.sku_id}"),),
        )
    if goods.quantity > kept.promise.pending:
        raise Refused(
            f"reservation '{reservation_id}' has {kept.promise.pending} units pending, not {goods.quantity}",
            code="more-than-reserved",
            hint="post what was reserved; reserve the rest under a new id",
            faults=(FieldFault("quantity", f"must be at most {kept.promise.pending}, is {goods.quantity}"),),
        )
    promise = kept.promise.post(goods.quantity)
    reference = Reference(reservation_id=reservation_id)
    ledger.move(tx, context, POST, [goods], source_bin=bin_id, reference=reference)
    rights.spend(tx, goods.sku_id, goods.quantity)
    after = kept._replace(promise=promise.void() if final else promise)
    return _change(tx, context, after, ReservationEvent.POST)


def _open(tx: Transaction, context: Context, made: _Kept) -> Json:
    seq = _tell(tx, context, made, "reserve")
    tx.execute(
        "INSERT INTO reservation(reservation_id, sku_id, quantity, state, reference, boot_id, expires_at_ms,"
        " expires_after_ms, opened_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made.reservation_id,
            made.sku_id,
            made.promise.quantity,
            made.promise.state,
            made.reference,
            *made.ends,
            seq,
        ),
    )
    return _shown(made, seq)


def sku_of(tx: Transaction, reservation_id: str) -> str:
    """The SKU that was reserved; raises NotFound."""
    row = tx.one("SELECT sku_id FROM reservation WHERE reservation_id = ?", (reservation_id,))
    if row is None:
        raise _not_found(reservation_id)
    return str(row[0])


def _not_found(reservation_id: str) -> NotFound:
    return NotFound(
        f"there is no reservation '{reservation_id[:IDENTIFIER_CHARS_MAX]}' here",
        hint="reservations of the hub's orders are not the node's: bodega orders",
    )


def _pending(tx: Transaction, reservation_id: str, event: ReservationEvent) -> _Kept:
    """The reservation, if `event` may still happen to it."""
    row = tx.one(
        "SELECT sku_id, reference, quantity, posted, voided, state, boot_id, expires_at_ms, expires_after_ms"
        " FROM reservation WHERE reservation_id = ?",
        (reservation_id,),
    )
    if row is None:
        raise _not_found(reservation_id)
    sku_id, reference, quantity, posted, voided, state, *ends = row
    RESERVATION.step(ReservationState(state), event)
    promise = Reservation(quantity, posted, voided, ReservationState(state))
    return _Kept(reservation_id, sku_id, reference, promise, Deadline(*ends))


def _change(tx: Transaction, context: Context, after: _Kept, event: ReservationEvent) -> Json:
    seq = _tell(tx, context, after, event)
    promise = after.promise
    tx.execute(
        "UPDATE reservation SET posted = ?, voided = ?, state = ? WHERE reservation_id = ?",
        (promise.posted, promise.voided, promise.state, after.reservation_id),
    )
    return _shown(after, seq)


def _tell(tx: Transaction, context: Context, kept: _Kept, event: str) -> int:
    changed = stock_pb2.ReservationChanged(
        reservation_id=kept.reservation_id,
        sku_id=kept.sku_id,
        quantity=kept.promise.quantity,
        posted=kept.promise.posted,
        voided=kept.promise.voided,
        state=kept.promise.state,
        event=event,
        reference=kept.reference,
        expires_after_ms=kept.ends.after_ms,
    )
    return tx.append(context, reservation_changed=changed)


def _shown(kept: _Kept, seq: int) -> Json:
    promise = kept.promise
    return {
        "reservation_id": kept.reservation_id,
        "sku_id": kept.sku_id,
        "quantity": promise.quantity,
        "posted": promise.posted,
        "voided": promise.voided,
        "pending": promise.pending,
        "state": str(promise.state),
        "seq": seq,
    }
