"""Parcels that wait for their customers: where, how long, and how often a wrong code was said.

Whether one waits, the state of its fulfillment order says. Its time runs on the clock of reservations
(`core.deadline`): never early, and anew in full after a reboot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bodega.core.deadline import deadline
from bodega.core.floor_words import Method
from bodega.core.lifecycles import FulfillmentEvent, FulfillmentState
from bodega.v1 import floor_pb2, orders_pb2
from bodega_agent.store import work
from bodega_agent.store.reads.stage import LEFT_ON_STAGE
from bodega_agent.store.transaction import Context, Transaction

STAGED, COLLECTED, EXPIRED, REFUSED = "staged", "collected", "expired", "refused"
_CANCELLED = "cancelled"


class Kept(NamedTuple):
    """What the node knows of a pickup beside its order; `bin_id` is empty until it is staged."""

    method: str
    code_sha256: bytes
    hold_ms: int
    bin_id: str
    wrong_codes: int

    @property
    def is_fetched(self) -> bool:
        """Whether a customer comes for it, and no carrier."""
        return self.method in {Method.PICKUP, Method.LOCKER}


def adopt(tx: Transaction) -> None:
    """Parcels that wait by the hub's word alone, after a wiped disk: nobody knows where; their time begins anew."""
    rows = tx.execute(
        "SELECT f.fulfillment_order_id FROM fulfillment_order f LEFT JOIN pickup p USING (fulfillment_order_id)"
        " WHERE f.state = 'staged' AND p.bin IS NULL"
    )
    for (fulfillment_order_id,) in list(rows):
        _keep(tx, fulfillment_order_id, "")


def put_back(tx: Transaction, fulfillment_order_id: str, bin_id: str) -> None:
    """Where a parcel waits that this ledger has lost, by the hub's word; its time begins anew."""
    waits = tx.one(
        "SELECT 1 FROM fulfillment_order f LEFT JOIN pickup p USING (fulfillment_order_id)"
        " WHERE f.fulfillment_order_id = ? AND f.state = 'staged' AND p.bin IS NULL",
        (fulfillment_order_id,),
    )
    if waits is not None:
        _keep(tx, fulfillment_order_id, bin_id)


def find(tx: Transaction, fulfillment_order_id: str) -> Kept:
    """The order must be here; one that a carrier takes has another method, and no code."""
    row = tx.one(
        "SELECT f.method, f.pickup, coalesce(p.bin, ''), coalesce(p.wrong_codes, 0) FROM fulfillment_order f"
        " LEFT JOIN pickup p USING (fulfillment_order_id) WHERE f.fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )
    assert row is not None, "the caller has read the order in this transaction"
    asked = orders_pb2.Pickup.FromString(row[1])
    return Kept(row[0], asked.code_sha256, asked.hold_ms, row[2], row[3])


def waiting_in(tx: Transaction, bin_id: str) -> list[str]:
    """The fulfillment orders whose parcels wait there."""
    return [order for place, order in waiting(tx) if place == bin_id]


def waiting(tx: Transaction) -> list[tuple[str, str]]:
    """(place, fulfillment order) of every parcel that waits for its customer."""
    rows = tx.execute(
        "SELECT p.bin, p.fulfillment_order_id FROM fulfillment_order f JOIN pickup p USING (fulfillment_order_id)"
        " WHERE f.state = 'staged' ORDER BY p.staged_at_ms, p.fulfillment_order_id"
    )
    return [(row[0], row[1]) for row in rows]


def left(tx: Transaction) -> Mapping[str, tuple[str, ...]]:
    """By place, the orders that are over and whose goods nobody has put back yet: their parcels may stand there."""
    rows = tx.execute(
        "SELECT DISTINCT p.bin, p.fulfillment_order_id FROM balance b"  # noqa: S608  # a constant
        f" JOIN pickup p ON p.fulfillment_order_id = substr(b.bin, 7) WHERE {_LEFT} ORDER BY 1, 2"
    )
    there: dict[str, tuple[str, ...]] = {}
    for bin_id, order in rows:
        there[bin_id] = (*there.get(bin_id, ()), order)
    return there


# `balance` has the name b here, and both tables have a column "bin".
_LEFT = LEFT_ON_STAGE.replace("bin ", "b.bin ").replace("substr(bin,", "substr(b.bin,")


def stage(tx: Transaction, context: Context, fulfillment_order_id: str, bin_id: str) -> None:
    """It waits in `bin_id` from now on, and the hub may tell the customer. Put elsewhere, its time goes on."""
    if work.find(tx, fulfillment_order_id).state is not FulfillmentState.STAGED:
        work.advance(tx, context, fulfillment_order_id, FulfillmentEvent.STAGE)
    _keep(tx, fulfillment_order_id, bin_id)
    _tell(tx, context, fulfillment_order_id, STAGED, bin_id)


def _keep(tx: Transaction, fulfillment_order_id: str, bin_id: str) -> None:
    ends = deadline(find(tx, fulfillment_order_id).hold_ms, tx.clock())
    tx.execute(
        "INSERT INTO pickup(fulfillment_order_id, bin, boot_id, expires_at_ms, expires_after_ms, staged_at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET bin = excluded.bin",
        (fulfillment_order_id, bin_id, *ends, tx.now_ms()),
    )


def count_wrong_code(tx: Transaction, fulfillment_order_id: str) -> None:
    """One try less."""
    tx.execute(
        "UPDATE pickup SET wrong_codes = wrong_codes + 1 WHERE fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )


def end(tx: Transaction, context: Context, fulfillment_order_id: str, outcome: str) -> None:
    """COLLECTED, EXPIRED or REFUSED, each with its step in the order's life."""
    work.advance(tx, context, fulfillment_order_id, _EVENTS[outcome])
    _set_outcome(tx, fulfillment_order_id, outcome)
    _tell(tx, context, fulfillment_order_id, outcome, find(tx, fulfillment_order_id).bin_id)


def due(tx: Transaction, now_ms: int, limit: int) -> list[tuple[str, str]]:
    """(fulfillment order, SSCC) of those whose time is over; `now_ms` is of this boot."""
    rows = tx.execute(
        "SELECT p.fulfillment_order_id, f.sscc, f.state FROM pickup p JOIN fulfillment_order f"
        " USING (fulfillment_order_id) WHERE p.outcome = '' AND p.expires_after_ms > 0 AND p.expires_at_ms <= ?"
        " ORDER BY p.expires_at_ms LIMIT ?",
        (now_ms, limit),
    )
    found = []
    for order, sscc, state in list(rows):
        if state == FulfillmentState.STAGED:
            found.append((order, sscc))
        else:
            # The hub has cancelled it since: nobody waits for it any more.
            _set_outcome(tx, order, _CANCELLED)
    return found


_EVENTS = {
    COLLECTED: FulfillmentEvent.COLLECT,
    EXPIRED: FulfillmentEvent.EXPIRE,
    REFUSED: FulfillmentEvent.CANCEL,
}


def _set_outcome(tx: Transaction, fulfillment_order_id: str, outcome: str) -> None:
    tx.execute(
        "UPDATE pickup SET outcome = ? WHERE fulfillment_order_id = ?", (outcome, fulfillment_order_id)
    )


def _tell(tx: Transaction, context: Context, fulfillment_order_id: str, state: str, bin_id: str) -> None:
    tx.append(
        context,
        pickup_advanced=floor_pb2.PickupAdvanced(
            fulfillment_order_id=fulfillment_order_id, state=state, bin_id=bin_id
        ),
    )
