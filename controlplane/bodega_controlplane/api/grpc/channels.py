"""The service of channels.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import grpc

from bodega.v1 import channels_pb2 as pb
from bodega.v1 import channels_pb2_grpc as services
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.selling.views import ChannelView

Context = grpc.aio.ServicerContext[Any, Any]


class Channels(services.ChannelServiceServicer):
    """Who may use the storefront API."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def CreateChannel(
        self, request: pb.CreateChannelRequest, context: Context
    ) -> pb.CreateChannelResponse:
        """The token is in this answer only."""
        caller = self._hub.caller("operator", "operator")
        view, token = await self._hub.run(
            lambda tx: channels.create_channel(
                tx,
                caller,
                request.channel_id,
                request.kind,
                buffer_units=request.buffer_units,
                requests_per_s=request.requests_per_s,
            )
        )
        return pb.CreateChannelResponse(channel=_channel(view), token=token)

    async def ListChannels(
        self, request: pb.ListChannelsRequest, context: Context
    ) -> pb.ListChannelsResponse:
        """By id."""
        found = await self._hub.read(channels.list_channels)
        return pb.ListChannelsResponse(channels=map(_channel, found))

    async def ChangeChannel(
        self, request: pb.ChangeChannelRequest, context: Context
    ) -> pb.ChangeChannelResponse:
        """What is not set stays as it is."""
        caller = self._hub.caller("operator", "operator")
        buffer_units = request.buffer_units if request.HasField("buffer_units") else None
        requests_per_s = request.requests_per_s if request.HasField("requests_per_s") else None
        view = await self._hub.run(
            lambda tx: channels.change_channel(
                tx, caller, request.channel_id, buffer_units=buffer_units, requests_per_s=requests_per_s
            )
        )
        return pb.ChangeChannelResponse(channel=_channel(view))

    async def RotateChannelToken(
        self, request: pb.RotateChannelTokenRequest, context: Context
    ) -> pb.RotateChannelTokenResponse:
        """The token is in this answer only."""
        caller, lasts_s = self._hub.caller("operator", "operator"), request.old_token_lasts_s
        view, token = await self._hub.run(
            lambda tx: channels.rotate_token(tx, caller, request.channel_id, old_lasts_s=lasts_s)
        )
        return pb.RotateChannelTokenResponse(channel=_channel(view), token=token)

    async def RevokeChannel(
        self, request: pb.RevokeChannelRequest, context: Context
    ) -> pb.RevokeChannelResponse:
        """Repeating it changes nothing."""
        caller = self._hub.caller("operator", "operator")
        view = await self._hub.run(lambda tx: channels.revoke_channel(tx, caller, request.channel_id))
        return pb.RevokeChannelResponse(channel=_channel(view))


def _channel(view: ChannelView) -> pb.Channel:
    return pb.Channel(**asdict(view))
