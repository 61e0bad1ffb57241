"""Endpoints: made, changed, turned off and on, given new secrets, told again from an event on.

Every change takes the endpoint away from the run that may be under way, so that nothing of the run is written over
it; nobody else begins before that run has ended.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from bodega.errors import NotFound, Refused
from bodega.limits_events import (
    WEBHOOK_OLD_SECRET_S,
    WEBHOOK_OLD_SECRET_S_MAX,
    WEBHOOK_SECRET_BYTES,
    WEBHOOK_SECRET_BYTES_MAX,
    WEBHOOK_SECRET_BYTES_MIN,
    WEBHOOKS_PER_CHANNEL_MAX,
)
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.selling.channels import is_open
from bodega_controlplane.app.telling.events import LATEST, check_types, seq_of
from bodega_controlplane.app.telling.urls import problem_of_url
from bodega_controlplane.app.telling.views import (
    DeliveryView,
    WebhookDraft,
    WebhookView,
    delivery_view,
    webhook_view,
)
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.reach import Reach
from bodega_controlplane.rules.telling import key_of, secret_text
from bodega_controlplane.store import events, webhooks
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction
from bodega_controlplane.vault import Vault

# A lease that was taken away, and attempts that count from the start again.
_BROKEN: dict[str, Any] = {"lease": ""}
_AFRESH: dict[str, Any] = {"attempts": 0, "failing_since_ms": 0, "next_attempt_ms": 0}


def create(
    tx: Transaction,
    caller: Caller,
    draft: WebhookDraft,
    reach: Reach,
    vault: Vault,
    *,
    secret: str = "",
    after: str = LATEST,
) -> WebhookView:
    """A new endpoint of the caller's channel; the view holds its secret, here and never again.

    `secret`: one of the owner's own, or empty for a new one. `after`: the event that it goes on from, empty for all
    that are kept. Raises InvalidInput, also for a channel that is none, and Refused with code "too-many-webhooks".
    """
    webhooks.lock_makers(tx)
    faults = _faults_of(draft, reach)
    if caller.channel and not is_open(tx, caller.channel):
        faults.add("channel", f"is no channel that is open: '{caller.channel[:80]}'")
    if secret and not _is_secret(secret):
        low, high = WEBHOOK_SECRET_BYTES_MIN, WEBHOOK_SECRET_BYTES_MAX
        faults.add("secret", f'must be "whsec_" and {low} to {high} bytes in base 64')
    faults.raise_if_any("the webhook")
    if len(webhooks.of_channel(tx, caller.channel)) >= WEBHOOKS_PER_CHANNEL_MAX:
        raise Refused(
            f"the channel has {WEBHOOKS_PER_CHANNEL_MAX} webhooks already",
            code="too-many-webhooks",
            hint="delete one that is not needed",
        )
    head = events.head(tx)
    webhook_id, secret = new_id("W", caller.now_ms), secret or _new_secret()
    row = {
        "webhook_id": webhook_id,
        "channel": caller.channel,
        **_columns(draft),
        "secret": vault.seal_text(secret, webhook_id),
        "old_secret": "",
        "old_secret_until_ms": 0,
        "reason": "" if draft.enabled else _BY_OWNER,
        "cursor_seq": head if after == LATEST else seq_of(tx, after),
        **_AFRESH,
        "lease": "",
        "lease_until_ms": 0,
        "version": 1,
        "created_at_ms": caller.now_ms,
        "updated_at_ms": caller.now_ms,
    }
    webhooks.add(tx, row)
    _note(tx, caller, "created", webhook_id)
    return webhook_view(_known(tx, webhook_id, caller.channel), head, secret=secret)


_BY_OWNER = "turned off by its owner"


def get(tx: Transaction, webhook_id: str, channel: str = "") -> WebhookView:
    """An endpoint of a channel, or of any where it is empty. Raises NotFound."""
    return webhook_view(_known(tx, webhook_id, channel), events.head(tx))


def list_all(tx: Transaction, channel: str = "") -> tuple[WebhookView, ...]:
    """Endpoints of a channel, or of all, oldest first."""
    head = events.head(tx)
    return tuple(webhook_view(row, head) for row in webhooks.of_channel(tx, channel))


def replace(
    tx: Transaction,
    caller: Caller,
    webhook_id: str,
    draft: WebhookDraft,
    reach: Reach,
    expected: Callable[[WebhookView], None] = lambda _before: None,
) -> WebhookView:
    """Change an endpoint; one that is turned on again goes on where it stopped, at once.

    `expected` looks at what is there, and raises if it is not what the caller has decided on. Raises NotFound,
    InvalidInput.
    """
    row = _held(tx, webhook_id, caller.channel)
    expected(webhook_view(row, events.head(tx)))
    _faults_of(draft, reach).raise_if_any("the webhook")
    columns = _columns(draft)
    if all(getattr(row, name) == value for name, value in columns.items()):
        return get(tx, webhook_id)
    reason = "" if draft.enabled else row.reason or _BY_OWNER
    _change(tx, caller, row, "changed", **columns, **_AFRESH, reason=reason)
    return get(tx, webhook_id)


def turn(tx: Transaction, caller: Caller, webhook_id: str, *, on: bool) -> WebhookView:
    """Enable or disable an endpoint; as it is already, nothing changes. Raises NotFound."""
    row = _held(tx, webhook_id, caller.channel)
    state = webhooks.ENABLED if on else webhooks.DISABLED
    if row.state != state:
        reason = "" if on else _BY_OWNER
        _change(tx, caller, row, state, state=state, reason=reason, **_AFRESH)
    return get(tx, webhook_id)


def delete(
    tx: Transaction,
    caller: Caller,
    webhook_id: str,
    expected: Callable[[WebhookView], None] = lambda _before: None,
) -> None:
    """Forget an endpoint, unless `expected` raises for what is there. Raises NotFound."""
    expected(webhook_view(_held(tx, webhook_id, caller.channel), events.head(tx)))
    webhooks.remove(tx, webhook_id)
    _note(tx, caller, "deleted", webhook_id)


def rotate(
    tx: Transaction, caller: Caller, webhook_id: str, vault: Vault, *, old_lasts_s: int = WEBHOOK_OLD_SECRET_S
) -> WebhookView:
    """A new secret; for `old_lasts_s` the old one signs beside it. The view holds the new one, here and never again.

    Raises NotFound, InvalidInput.
    """
    row = _held(tx, webhook_id, caller.channel)
    faults = Faults()
    faults.number("old_secret_lasts_s", old_lasts_s, 0, WEBHOOK_OLD_SECRET_S_MAX)
    faults.raise_if_any("the rotation")
    secret, until_ms = _new_secret(), caller.now_ms + old_lasts_s * 1000
    sealed = vault.seal_text(secret, webhook_id)
    _change(tx, caller, row, "rotated", secret=sealed, old_secret=row.secret, old_secret_until_ms=until_ms)
    return webhook_view(_known(tx, webhook_id, ""), events.head(tx), secret=secret)


def replay(tx: Transaction, caller: Caller, webhook_id: str, after: str) -> WebhookView:
    """Tell it again everything after an event (empty: all that is kept), or pass over what it would not take.

    Events keep their ids, so a receiver knows those that it has. Raises NotFound, InvalidInput.
    """
    row = _held(tx, webhook_id, caller.channel)
    cursor = events.head(tx) if after == LATEST else seq_of(tx, after)
    _change(tx, caller, row, "replayed", cursor_seq=cursor, **_AFRESH)
    return get(tx, webhook_id)


def deliveries(
    tx: Transaction, webhook_id: str, channel: str = "", *, size: int = 0, failed: bool = False
) -> tuple[DeliveryView, ...]:
    """Calls of an endpoint, newest first. Raises NotFound."""
    _known(tx, webhook_id, channel)
    return tuple(map(delivery_view, webhooks.deliveries(tx, webhook_id, limit_of(size), failed=failed)))


def _faults_of(draft: WebhookDraft, reach: Reach) -> Faults:
    faults = Faults()
    problem = problem_of_url(draft.url, reach)
    if problem:
        faults.add("url", problem)
    check_types(faults, draft.types)
    faults.text("description", draft.description, empty=True)
    return faults


def _columns(draft: WebhookDraft) -> dict[str, Any]:
    return {
        "url": draft.url,
        "description": draft.description,
        "types": json.dumps(sorted(set(draft.types))),
        "state": webhooks.ENABLED if draft.enabled else webhooks.DISABLED,
    }


def _is_secret(text: str) -> bool:
    key = key_of(text)
    return key is not None and WEBHOOK_SECRET_BYTES_MIN <= len(key) <= WEBHOOK_SECRET_BYTES_MAX


def _new_secret() -> str:
    return secret_text(secrets.token_bytes(WEBHOOK_SECRET_BYTES))


def _known(tx: Transaction, webhook_id: str, channel: str) -> Row:
    return _of(webhooks.by_id(tx, webhook_id), webhook_id, channel)


def _held(tx: Transaction, webhook_id: str, channel: str) -> Row:
    return _of(webhooks.lock(tx, webhook_id), webhook_id, channel)


def _of(row: Row | None, webhook_id: str, channel: str) -> Row:
    if row is None or channel not in ("", row.channel):
        hint = "list them: GET /v1/webhooks, or bodegactl webhooks ls"
        raise NotFound(f"there is no webhook '{webhook_id[:80]}'", hint=hint)
    return row


def _change(tx: Transaction, caller: Caller, row: Row, action: str, **columns: Any) -> None:
    webhooks.change(
        tx, row.webhook_id, **columns, **_BROKEN, version=row.version + 1, updated_at_ms=caller.now_ms
    )
    _note(tx, caller, action, row.webhook_id)


def _note(tx: Transaction, caller: Caller, action: str, webhook_id: str) -> None:
    tx.audit(
        at_ms=caller.now_ms, actor=caller.actor, action=f"webhook.{action}", subject=webhook_id, detail={}
    )
