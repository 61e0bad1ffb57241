"""`bodegactl webhooks`: what the world outside is told, and who is called with it."""

from __future__ import annotations

import json

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.limits_events import WEBHOOK_OLD_SECRET_S
from bodega.v1 import webhooks_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import request_id_option
from bodega_controlplane.cli.show import plain, plain_all, say, when

_types_option = click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help='Only this type; "order.*" means all that begin so.',
)


@click.group()
def webhooks() -> None:
    """Events, and the endpoints that are called with them (Standard Webhooks).

    An endpoint is told each event after all before it. A call that fails is repeated for three days, then the
    endpoint is turned off; `enable` goes on where it stopped, `replay` begins at any event that is kept.
    """


@webhooks.command("ls")
@click.option("--channel", default="", metavar="CHANNEL", help="Only those of this channel.")
@json_option
@hub_command
def ls(hub: HubClient, channel: str, *, as_json: bool) -> None:
    """List endpoints, oldest first.

    \b
    Example:
      bodegactl webhooks ls --channel storefront

    JSON: {"webhooks": [{webhook_id, channel, url, types, description, enabled, reason, waiting, attempts,
    failing_since_ms, next_attempt_ms, created_at_ms, updated_at_ms}]}.
    """
    found = hub.call(hub.webhooks.ListWebhooks, pb.ListWebhooksRequest(channel=channel)).webhooks
    if as_json:
        emit_json({"webhooks": plain_all(found)})
        return
    rows = [[one.webhook_id, one.channel or "all", _how(one), one.waiting, one.url] for one in found]
    emit_table(["webhook", "channel", "state", "waiting", "url"], rows, empty="No webhooks.")


@webhooks.command("create")
@click.argument("url", metavar="URL")
@click.option(
    "--channel", default="", metavar="CHANNEL", help="Whose it is; else it is told of all channels."
)
@_types_option
@click.option("--description", default="", metavar="WORDS", help="What it is for.")
@click.option(
    "--after", default="latest", metavar="EVENT", help="Begin after this event; else with the next one."
)
@request_id_option
@json_option
@hub_command
def create(
    hub: HubClient,
    url: str,
    channel: str,
    types: tuple[str, ...],
    description: str,
    after: str,
    request_id: str,
    *,
    as_json: bool,
) -> None:
    """Make an endpoint; prints its secret, now and never again.

    \b
    Example:
      bodegactl webhooks create https://shop.example/hooks --channel storefront --type "order.*"

    JSON: {webhook: {...}, secret}.
    """
    request = pb.CreateWebhookRequest(
        request_id=request_id, channel=channel, url=url, types=types, description=description, after=after
    )
    made = hub.call(hub.webhooks.CreateWebhook, request)
    told = f"{made.webhook.webhook_id} calls {made.webhook.url}."
    say(made, told, _secret_told(made.secret), as_json=as_json)


@webhooks.command("rotate")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option(
    "--old-lasts",
    "old_lasts_s",
    type=click.IntRange(min=0),
    default=WEBHOOK_OLD_SECRET_S,
    show_default=True,
    metavar="SECONDS",
    help="The old secret signs beside the new one for so long; 0: it ends at once.",
)
@request_id_option
@json_option
@hub_command
def rotate(hub: HubClient, webhook_id: str, old_lasts_s: int, request_id: str, *, as_json: bool) -> None:
    """Give an endpoint a new secret; prints it, now and never again.

    \b
    Example:
      bodegactl webhooks rotate W-1KAJ8Q3W2-7YB0M4TD --old-lasts 3600

    JSON: {webhook: {...}, secret}.
    """
    request = pb.RotateWebhookSecretRequest(
        request_id=request_id, webhook_id=webhook_id, old_secret_lasts_s=old_lasts_s
    )
    made = hub.call(hub.webhooks.RotateWebhookSecret, request)
    say(made, _secret_told(made.secret), as_json=as_json)


@webhooks.command("disable")
@click.argument("webhook_id", metavar="WEBHOOK")
@json_option
@hub_command
def disable(hub: HubClient, webhook_id: str, *, as_json: bool) -> None:
    """Call an endpoint no more; what happens meanwhile waits for it, as long as events are kept.

    \b
    Example:
      bodegactl webhooks disable W-1KAJ8Q3W2-7YB0M4TD

    JSON: the webhook.
    """
    _turn(hub, webhook_id, on=False, as_json=as_json)


@webhooks.command("enable")
@click.argument("webhook_id", metavar="WEBHOOK")
@json_option
@hub_command
def enable(hub: HubClient, webhook_id: str, *, as_json: bool) -> None:
    """Call an endpoint again, from where it stopped.

    \b
    Example:
      bodegactl webhooks enable W-1KAJ8Q3W2-7YB0M4TD

    JSON: the webhook.
    """
    _turn(hub, webhook_id, on=True, as_json=as_json)


