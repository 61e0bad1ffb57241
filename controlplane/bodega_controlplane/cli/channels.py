"""`bodegactl channels`: who may use the storefront API."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits_hub import CHANNEL_OLD_TOKEN_S, CHANNEL_OLD_TOKEN_S_MAX
from bodega.v1 import channels_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import plain_all, say, span, when

_KINDS = ("storefront", "marketplace", "pos")

_channel_argument = click.argument("channel_id", metavar="CHANNEL")
_buffer_help = "Units of each SKU that it leaves to the others, at each node."


@click.group()
def channels() -> None:
    """Channels that sell: storefronts, marketplaces, points of sale; each with its own token.

    A channel sees its own orders, parcels and returns, and no others. The channel "storefront" is always there: its
    token is storefront.token in the hub's data folder.
    """


@channels.command("create")
@_channel_argument
@click.option("--kind", type=click.Choice(_KINDS), default="storefront", show_default=True)
@click.option("--buffer", "buffer_units", type=click.IntRange(min=0), default=0, help=_buffer_help)
@click.option(
    "--rate",
    "requests_per_s",
    type=click.IntRange(min=1),
    default=None,
    help="Requests a second it may send.",
)
@json_option
@hub_command
def create(
    hub: HubClient,
    channel_id: str,
    kind: str,
    buffer_units: int,
    requests_per_s: int | None,
    *,
    as_json: bool,
) -> None:
    """Make a channel. Its token is printed this once; the hub keeps a hash of it only.

    \b
    Examples:
      bodegactl channels create bazaar --kind marketplace --buffer 2
      bodegactl channels create till-1 --kind pos --json | jq -r .token > till-1.token

    JSON: {channel: {channel_id, kind, buffer_units, requests_per_s, ...}, token}.
    """
    request = pb.CreateChannelRequest(
        channel_id=channel_id, kind=kind, buffer_units=buffer_units, requests_per_s=requests_per_s or 0
    )
    answer = hub.call(hub.channels.CreateChannel, request)
    told = f"Channel {channel_id} ({kind}) may ask now. Its token, which nobody can ask for again:"
    say(answer, told, answer.token, as_json=as_json)


@channels.command("ls")
@json_option
@hub_command
def ls(hub: HubClient, *, as_json: bool) -> None:
    """List channels by id, those revoked too.

    \b
    Example:
      bodegactl channels ls

    JSON: {"channels": [{channel_id, kind, buffer_units, requests_per_s, created_at_ms, changed_at_ms,
    revoked_at_ms}]}.
    """
    found = hub.call(hub.channels.ListChannels, pb.ListChannelsRequest()).channels
    if as_json:
        emit_json({"channels": plain_all(found)})
        return
    rows = [
        [
            one.channel_id,
            one.kind,
            one.buffer_units,
            one.requests_per_s,
            when(one.created_at_ms),
            when(one.revoked_at_ms),
        ]
        for one in found
    ]
    emit_table(["channel", "kind", "buffer", "requests/s", "made", "revoked"], rows, empty="No channels.")


@channels.command("buffer")
@_channel_argument
@click.argument("units", type=click.IntRange(min=0))
@json_option
@hub_command
def buffer(hub: HubClient, channel_id: str, units: int, *, as_json: bool) -> None:
    """Set how many UNITS of each SKU a channel leaves to the others, at each node.

    From now on: what has been promised to it stays promised.

    \b
    Example:
      bodegactl channels buffer bazaar 3

    JSON: {channel: {...}}.
    """
    request = pb.ChangeChannelRequest(channel_id=channel_id, buffer_units=units)
    answer = hub.call(hub.channels.ChangeChannel, request)
    told = f"Channel {channel_id} leaves {units} units of each SKU to the others, at each node."
    say(answer, told, as_json=as_json)


@channels.command("rate")
@_channel_argument
@click.argument("requests_per_s", type=click.IntRange(min=1))
@json_option
@hub_command
def rate(hub: HubClient, channel_id: str, requests_per_s: int, *, as_json: bool) -> None:
    """Set how many requests a second a channel may send to each control plane; above, it gets a 429.

    \b
    Example:
      bodegactl channels rate bazaar 50

    JSON: {channel: {...}}.
    """
    request = pb.ChangeChannelRequest(channel_id=channel_id, requests_per_s=requests_per_s)
    answer = hub.call(hub.channels.ChangeChannel, request)
    told = f"Channel {channel_id} may send {requests_per_s} requests a second to each control plane."
    say(answer, told, as_json=as_json)


@channels.command("rotate")
@_channel_argument
@click.option(
    "--old-lasts",
    "old_lasts_s",
    type=click.IntRange(0, CHANNEL_OLD_TOKEN_S_MAX),
    default=CHANNEL_OLD_TOKEN_S,
    show_default=True,
    metavar="SECONDS",
    help="The older tokens open the channel for so long; 0: they end at once.",
)
@json_option
@hub_command
def rotate(hub: HubClient, channel_id: str, old_lasts_s: int, *, as_json: bool) -> None:
    """Give a channel a new token; prints it, now and never again. Its orders and webhooks stay its own.

    \b
    Examples:
      bodegactl channels rotate bazaar
      bodegactl channels rotate bazaar --old-lasts 0     # its token has leaked

    JSON: {channel: {...}, token}.
    """
    request = pb.RotateChannelTokenRequest(channel_id=channel_id, old_token_lasts_s=old_lasts_s)
    answer = hub.call(hub.channels.RotateChannelToken, request)
    older = f"for {span(old_lasts_s * 1000)} more" if old_lasts_s else "no more"
    say(
        answer,
        f"The older tokens of channel {channel_id} open it {older}. Its new one, which nobody can ask for again:",
        answer.token,
        as_json=as_json,
    )


@channels.command("revoke")
@_channel_argument
@json_option
@hub_command
def revoke(hub: HubClient, channel_id: str, *, as_json: bool) -> None:
    """Shut a channel out, within a second, everywhere; its webhooks are called no more.

    Its orders go on, and its id is never given again. Where only its token has leaked, rotate it.

    \b
    Example:
      bodegactl channels revoke bazaar

    JSON: {channel: {...}}.
    """
    answer = hub.call(hub.channels.RevokeChannel, pb.RevokeChannelRequest(channel_id=channel_id))
    say(answer, f"The tokens of channel {channel_id} open nothing any more.", as_json=as_json)
