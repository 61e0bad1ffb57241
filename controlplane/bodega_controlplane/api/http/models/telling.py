"""Events and webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from bodega.limits import TEXT_CHARS_MAX
from bodega.limits_events import (
    EVENT_ID_CHARS_MAX,
    EVENT_TYPES_PER_WEBHOOK_MAX,
    WEBHOOK_OLD_SECRET_S,
    WEBHOOK_OLD_SECRET_S_MAX,
    WEBHOOK_SECRET_BYTES_MAX,
    WEBHOOK_SECRET_BYTES_MIN,
    WEBHOOK_URL_CHARS_MAX,
)
from bodega_controlplane.api.http.models.words import PLAIN_TEXT, PLAIN_WORD, TYPE_OF_EVENT, In, like, time_of
from bodega_controlplane.app.telling.events import LATEST
from bodega_controlplane.app.telling.views import (
    DeliveryView,
    EventPage,
    EventView,
    WebhookDraft,
    WebhookView,
)
from bodega_controlplane.rules.telling import TYPES

# The longest secret: its prefix, and four characters for each three bytes.
_SECRET_CHARS_MAX = 6 + 4 * ((WEBHOOK_SECRET_BYTES_MAX + 2) // 3)

EventType = Annotated[
    str,
    Field(
        min_length=1,
        max_length=EVENT_ID_CHARS_MAX,
        pattern=TYPE_OF_EVENT,
        examples=["order.shipped", "order.*"],
    ),
]
EventId = Annotated[
    str, Field(max_length=EVENT_ID_CHARS_MAX, pattern=PLAIN_WORD, examples=["evt_1042_9f3c11aa"])
]
_URL = Field(
    min_length=1,
    max_length=WEBHOOK_URL_CHARS_MAX,
    description="Called with POST. https, at an address of the public internet, unless the operator allows more.",
    examples=["https://shop.example/hooks"],
)
_TYPES: Any = Field(
    default=[],
    max_length=EVENT_TYPES_PER_WEBHOOK_MAX,
    description='Types that it is told; "order.*" means all that begin so; none means all.',
)
_DESCRIPTION = Field(default="", max_length=TEXT_CHARS_MAX, pattern=PLAIN_TEXT)


# What `app.telling.numbering` puts together.
_DATA = """What it is about; always the same fields for one thing, and there may be more later.

- `order`: `order_id`, `reference`, `channel`, `node_id`, `method`, `service_class`, `state`, and `lines` with `line`,
  `kit_line`, `sku_id`, `quantity`, `shipped`, `short`
- `fulfillment`: `fulfillment_order_id`, `order_id`, `part`, `node_id`, `reference`, `channel`, `state`, and `parcels`
  with `sscc`, `carrier`, `service`, `tracking_number`
- `part`, which no node has: `order_id`, `reference`, `channel`, `part`, `state`, and `lines` with `line`, `quantity`
- `return`, `refund`: `return_id`, `order_id`, `node_id`, `reference`, `state`, and `lines` with `sku_id`, `quantity`,
  `grade`, `disposition`
- `stock`, over all nodes: `sku_id`, `sellable`, `reserved`, `available`, before the channel's buffer
- `webhook`: `webhook_id`, `reason`

