"""Tries of PINs: each is counted in the scan's own transaction, and too many in a row end in a rest.

The rest runs on the clock that only runs forward, and begins anew with a reboot (`store.expiry` ends it); a sign-in
with the badge ends it too.
"""

from __future__ import annotations

from typing import NamedTuple

from bodega.limits_floor import PIN_REST_S, PIN_TRIES_MAX
from bodega.v1 import floor_pb2
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Context, Transaction


class Asked(NamedTuple):
    """Whose PIN is asked for, and what it is held against."""

    associate_id: str
    salt: bytes
    expected: bytes


class Proof(NamedTuple):
    """A try: whether it was right."""

    associate_id: str
    right: bool


def asked_of(reader: Reader, device: str) -> Asked | None:
    """Whose PIN this device waits for; None if it waits for none, or no more tries are taken."""
    rows = reader.rows(
        "SELECT a.associate_id, pin_salt, pin_hash FROM floor_session s JOIN associate a"
        " ON a.associate_id = json_extract(s.body, '$.doing.is.associate_id')"
        " WHERE s.device = ? AND json_extract(s.body, '$.step') = 'sign_in_pin'"
        " AND NOT EXISTS (SELECT 1 FROM pin_tries t WHERE t.associate_id = a.associate_id AND rests_until_ms > 0)",
        device,
    )
    return Asked(*rows[0].values()) if rows else None


def count(tx: Transaction, context: Context, proof: Proof) -> None:
    """A try was made; the last wrong one is an exception, by person."""
    if proof.right or not tries_left(tx, proof.associate_id):
        return
    tx.execute(
        "INSERT INTO pin_tries(associate_id, wrong) VALUES (?, 1) ON CONFLICT DO UPDATE SET wrong = wrong + 1",
        (proof.associate_id,),
    )
    if not tries_left(tx, proof.associate_id):
        tx.execute(
            "UPDATE pin_tries SET rests_until_ms = ? WHERE associate_id = ?",
            (tx.clock().ms + PIN_REST_S * 1000, proof.associate_id),
        )
        noted = floor_pb2.ExceptionNoted(kind="pin_locked", reference=proof.associate_id)
        tx.append(context, exception_noted=noted)


def tries_left(tx: Transaction, associate_id: str) -> int:
    """How many wrong ones are still taken; 0 while it rests."""
    row = tx.one("SELECT wrong FROM pin_tries WHERE associate_id = ?", (associate_id,))
    return max(0, PIN_TRIES_MAX - row[0]) if row else PIN_TRIES_MAX


def forget(tx: Transaction, associate_id: str) -> None:
    """The person has come in: all tries again."""
    tx.execute("DELETE FROM pin_tries WHERE associate_id = ?", (associate_id,))
