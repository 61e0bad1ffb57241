"""What telling gives to the faces: frozen values, without secrets but where one has just been made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodega_controlplane.store.rows import Row


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that has happened; `data` holds nothing personal."""

    event_id: str
    type: str
    at_ms: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order; `next_cursor` goes on after everything that was looked at."""

    events: tuple[EventView, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """An endpoint as its owner wants it, not yet checked; no types means all."""

    url: str
    types: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookView:
    """An endpoint. `waiting`: events that it has yet to be told of, other types included.

    `attempts`: how often the next one has failed; `next_attempt_ms` 0 unless it has.
    """

    webhook_id: str
    channel: str
    url: str
    types: tuple[str, ...]
    description: str
    enabled: bool
    reason: str
    waiting: int
    attempts: int
    failing_since_ms: int
    next_attempt_ms: int
    version: int
    created_at_ms: int
    updated_at_ms: int
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One call of an endpoint; `status` 0: there was no answer."""

    event_id: str
    type: str
    attempt: int
    at_ms: int
    duration_ms: int
    status: int
    problem: str


def event_view(row: Row) -> EventView:
    """A row of `event`."""
    return EventView(row.event_id, row.type, row.at_ms, json.loads(row.data))


def webhook_view(row: Row, head: int, *, secret: str = "") -> WebhookView:
    """A row of `webhook`; its secret only where the caller has just made it."""
    return WebhookView(
        webhook_id=row.webhook_id,
        channel=row.channel,
        url=row.url,
        types=tuple(json.loads(row.types)),
        description=row.description,
        enabled=row.state == "enabled",
        reason=row.reason,
        waiting=max(0, head - row.cursor_seq),
        attempts=row.attempts,
        failing_since_ms=row.failing_since_ms,
        next_attempt_ms=row.next_attempt_ms if row.attempts else 0,
        version=row.version,
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
        secret=secret,
    )


def delivery_view(row: Row) -> DeliveryView:
    """A row of `webhook_delivery`."""
    return DeliveryView(
        row.event_id, row.type, row.attempt, row.at_ms, row.duration_ms, row.status, row.problem
    )
