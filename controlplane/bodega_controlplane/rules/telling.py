"""Which changes are told, under which type, and when a webhook that failed is tried again. PURE.

Types are words with full stops between them, as Standard Webhooks asks: a thing, and what it became.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bodega.core.lifecycles import FulfillmentState, OrderState
from bodega.core.parts import NOBODYS, PartState
from bodega.limits_events import WEBHOOK_RETRY_AFTER_S_MAX, WEBHOOK_RETRY_DELAYS_S, WEBHOOK_RETRY_JITTER_RATIO

ORDER_PLACED = "order.placed"
STOCK_CHANGED = "stock.changed"
REFUND_DUE = "refund.due"
WEBHOOK_DISABLED = "webhook.disabled"

# The steps of work that a customer, or who stands for him, can make something of; packing is the node's own matter.
_WORK_TOLD = frozenset(
    {
        FulfillmentState.ASSIGNED,
        FulfillmentState.STAGED,
        FulfillmentState.SHIPPED,
        FulfillmentState.COLLECTED,
        FulfillmentState.CANCELLED,
        FulfillmentState.SHORT,
        FulfillmentState.EXPIRED,
        FulfillmentState.HANDED_BACK,
    }
)
# A part of an order that no node has, and why; while a node has it, its work tells of it.
_PARTS_TOLD = NOBODYS | {PartState.UNFULFILLABLE}
# A return's state at its node -> its type; "closed" means that all of it is graded.
_RETURNS: Mapping[str, str] = {
    "expected": "return.expected",
    "open": "return.opened",
    "closed": "return.received",
}

TYPES = (
    ORDER_PLACED,
    *(f"order.{state}" for state in OrderState),
    *(f"fulfillment.{state}" for state in FulfillmentState if state in _WORK_TOLD),
    *(f"part.{state}" for state in PartState if state in _PARTS_TOLD),
    *_RETURNS.values(),
    REFUND_DUE,
    STOCK_CHANGED,
    WEBHOOK_DISABLED,
)

GONE = 410
_PREFIX = "whsec_"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def types_of(kind: str, state: str) -> tuple[str, ...]:
    """The types of the events that a draft becomes; none where nobody is told."""
    match kind:
        case "placed":
            # An order that begins otherwise than confirmed (waiting for stock, say) has gone on at once.
            return (ORDER_PLACED,) if state == OrderState.CONFIRMED else (ORDER_PLACED, f"order.{state}")
        case "order":
            return (f"order.{state}",)
        case "work":
            return (f"fulfillment.{state}",) if state in _WORK_TOLD else ()
        case "part":
            return (f"part.{state}",) if state in _PARTS_TOLD else ()
        case "return":
            return (_RETURNS.get(state, f"return.{state}"),)
        case "refund":
            return (REFUND_DUE,)
        case "webhook":
            return (WEBHOOK_DISABLED,) if state == "disabled" else ()
    return ()


def is_pattern(text: str) -> bool:
    """Whether it is a type that exists, or the beginning of one with ".*"."""
    return text in TYPES or (text.endswith(".*") and any(one.startswith(text[:-1]) for one in TYPES))


def secret_text(key: bytes) -> str:
    """A signing key as its owner sees it."""
    return _PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes | None:
    """The signing key in a secret; None for a text that is none."""
    if not secret.startswith(_PREFIX):
        return None
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return None


def signatures(secrets: Iterable[str], event_id: str, at_s: int, body: bytes) -> str:
    """The header webhook-signature: HMAC-SHA256 over id, time and body, once for each secret in force.

    Source: Standard Webhooks, "Signature scheme" (symmetric, v1).
    """
    signed = b".".join((event_id.encode(), str(at_s).encode(), body))
    digests = (hmac.digest(key, signed, sha256) for secret in secrets if (key := key_of(secret)))
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def retry_after_ms(failed: int, chance: float, asked_s: float = 0) -> int | None:
    """Milliseconds until the next attempt, `failed` attempts of an event having failed; None: it was the last one.

    `chance` is 0 to 1 and spreads it over both sides; `asked_s` is what the endpoint wants at least (Retry-After).
    """
    if failed > len(WEBHOOK_RETRY_DELAYS_S):
        return None
    jitter = 1 + WEBHOOK_RETRY_JITTER_RATIO * (2 * chance - 1)
    asked_s = min(max(asked_s, 0), WEBHOOK_RETRY_AFTER_S_MAX)
    return round(1000 * max(WEBHOOK_RETRY_DELAYS_S[failed - 1] * jitter, asked_s))


def rfc3339(at_ms: int) -> str:
    """A time as events state it: UTC, to the millisecond."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
