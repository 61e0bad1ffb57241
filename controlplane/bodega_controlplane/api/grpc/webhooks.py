"""The service of webhooks.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import grpc

from bodega.v1 import webhooks_pb2 as pb
from bodega.v1 import webhooks_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.api.grpc.once import once
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling import events, webhooks
from bodega_controlplane.app.telling.views import DeliveryView, EventView, WebhookDraft, WebhookView
from bodega_controlplane.app.views import Caller, PageRequest
from bodega_controlplane.store.transaction import Transaction

Context = grpc.aio.ServicerContext[Any, Any]


class Webhooks(services.WebhookServiceServicer):
    """Events and webhooks of all channels."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        """In order, after one of them."""
        page = PageRequest(wire.page_size(request.page_size), request.after)
        found = await self._hub.read(lambda tx: events.list_events(tx, page, types=request.types))
        return pb.ListEventsResponse(
            events=map(_event, found.events), next_cursor=found.next_cursor, has_more=found.has_more
        )

    async def ListWebhooks(
        self, request: pb.ListWebhooksRequest, context: Context
    ) -> pb.ListWebhooksResponse:
        """Oldest first."""
        found = await self._hub.read(lambda tx: webhooks.list_all(tx, request.channel))
        return pb.ListWebhooksResponse(webhooks=map(_webhook, found))

    async def GetWebhook(self, request: pb.GetWebhookRequest, context: Context) -> pb.GetWebhookResponse:
        """One endpoint."""
        found = await self._hub.read(lambda tx: webhooks.get(tx, request.webhook_id))
        return pb.GetWebhookResponse(webhook=_webhook(found))

    async def CreateWebhook(
        self, request: pb.CreateWebhookRequest, context: Context
    ) -> pb.CreateWebhookResponse:
        """With a new secret."""
        draft = WebhookDraft(request.url, tuple(request.types), request.description)
        reach, vault = self._hub.reach, self._hub.key.vault

        def create(tx: Transaction, caller: Caller) -> pb.CreateWebhookResponse:
            owner = replace(caller, channel=request.channel)
            made = webhooks.create(tx, owner, draft, reach, vault, after=request.after)
            return pb.CreateWebhookResponse(webhook=_webhook(made), secret=made.secret)

        return await once(self._hub, request, pb.CreateWebhookResponse, create)

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """A new secret beside the old one."""

        def rotate(tx: Transaction, caller: Caller) -> pb.RotateWebhookSecretResponse:
            lasts_s = request.old_secret_lasts_s
            vault = self._hub.key.vault
            made = webhooks.rotate(tx, _of_all(caller), request.webhook_id, vault, old_lasts_s=lasts_s)
            return pb.RotateWebhookSecretResponse(webhook=_webhook(made), secret=made.secret)

        return await once(self._hub, request, pb.RotateWebhookSecretResponse, rotate)

    async def TurnWebhook(self, request: pb.TurnWebhookRequest, context: Context) -> pb.TurnWebhookResponse:
        """On or off."""
        caller = self._operator()
        view = await self._hub.run(
            lambda tx: webhooks.turn(tx, caller, request.webhook_id, on=request.enabled)
        )
        return pb.TurnWebhookResponse(webhook=_webhook(view))

    async def DeleteWebhook(
        self, request: pb.DeleteWebhookRequest, context: Context
    ) -> pb.DeleteWebhookResponse:
        """Forget it."""
        caller = self._operator()
        await self._hub.run(lambda tx: webhooks.delete(tx, caller, request.webhook_id))
        return pb.DeleteWebhookResponse()

    async def ReplayWebhook(
        self, request: pb.ReplayWebhookRequest, context: Context
    ) -> pb.ReplayWebhookResponse:
        """Tell it again."""
        caller = self._operator()
        view = await self._hub.run(lambda tx: webhooks.replay(tx, caller, request.webhook_id, request.after))
        return pb.ReplayWebhookResponse(webhook=_webhook(view))

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        found = await self._hub.read(
            lambda tx: webhooks.deliveries(tx, request.webhook_id, size=size, failed=request.failed)
        )
        return pb.ListDeliveriesResponse(deliveries=map(_delivery, found))

    def _operator(self) -> Caller:
        return _of_all(self._hub.caller("operator", "operator"))


def _of_all(caller: Caller) -> Caller:
    """An operator, to whom endpoints of every channel are his own."""
    return replace(caller, channel="")


def _event(view: EventView) -> pb.CommerceEvent:
    return pb.CommerceEvent(
        event_id=view.event_id, type=view.type, at_ms=view.at_ms, data=json.dumps(view.data)
    )


_SHOWN = [field.name for field in pb.Webhook.DESCRIPTOR.fields]


def _webhook(view: WebhookView) -> pb.Webhook:
    return pb.Webhook(**{name: getattr(view, name) for name in _SHOWN})


def _delivery(view: DeliveryView) -> pb.WebhookDelivery:
    return pb.WebhookDelivery(
        event_id=view.event_id,
        type=view.type,
        attempt=view.attempt,
        at_ms=view.at_ms,
        duration_ms=view.duration_ms,
        status=view.status,
        problem=view.problem,
    )
