"""Runs of endpoints: claimed with a lease, told a few events in order, given back with what came of it.

An event goes out only after all before it were taken. So one that fails holds up those behind it, is tried again by
the schedule of Standard Webhooks, and after the last attempt turns the endpoint off: nothing is ever left out in
silence. Whoever takes over after a crash tells a few events again, under the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bodega.limits_events import (
    WEBHOOK_LEASE_S,
    WEBHOOK_PROBLEM_CHARS_MAX,
    WEBHOOK_RUN_EVENTS_MAX,
    WEBHOOK_SCANNED_EVENTS_MAX,
)
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.telling.views import EventView, event_view
from bodega_controlplane.rules.telling import GONE, retry_after_ms, rfc3339
from bodega_controlplane.store import events, webhooks
from bodega_controlplane.store.events import Wanted
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

ACTOR = "hub"
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint, as it goes out."""

    seq: int
    event_id: str
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """Events for one endpoint, in order; after the last of them everything up to `upto_seq` has been looked at.

    `secrets`: as they lie in the database, sealed.
    """

    webhook_id: str
    lease: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    attempts: int
    failing_since_ms: int
    messages: tuple[Message, ...]
    upto_seq: int


@dataclass(frozen=True, slots=True)
class Said:
    """The status that an endpoint answered, and for how long it wants to be left alone (Retry-After)."""

    status: int
    asked_s: float = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said to one event; `status` 0 and a problem: nothing.

    `asked_s`: for how long it wants to be left alone (Retry-After).
    """

    message: Message
    at_ms: int
    duration_ms: int
    status: int
    problem: str = ""
    asked_s: float = 0

    @property
    def taken(self) -> bool:
        """Whether the event is done with."""
        return 200 <= self.status < 300


def any_due(tx: Transaction, now_ms: int) -> bool:
    """Whether there is something to claim."""
    return webhooks.any_due(tx, now_ms, events.head(tx))


def claim(tx: Transaction, now_ms: int, limit: int) -> tuple[Run, ...]:
    """Take up to `limit` endpoints that are due, each with what it is to be told next."""
    lease, head = new_id("L", now_ms), events.head(tx)
    until_ms = now_ms + round(WEBHOOK_LEASE_S * 1000)
    return tuple(
        _run(tx, row, head, now_ms) for row in webhooks.claim(tx, lease, now_ms, until_ms, head, limit)
    )


def _run(tx: Transaction, row: Row, head: int, now_ms: int) -> Run:
    upto = min(head, row.cursor_seq + WEBHOOK_SCANNED_EVENTS_MAX)
    wanted = Wanted(row.channel, tuple(json.loads(row.types)))
    found = events.after(tx, row.cursor_seq, upto, wanted, WEBHOOK_RUN_EVENTS_MAX)
    messages = tuple(Message(one.seq, one.event_id, one.type, body_of(event_view(one))) for one in found)
    both = row.old_secret and row.old_secret_until_ms > now_ms
    return Run(
        row.webhook_id,
        row.lease,
        row.url,
        (row.secret, row.old_secret) if both else (row.secret,),
        row.attempts,
        row.failing_since_ms,
        messages,
        messages[-1].seq if len(messages) == WEBHOOK_RUN_EVENTS_MAX else upto,
    )


def body_of(event: EventView) -> bytes:
    """The body that is sent and signed: the payload of Standard Webhooks, with the event's id for who stores it."""
    whole = {"id": event.event_id, "type": event.type, "timestamp": rfc3339(event.at_ms), "data": event.data}
    return json.dumps(whole, separators=(",", ":")).encode()


def finish(tx: Transaction, now_ms: int, run: Run, answers: Sequence[Answer], chance: float) -> None:
    """Write down what came of a run: how far the endpoint is, and when it is called again."""
    failed = next((one for one in answers if not one.taken), None)
    columns: dict[str, Any] = {"attempts": 0, "failing_since_ms": 0, "next_attempt_ms": now_ms}
    if failed is not None:
        columns = _after_failure(tx, now_ms, run, answers, failed, chance)
    elif len(answers) == len(run.messages):
        columns["cursor_seq"] = run.upto_seq
    elif answers:
        columns["cursor_seq"] = answers[-1].message.seq
    else:
        columns = {}  # it did not come to a call: as if it had not been claimed
    webhooks.end_run(tx, run.webhook_id, run.lease, columns)
    webhooks.note(
        tx,
        [
            {
                "webhook_id": run.webhook_id,
                "event_id": one.message.event_id,
                "type": one.message.type,
                "attempt": run.attempts + 1 if one is answers[0] else 1,
                "at_ms": one.at_ms,
                "duration_ms": one.duration_ms,
                "status": one.status,
                "problem": one.problem[:WEBHOOK_PROBLEM_CHARS_MAX],
            }
            for one in answers
        ],
    )


def _after_failure(
    tx: Transaction, now_ms: int, run: Run, answers: Sequence[Answer], failed: Answer, chance: float
) -> dict[str, Any]:
    is_first = failed is answers[0]
    attempts = run.attempts + 1 if is_first else 1
    since_ms = run.failing_since_ms if is_first and run.failing_since_ms else now_ms
    wait_ms = None if failed.status == GONE else retry_after_ms(attempts, chance, failed.asked_s)
    columns: dict[str, Any] = {
        "cursor_seq": failed.message.seq - 1,
        "attempts": attempts,
        "failing_since_ms": since_ms,
        "next_attempt_ms": now_ms + (wait_ms or 0),
    }
    if wait_ms is None:
        said = f"answered {failed.status}" if failed.status != _NO_ANSWER else failed.problem
        reason = (
            "the endpoint is gone (410)" if failed.status == GONE else f"{attempts} attempts failed: {said}"
        )
        columns |= _disabled(tx, now_ms, run, reason[:WEBHOOK_PROBLEM_CHARS_MAX])
    return columns


def _disabled(tx: Transaction, now_ms: int, run: Run, reason: str) -> dict[str, Any]:
    row = webhooks.lock(tx, run.webhook_id)
    if row is None or row.lease != run.lease:
        return {}
    detail = {"reason": reason}
    tx.audit(at_ms=now_ms, actor=ACTOR, action="webhook.disabled", subject=run.webhook_id, detail=detail)
    return {
        "state": webhooks.DISABLED,
        "reason": reason,
        "version": row.version + 1,
        "updated_at_ms": now_ms,
    }
