"""Orders: placed, read, cancelled. A channel sees its own and no others."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from bodega.core.lifecycles import OrderState
from bodega.host.log import get_logger
from bodega_controlplane.api.http.dependencies import (
    CallerHere,
    ChannelHere,
    DeskHere,
    HubHere,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    OrderId,
    PageHere,
    Since,
)
from bodega_controlplane.api.http.etag import demand_match, shown_as
from bodega_controlplane.api.http.models.orders import OrderIn, OrderOut, OrderPageOut, RecipientIn
from bodega_controlplane.api.http.models.words import ms_of
from bodega_controlplane.api.http.once import answer, digest_for, once, replayable
from bodega_controlplane.api.http.openapi import CREATED, TAGGED, WRITTEN, refusals
from bodega_controlplane.app.idempotency import Request as Asked
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.ordering.readdressing import change_recipient
from bodega_controlplane.app.ordering.together import Wish
from bodega_controlplane.app.selling import own_orders
from bodega_controlplane.app.selling.channels import policy_for
from bodega_controlplane.app.views import OrderView
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

router = APIRouter(prefix="/v1/orders", tags=["orders"])


@router.post(
    "",
    summary="Place an order",
    status_code=201,
    response_model=OrderOut,
    responses={201: CREATED, **refusals(409, 413)},
)
async def place_order(
    request: Request,
    body: OrderIn,
    hub: HubHere,
    caller: CallerHere,
    channel: ChannelHere,
    key: IdempotencyKey,
    desk: DeskHere,
) -> Response:
    """Stock is promised for all lines at once or for none. Repeating a key answers with the first order."""
    placed: dict[str, str] = {}

    def told(order: OrderView) -> StoredResponse:
        placed.update(order_id=order.order_id, node_id=order.node_id)
        return answer(201, OrderOut.of(order), location=f"/v1/orders/{order.order_id}", tagged=True)

    asked = Asked(caller, key, digest_for(request, body.same_order()))
    response = await desk.place(Wish(asked, body.draft(), policy_for(channel, hub.policy), told))
    if placed:
        log.info("order_placed", **placed)
    return replayable(response)


@router.get("", summary="List orders, newest first", responses=refusals())
async def list_orders(
    hub: HubHere,
    caller: CallerHere,
    page: PageHere,
    state: Annotated[OrderState | None, Query(description="Only orders in this state.")] = None,
    updated_since: Since = None,
) -> OrderPageOut:
    """Pages follow one another through `next_cursor`; it is empty on the last one.

    With `updated_since` those that changed first come first.
    """
    since_ms = ms_of(updated_since)
    found = await hub.read(lambda tx: own_orders.page_of(tx, caller, page, state, since_ms))
    return OrderPageOut(orders=[OrderOut.of(row) for row in found.rows], next_cursor=found.next_page_token)


@router.get(
    "/{order_id}",
    summary="One order",
    response_model=OrderOut,
    responses={**TAGGED, **refusals(404)},
)
async def get_order(
    hub: HubHere, caller: CallerHere, order_id: OrderId, if_none_match: IfNoneMatch = ""
) -> Response:
    """Its state, and what of each line was shipped or short."""
    view = await hub.read(lambda tx: own_orders.one_of(tx, caller, order_id))
    return shown_as(OrderOut.of(view), if_none_match)


@router.post(
    "/{order_id}/cancel",
    summary="Ask for a cancel",
    status_code=202,
    response_model=OrderOut,
    responses={202: WRITTEN, **refusals(404, 409, 412, 413)},
)
async def cancel_order(
    request: Request,
    hub: HubHere,
    caller: CallerHere,
    order_id: OrderId,
    key: IdempotencyKey,
    if_match: IfMatch = "",
) -> Response:
    """The node has the last word: what was handed over already stays shipped. Repeating it is safe."""

    def cancel(tx: Transaction) -> StoredResponse:
        demand_match(if_match, OrderOut.of(own_orders.lock(tx, caller, order_id)))
        return answer(202, OrderOut.of(orders.cancel_order(tx, caller, order_id)), tagged=True)

    response = await once(hub, caller, key, digest_for(request, {}), cancel)
    log.info("order_cancel_requested", order_id=order_id)
    return response


@router.put(
    "/{order_id}/recipient",
    summary="Change where it goes",
    response_model=OrderOut,
    responses={200: WRITTEN, **refusals(404, 409, 412, 413)},
)
async def change_address(
    request: Request,
    body: RecipientIn,
    hub: HubHere,
    caller: CallerHere,
    channel: ChannelHere,
    order_id: OrderId,
    key: IdempotencyKey,
    if_match: IfMatch = "",
) -> Response:
    """Before anybody has begun to pick. The order may go to another node by it; no answer ever tells the address."""
    recipient, policy = body.recipient(), policy_for(channel, hub.policy)

    def change(tx: Transaction) -> StoredResponse:
        demand_match(if_match, OrderOut.of(own_orders.lock(tx, caller, order_id)))
        changed = change_recipient(tx, caller, order_id, recipient, policy)
        return answer(200, OrderOut.of(changed), tagged=True)

    response = await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), change)
    log.info("order_address_changed", order_id=order_id)
    return response