What is too large is told without `lines` or `parcels`: read the thing itself.
"""


class EventOut(BaseModel):
    """Something that has happened, as webhooks carry it too. Nothing in it is personal."""

    model_config = like(
        {
            "id": "evt_1042_9f3c11aa",
            "type": "fulfillment.shipped",
            "timestamp": "2026-11-23T16:04:05.678Z",
            "data": {
                "fulfillment_order_id": "F-1M813SJRM-9J780892",
                "order_id": "O-1M813SJA9-0CGXQMQ8",
                "part": 1,
                "node_id": "lisbon-01",
                "reference": "WEB-10042",
                "channel": "storefront",
                "state": "shipped",
                "parcels": [
                    {
                        "sscc": "095212340000000082",
                        "carrier": "northpost",
                        "service": "STANDARD",
                        "tracking_number": "RA000000005PT",
                    }
                ],
            },
        }
    )

    id: str = Field(description="Names the same event for ever; `after` goes on from it.")
    type: str = Field(
        description=f"A thing, and what it became: {', '.join(TYPES)}. There may be more later.",
        examples=["order.shipped"],
    )
    timestamp: datetime = Field(description="When it happened.")
    data: dict[str, Any] = Field(description=_DATA)

    @classmethod
    def of(cls, view: EventView) -> EventOut:
        """The representation of an event."""
        return cls(id=view.event_id, type=view.type, timestamp=time_of(view.at_ms), data=dict(view.data))


class EventPageOut(BaseModel):
    """Events in order."""

    events: list[EventOut]
    next_cursor: str = Field(description="Give it as `after` to go on, now or later.")
    has_more: bool = Field(
        description="Whether there is more to look at now, also where none of it is in `events`: go on at once."
    )

    @classmethod
    def of(cls, page: EventPage) -> EventPageOut:
        """The representation of a page."""
        events = [EventOut.of(one) for one in page.events]
        return cls(events=events, next_cursor=page.next_cursor, has_more=page.has_more)


class WebhookIn(In):
    """An endpoint as it should be."""

    model_config = like({"url": "https://shop.example/hooks", "types": ["order.*"], "enabled": False})

    url: str = _URL
    types: list[EventType] = _TYPES
    description: str = _DESCRIPTION
    enabled: bool = Field(default=True, description="One that is turned on again goes on where it stopped.")

    def draft(self) -> WebhookDraft:
        """The value for the app layer."""
        return WebhookDraft(self.url, tuple(self.types), self.description, self.enabled)


class NewWebhookIn(WebhookIn):
    """An endpoint to make."""

    model_config = like({"url": "https://shop.example/hooks", "types": ["order.*", "fulfillment.shipped"]})

    secret: str = Field(
        default="",
        max_length=_SECRET_CHARS_MAX,
        pattern=PLAIN_WORD,
        description=f'One of your own: "whsec_" and {WEBHOOK_SECRET_BYTES_MIN} to {WEBHOOK_SECRET_BYTES_MAX} bytes in '
        "base 64; else a new one is made.",
        json_schema_extra={"writeOnly": True},
    )
    after: EventId = Field(
        default=LATEST,
        description="Event to go on after; empty: all that are kept; `latest`: from now on.",
    )


class RotationIn(In):
    """How a secret is replaced."""

    model_config = like({"old_secret_lasts_s": 3600})

    old_secret_lasts_s: int = Field(
        default=WEBHOOK_OLD_SECRET_S,
        ge=0,
        le=WEBHOOK_OLD_SECRET_S_MAX,
        description="Seconds that the old secret goes on signing beside the new one.",
    )


class ReplayIn(In):
    """From where an endpoint is told again."""

    model_config = like({"after": "evt_1042_9f3c11aa"})

    after: EventId = Field(
        description="Event to begin after; empty: the oldest kept; `latest`: pass over what waits."
    )


class WebhookOut(BaseModel):
    """An endpoint that is called with events."""

    webhook_id: str
    url: str
    types: list[str]
    description: str
    enabled: bool
    reason: str = Field(description="Why it is turned off; empty while it is not.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: WebhookView) -> WebhookOut:
        """The representation of an endpoint."""
        return cls(**_shown(view))


class WebhookSecretOut(WebhookOut):
    """An endpoint with a secret that has just been made."""

    secret: str = Field(description='"whsec_...": keep it, it is never shown again.')

    @classmethod
    def of(cls, view: WebhookView) -> WebhookSecretOut:
        """The representation of an endpoint, and its secret."""
        return cls(**_shown(view), secret=view.secret)


class WebhooksOut(BaseModel):
    """Every endpoint of the channel."""

    webhooks: list[WebhookOut] = Field(description="Oldest first.")


class DeliveryOut(BaseModel):
    """One call."""

    event_id: str
    type: str
    attempt: int = Field(description="From 1.")
    at: datetime
    duration_ms: int
    status: int = Field(description="Status that was answered; 0: there was no answer.")
    problem: str = Field(description="Why there was none; else empty.")

    @classmethod
    def of(cls, view: DeliveryView) -> DeliveryOut:
        """The representation of a call."""
        return cls(
            event_id=view.event_id,
            type=view.type,
            attempt=view.attempt,
            at=time_of(view.at_ms),
            duration_ms=view.duration_ms,
            status=view.status,
            problem=view.problem,
        )


class DeliveriesOut(BaseModel):
    """How an endpoint is doing."""

    waiting: int = Field(description="Events that it has yet to be told of, of other types included.")
    attempts: int = Field(description="How often the next event has failed.")
    failing_since: datetime | None
    next_attempt: datetime | None
    deliveries: list[DeliveryOut] = Field(description="Its calls, newest first.")


def progress(view: WebhookView, calls: list[DeliveryOut]) -> DeliveriesOut:
    """How an endpoint is doing, with its calls."""
    return DeliveriesOut(
        waiting=view.waiting,
        attempts=view.attempts,
        failing_since=time_of(view.failing_since_ms) if view.failing_since_ms else None,
        next_attempt=time_of(view.next_attempt_ms) if view.next_attempt_ms else None,
        deliveries=calls,
    )


def _shown(view: WebhookView) -> dict[str, Any]:
    return {
        "webhook_id": view.webhook_id,
        "url": view.url,
        "types": list(view.types),
        "description": view.description,
        "enabled": view.enabled,
        "reason": view.reason,
        "created_at": time_of(view.created_at_ms),
        "updated_at": time_of(view.updated_at_ms),
    }
