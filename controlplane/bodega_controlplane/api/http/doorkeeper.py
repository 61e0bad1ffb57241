"""Which channel a request is from, by its bearer token, and whether it may be let in now.

The channels are kept in memory and read again after CHANNELS_FRESH_S, and at once for a token that nobody has: a new
channel opens every control plane immediately, a revoked one is shut out of all of them within that time. Strangers
make no more than one such read at a time. Rates hold for one control plane: behind n of them a channel has n times
its rate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bodega.errors import Unauthenticated, Unavailable
from bodega.limits_hub import CHANNELS_FRESH_S
from bodega_controlplane.api import bearer
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.selling.views import ChannelView
from bodega_controlplane.keys import Tokens
from bodega_controlplane.rules.channels import Bucket, full, take

_BUILT_IN_ROLE = "storefront"
_HINT = "send 'Authorization: Bearer <token>' with the token of a channel: bodegactl channels create"


class Doorkeeper:
    """`clock`: seconds, never going back."""

    def __init__(self, hub: Hub, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._hub = hub
        self._tokens = tokens
        self._clock = clock
        self._channels: Mapping[bytes, ChannelView] = {}
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()
        self._buckets: dict[str, Bucket] = {}

    async def admit(self, authorization: str) -> ChannelView:
        """The channel that asks.

        Raises Unauthenticated for a token that is none, Unavailable with code "too-many-requests" and when to come
        back for a channel that asks too often. A token is never repeated or logged.
        """
        channel = await self._known(self._digest_in(authorization))
        now_s = self._clock()
        before = self._buckets.get(channel.channel_id) or full(channel.requests_per_s, now_s)
        self._buckets[channel.channel_id], wait_s = take(before, channel.requests_per_s, now_s)
        if wait_s:
            raise Unavailable(
                f"channel {channel.channel_id} sends more than {channel.requests_per_s} requests a second",
                code="too-many-requests",
                hint="wait as long as Retry-After says; an operator may allow more: bodegactl channels rate",
                retry_after_s=wait_s,
            )
        return channel

    def _digest_in(self, authorization: str) -> bytes:
        """What the token is known by; RFC 6750, section 2.1."""
        token = bearer.token_in(authorization, hint=_HINT)
        if self._tokens.role_of(token) == _BUILT_IN_ROLE:
            return b""
        return channels.digest_of(token)

    async def _known(self, digest: bytes) -> ChannelView:
        if self._clock() >= self._read_at_s + CHANNELS_FRESH_S:
            await self._read_again(self._read_at_s)
        if digest not in self._channels:
            await self._read_again(self._read_at_s)
        if digest not in self._channels:
            raise Unauthenticated("this token belongs to no channel", hint=_HINT)
        return self._channels[digest]

    async def _read_again(self, than_s: float) -> None:
        """Unless somebody else has done so since: of those who wait at once, one asks for all."""
        async with self._reading:
            if self._read_at_s == than_s:
                asked_s = self._clock()
                now_ms = self._hub.now_ms()
                self._channels = await self._hub.read(lambda tx: channels.by_digest(tx, now_ms))
                self._read_at_s = asked_s