@webhooks.command("delete")
@click.argument("webhook_id", metavar="WEBHOOK")
@json_option
@hub_command
def delete(hub: HubClient, webhook_id: str, *, as_json: bool) -> None:
    """Forget an endpoint.

    \b
    Example:
      bodegactl webhooks delete W-1KAJ8Q3W2-7YB0M4TD

    JSON: {webhook_id}.
    """
    hub.call(hub.webhooks.DeleteWebhook, pb.DeleteWebhookRequest(webhook_id=webhook_id))
    if as_json:
        emit_json({"webhook_id": webhook_id})
        return
    click.echo(f"{webhook_id} is forgotten.")


@webhooks.command("deliveries")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@one_page_option
@json_option
@hub_command
def deliveries(hub: HubClient, webhook_id: str, failed: bool, limit: int, as_json: bool) -> None:
    """List the calls of an endpoint, newest first.

    \b
    Example:
      bodegactl webhooks deliveries W-1KAJ8Q3W2-7YB0M4TD --failed

    JSON: {"deliveries": [{event_id, type, attempt, at_ms, duration_ms, status, problem}]}.
    """
    request = pb.ListDeliveriesRequest(webhook_id=webhook_id, failed=failed, page_size=limit)
    found = hub.call(hub.webhooks.ListDeliveries, request).deliveries
    if as_json:
        emit_json({"deliveries": plain_all(found)})
        return
    rows = [
        [
            when(one.at_ms),
            one.event_id,
            one.type,
            one.attempt,
            one.status or one.problem,
            f"{one.duration_ms} ms",
        ]
        for one in found
    ]
    emit_table(["at", "event", "type", "attempt", "answer", "took"], rows, empty="No calls.")


@webhooks.command("replay")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option(
    "--after",
    default="",
    metavar="EVENT",
    help='Begin after this event; else with the oldest kept. "latest" passes over all that waits.',
)
@json_option
@hub_command
def replay(hub: HubClient, webhook_id: str, after: str, *, as_json: bool) -> None:
    """Tell an endpoint again everything after an event; events keep their ids.

    \b
    Examples:
      bodegactl webhooks events --type order.placed
      bodegactl webhooks replay W-1KAJ8Q3W2-7YB0M4TD --after evt_1042_9f3c11aa

    JSON: the webhook.
    """
    request = pb.ReplayWebhookRequest(webhook_id=webhook_id, after=after)
    _show(hub.call(hub.webhooks.ReplayWebhook, request).webhook, as_json=as_json)


@webhooks.command("events")
@click.option(
    "--after", default="", metavar="EVENT", help="Begin after this event; else with the oldest kept."
)
@_types_option
@one_page_option
@json_option
@hub_command
def list_events(hub: HubClient, after: str, types: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """List events in order.

    \b
    Example:
      bodegactl webhooks events --after evt_1042_9f3c11aa --type "order.*"

    JSON: {"events": [{event_id, type, at_ms, data}], "next_cursor", "has_more"}; `data` is an object.
    """
    request = pb.ListEventsRequest(after=after, types=types, page_size=limit)
    found = hub.call(hub.webhooks.ListEvents, request)
    while found.has_more and not found.events:  # of a rare type a page may be empty
        request.after = found.next_cursor
        found = hub.call(hub.webhooks.ListEvents, request)
    if as_json:
        rows = [plain(one) | {"data": json.loads(one.data)} for one in found.events]
        emit_json({"events": rows, "next_cursor": found.next_cursor, "has_more": found.has_more})
        return
    table = [[when(one.at_ms), one.event_id, one.type, _about(json.loads(one.data))] for one in found.events]
    emit_table(["at", "event", "type", "about"], table, empty="No events.")
    if found.has_more:
        click.echo(f"\nThere is more: --after {found.next_cursor}")


def _turn(hub: HubClient, webhook_id: str, *, on: bool, as_json: bool) -> None:
    request = pb.TurnWebhookRequest(webhook_id=webhook_id, enabled=on)
    _show(hub.call(hub.webhooks.TurnWebhook, request).webhook, as_json=as_json)


def _show(one: pb.Webhook, *, as_json: bool) -> None:
    say(one, f"{one.webhook_id} is {_how(one)}; {one.waiting} events wait for it.", as_json=as_json)


def _how(one: pb.Webhook) -> str:
    if not one.enabled:
        return f"off: {one.reason}" if one.reason else "off"
    if one.attempts:
        return f"failing since {when(one.failing_since_ms)}, next call {when(one.next_attempt_ms)}"
    return "on"


def _secret_told(secret: str) -> str:
    return f"Secret (it is not shown again): {secret}"


def _about(data: dict[str, object]) -> str:
    for name in ("fulfillment_order_id", "return_id", "order_id", "sku_id", "webhook_id"):
        if data.get(name):
            return str(data[name])
    return ""
