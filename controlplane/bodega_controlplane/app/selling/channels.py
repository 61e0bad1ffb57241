"""Channels: made, changed and revoked by operators, known by their tokens.

A token is told once, when it is made; kept is its SHA-256 only, which is enough for a text of 256 random bits. A new
one can be made at any time, and opens the channel beside the older ones for as long as these still may: nobody is shut
out while a shop changes over, nor where an answer was lost and the change is made again.
The channel "storefront" has the token in storefront.token, a file of the hub's own, and is always there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from bodega.errors import NotFound, Refused
from bodega.limits import QUANTITY_MAX
from bodega.limits_hub import (
    CHANNEL_OLD_TOKEN_S,
    CHANNEL_OLD_TOKEN_S_MAX,
    CHANNEL_REQUESTS_PER_S_DEFAULT,
    CHANNEL_REQUESTS_PER_S_MAX,
    CHANNEL_TOKENS_MAX,
    CHANNELS_MAX,
)
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.selling.views import ChannelView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.channels import ChannelKind
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import channels, webhooks
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

BUILT_IN = ChannelView("storefront", ChannelKind.STOREFRONT, 0, CHANNEL_REQUESTS_PER_S_DEFAULT)
# Who else acts by a name of its own: no channel may be taken for one of them in the audit trail.
_RESERVED = frozenset({"operator", "hub", "node"})
# Such as "bdg_3q2-8mRy...": the prefix is for those who search for leaked secrets.
_TOKEN_PREFIX = "bdg_"  # noqa: S105 - what every token begins with
_TOKEN_BYTES = 32


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()


def policy_for(channel: ChannelView, policy: Policy) -> Policy:
    """What is promised to a channel by: its buffer stays with every node, as the safety stock does."""
    return replace(policy, safety_stock=policy.safety_stock + channel.buffer_units)


def policy_of(tx: Transaction, channel_id: str, policy: Policy) -> Policy:
    """The same for a channel of which only the id is known; one that does not exist has no buffer."""
    row = channels.by_id(tx, channel_id)
    return policy_for(_view(row), policy) if row is not None else policy


def create_channel(
    tx: Transaction,
    caller: Caller,
    channel_id: str,
    kind: str,
    *,
    buffer_units: int = 0,
    requests_per_s: int = 0,
) -> tuple[ChannelView, str]:
    """A new channel and its token, which nobody can ask for again. `requests_per_s` 0: the default.

    Raises InvalidInput with every fault, Refused ("channel-exists") for an id that is, or was, one.
    """
    channels.lock(tx)
    faults = Faults()
    faults.subject_token("channel_id", channel_id)
    if channel_id in _RESERVED:
        faults.add("channel_id", f"is the name of somebody else: {channel_id}")
    faults.one_of("kind", kind, tuple(ChannelKind))
    _check_bounds(faults, buffer_units, requests_per_s)
    faults.raise_if_any("the channel")
    there = channels.all_of(tx)
    if channel_id == BUILT_IN.channel_id or channel_id in {row.channel_id for row in there}:
        raise Refused(
            f"there is a channel '{channel_id}' already, or was",
            code="channel-exists",
            hint="choose another id: orders of a channel that was revoked stay its own",
        )
    if len(there) >= CHANNELS_MAX:
        raise Refused(f"there are {CHANNELS_MAX} channels already", code="too-many-channels")
    view = ChannelView(
        channel_id,
        ChannelKind(kind),
        buffer_units,
        requests_per_s or CHANNEL_REQUESTS_PER_S_DEFAULT,
        created_at_ms=caller.now_ms,
        changed_at_ms=caller.now_ms,
    )
    token = _new_token()
    _put(tx, view)
    channels.put_tokens(tx, channel_id, {digest_of(token): 0})
    _audit(tx, caller, "channel.created", view)
    return view, token


def rotate_token(
    tx: Transaction, caller: Caller, channel_id: str, *, old_lasts_s: int = CHANNEL_OLD_TOKEN_S
) -> tuple[ChannelView, str]:
    """A channel and a new token of its own, which nobody can ask for again; the older ones open for `old_lasts_s` more.

    0 seconds: they open nothing any more, as where one has leaked. Of older ones the CHANNEL_TOKENS_MAX that last
    longest are kept. Raises InvalidInput, NotFound, Refused ("channel-revoked", "channel-built-in").
    """
    channels.lock(tx)
    faults = Faults()
    faults.number("old_token_lasts_s", old_lasts_s, 0, CHANNEL_OLD_TOKEN_S_MAX)
    faults.raise_if_any("the rotation")
    if channel_id == BUILT_IN.channel_id:
        raise _built_in()
    view = replace(_open(tx, channel_id), changed_at_ms=caller.now_ms)
    end_ms = caller.now_ms + old_lasts_s * 1000
    older = [
        (bytes(row.token_digest), min(row.until_ms or end_ms, end_ms))
        for row in channels.tokens_of(tx, channel_id)
    ]
    kept = [(digest, until_ms) for digest, until_ms in older if until_ms > caller.now_ms]
    token = _new_token()
    channels.put_tokens(tx, channel_id, {digest_of(token): 0, **dict(kept[: CHANNEL_TOKENS_MAX - 1])})
    _put(tx, view)
    _audit(tx, caller, "channel.token_rotated", view)
    return view, token


def _new_token() -> str:
    return _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def change_channel(
    tx: Transaction,
    caller: Caller,
    channel_id: str,
    *,
    buffer_units: int | None = None,
    requests_per_s: int | None = None,
) -> ChannelView:
    """Set its stock buffer or its rate; None leaves one as it is. Raises NotFound, InvalidInput, Refused (revoked)."""
    channels.lock(tx)
    faults = Faults()
    _check_bounds(faults, buffer_units or 0, requests_per_s or 0)
    faults.raise_if_any("the channel")
    before = _open(tx, channel_id)
    after = replace(
        before,
        buffer_units=before.buffer_units if buffer_units is None else buffer_units,
        requests_per_s=requests_per_s or before.requests_per_s,
    )
    if after != before:
        after = replace(after, changed_at_ms=caller.now_ms)
        _put(tx, after)
        _audit(tx, caller, "channel.changed", after)
    return after


def revoke_channel(tx: Transaction, caller: Caller, channel_id: str) -> ChannelView:
    """Its token opens nothing any more, and its webhooks are called no more; its orders go on.

    Repeating it changes nothing. An operator may turn on one of its webhooks all the same.

    Raises NotFound, Refused ("channel-built-in").
    """
    channels.lock(tx)
    if channel_id == BUILT_IN.channel_id:
        raise _built_in()
    row = channels.by_id(tx, channel_id)
    if row is None:
        raise _no_such(channel_id)
    if row.revoked_at_ms:
        return _view(row)
    view = replace(_view(row), revoked_at_ms=caller.now_ms, changed_at_ms=caller.now_ms)
    _put(tx, view)
    channels.put_tokens(tx, channel_id, {})
    _audit(tx, caller, "channel.revoked", view)
    reason = f"channel {channel_id} was revoked"
    for webhook_id in webhooks.turn_off_all(tx, channel_id, reason, caller.now_ms):
        tx.audit(
            at_ms=caller.now_ms,
            actor=caller.actor,
            action="webhook.disabled",
            subject=webhook_id,
            detail={"reason": reason},
        )
    return view


def list_channels(tx: Transaction) -> tuple[ChannelView, ...]:
    """Every channel by id, the built-in one and those revoked too."""
    found = {BUILT_IN.channel_id: BUILT_IN} | {row.channel_id: _view(row) for row in channels.all_of(tx)}
    return tuple(found[channel_id] for channel_id in sorted(found))


def is_open(tx: Transaction, channel_id: str) -> bool:
    """Whether it is a channel, and has not been revoked."""
    row = channels.by_id(tx, channel_id)
    return not row.revoked_at_ms if row is not None else channel_id == BUILT_IN.channel_id


def by_digest(tx: Transaction, now_ms: int) -> Mapping[bytes, ChannelView]:
    """Who may ask now: digest of the token -> channel. That of the built-in one is empty: its token is a file."""
    known = {one.channel_id: one for one in list_channels(tx) if not one.revoked_at_ms}
    tokens = {bytes(row.token_digest): known[row.channel_id] for row in channels.open_tokens(tx, now_ms)}
    return {b"": known[BUILT_IN.channel_id]} | tokens


def _open(tx: Transaction, channel_id: str) -> ChannelView:
    row = channels.by_id(tx, channel_id)
    if row is None and channel_id == BUILT_IN.channel_id:
        return BUILT_IN
    if row is None:
        raise _no_such(channel_id)
    if row.revoked_at_ms:
        raise Refused(f"channel {channel_id} has been revoked", code="channel-revoked", hint="make a new one")
    return _view(row)


def _built_in() -> Refused:
    return Refused(
        "the token of channel 'storefront' is a file of the hub's own",
        code="channel-built-in",
        hint="delete storefront.token in data_dir and start the control plane again: it makes a new one",
    )


def _no_such(channel_id: str) -> NotFound:
    return NotFound(f"there is no channel '{channel_id[:80]}'", hint="list them: bodegactl channels ls")


def _check_bounds(faults: Faults, buffer_units: int, requests_per_s: int) -> None:
    faults.number("buffer_units", buffer_units, 0, QUANTITY_MAX)
    faults.number("requests_per_s", requests_per_s, 0, CHANNEL_REQUESTS_PER_S_MAX)


def _put(tx: Transaction, view: ChannelView) -> None:
    row = {
        "channel_id": view.channel_id,
        "kind": view.kind.value,
        "buffer_units": view.buffer_units,
        "requests_per_s": view.requests_per_s,
        "created_at_ms": view.created_at_ms,
        "changed_at_ms": view.changed_at_ms,
        "revoked_at_ms": view.revoked_at_ms,
    }
    channels.put(tx, row)


def _view(row: Row) -> ChannelView:
    return ChannelView(
        row.channel_id,
        ChannelKind(row.kind),
        row.buffer_units,
        row.requests_per_s,
        row.created_at_ms,
        row.changed_at_ms,
        row.revoked_at_ms,
    )


def _audit(tx: Transaction, caller: Caller, action: str, view: ChannelView) -> None:
    detail = {
        "kind": view.kind.value,
        "buffer_units": view.buffer_units,
        "requests_per_s": view.requests_per_s,
    }
    tx.audit(at_ms=caller.now_ms, actor=caller.actor, action=action, subject=view.channel_id, detail=detail)
