"""Endpoints of the channel that are called with events, as Standard Webhooks describes it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from bodega.limits import IDENTIFIER_CHARS_MAX, PAGE_ROWS_DEFAULT
from bodega_controlplane.api.http.dependencies import (
    CallerHere,
    HubHere,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
)
from bodega_controlplane.api.http.etag import demand_match, shown_as
from bodega_controlplane.api.http.models.telling import (
    DeliveriesOut,
    DeliveryOut,
    NewWebhookIn,
    ReplayIn,
    RotationIn,
    WebhookIn,
    WebhookOut,
    WebhookSecretOut,
    WebhooksOut,
    progress,
)
from bodega_controlplane.api.http.models.words import PLAIN_WORD
from bodega_controlplane.api.http.once import answer, digest_for, once
from bodega_controlplane.api.http.openapi import CREATED, DONE, TAGGED, WRITTEN, refusals
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.telling import webhooks
from bodega_controlplane.app.telling.views import WebhookView
from bodega_controlplane.store.transaction import Transaction

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

WebhookId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=IDENTIFIER_CHARS_MAX,
        pattern=PLAIN_WORD,
        examples=["W-1KAJ8Q3W2-7YB0M4TD"],
    ),
]


@router.post(
    "",
    summary="Have an address called with events",
    status_code=201,
    response_model=WebhookSecretOut,
    responses={201: CREATED, **refusals(409, 413)},
)
async def create(
    request: Request, body: NewWebhookIn, hub: HubHere, caller: CallerHere, key: IdempotencyKey
) -> Response:
    """Each call is signed: check `webhook-signature` with the secret in this answer, which is never shown again.

    An event is called out once all before it were taken. Answer with 2xx within 15 s; anything else is repeated for
    three days, with growing pauses, then the endpoint is turned off, and 410 turns it off at once. A repeat has the
    same `webhook-id`.
    """

    def work(tx: Transaction) -> StoredResponse:
        made = webhooks.create(
            tx, caller, body.draft(), hub.reach, hub.key.vault, secret=body.secret, after=body.after
        )
        stored = answer(201, WebhookSecretOut.of(made), location=f"/v1/webhooks/{made.webhook_id}")
        return _tagged(stored, made)

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), work)


def _tagged(stored: StoredResponse, view: WebhookView) -> StoredResponse:
    """With the tag of what a GET shows, which has no secret."""
    tag = answer(200, WebhookOut.of(view), tagged=True).headers["ETag"]
    return StoredResponse(stored.status, stored.body, headers={**stored.headers, "ETag": tag})


@router.get("", summary="List the channel's webhooks", responses=refusals())
async def list_webhooks(hub: HubHere, caller: CallerHere) -> WebhooksOut:
    """Oldest first; there are never many."""
    found = await hub.read(lambda tx: webhooks.list_all(tx, caller.channel))
    return WebhooksOut(webhooks=[WebhookOut.of(one) for one in found])


@router.get(
    "/{webhook_id}",
    summary="One webhook",
    response_model=WebhookOut,
    responses={**TAGGED, **refusals(404)},
)
async def get_webhook(
    hub: HubHere, caller: CallerHere, webhook_id: WebhookId, if_none_match: IfNoneMatch = ""
) -> Response:
    """As its owner set it; how its calls go is told with its deliveries."""
    view = await hub.read(lambda tx: webhooks.get(tx, webhook_id, caller.channel))
    return shown_as(WebhookOut.of(view), if_none_match)


@router.put(
    "/{webhook_id}",
    summary="Change a webhook",
    response_model=WebhookOut,
    responses={200: WRITTEN, **refusals(404, 409, 412, 413)},
)
async def replace(
    request: Request,
    body: WebhookIn,
    hub: HubHere,
    caller: CallerHere,
    webhook_id: WebhookId,
    key: IdempotencyKey,
    if_match: IfMatch = "",
) -> Response:
    """What the body leaves out is as if it had never been said."""

    def expected(before: WebhookView) -> None:
        demand_match(if_match, WebhookOut.of(before))

    def work(tx: Transaction) -> StoredResponse:
        view = webhooks.replace(tx, caller, webhook_id, body.draft(), hub.reach, expected)
        return answer(200, WebhookOut.of(view), tagged=True)

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), work)


@router.delete(
    "/{webhook_id}",
    summary="Forget a webhook",
    status_code=204,
    responses={204: DONE, **refusals(404, 409, 412)},
)
async def delete(
    request: Request,
    hub: HubHere,
    caller: CallerHere,
    webhook_id: WebhookId,
    key: IdempotencyKey,
    if_match: IfMatch = "",
) -> Response:
    """It is called no more."""

    def expected(before: WebhookView) -> None:
        demand_match(if_match, WebhookOut.of(before))

    def work(tx: Transaction) -> StoredResponse:
        webhooks.delete(tx, caller, webhook_id, expected)
        return StoredResponse(204, b"")

    return await once(hub, caller, key, digest_for(request, {}), work)


@router.post(
    "/{webhook_id}/secret",
    summary="Give a webhook a new secret",
    response_model=WebhookSecretOut,
    responses={200: DONE, **refusals(404, 409, 413)},
)
async def rotate(
    request: Request,
    body: RotationIn,
    hub: HubHere,
    caller: CallerHere,
    webhook_id: WebhookId,
    key: IdempotencyKey,
) -> Response:
    """For a while both secrets sign, so that no call fails while the receiver changes over."""

    def work(tx: Transaction) -> StoredResponse:
        made = webhooks.rotate(tx, caller, webhook_id, hub.key.vault, old_lasts_s=body.old_secret_lasts_s)
        return answer(200, WebhookSecretOut.of(made))

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), work)


@router.post(
    "/{webhook_id}/replay",
    summary="Call a webhook again with everything after an event",
    status_code=202,
    response_model=WebhookOut,
    responses={202: DONE, **refusals(404, 409, 413)},
)
async def replay(
    request: Request,
    body: ReplayIn,
    hub: HubHere,
    caller: CallerHere,
    webhook_id: WebhookId,
    key: IdempotencyKey,
) -> Response:
    """Events keep their ids, so the receiver knows those that it has. One that fails is passed over by its own id."""

    def work(tx: Transaction) -> StoredResponse:
        return answer(202, WebhookOut.of(webhooks.replay(tx, caller, webhook_id, body.after)))

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), work)


@router.get("/{webhook_id}/deliveries", summary="Calls of a webhook", responses=refusals(404))
async def deliveries(
    hub: HubHere,
    caller: CallerHere,
    webhook_id: WebhookId,
    limit: Limit = PAGE_ROWS_DEFAULT,
    failed: Annotated[bool, Query(description="Only those that failed.")] = False,
) -> DeliveriesOut:
    """Newest first, of the last 7 days; and whether it is behind."""
    view = await hub.read(lambda tx: webhooks.get(tx, webhook_id, caller.channel))
    calls = await hub.read(
        lambda tx: webhooks.deliveries(tx, webhook_id, caller.channel, size=limit, failed=failed)
    )
    return progress(view, [DeliveryOut.of(one) for one in calls])
