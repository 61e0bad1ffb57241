"""The storefront's paths. Each handler translates, runs one use case, translates back."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer

import bodega
from bodega.core.lifecycles import OrderState
from bodega.host.log import get_logger
from bodega.limits import (
    AVAILABILITY_SKUS_MAX,
    IDEMPOTENCY_KEY_CHARS_MAX,
    IDENTIFIER_CHARS_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
    TEXT_CHARS_MAX,
)
from bodega_controlplane.api.http import models
from bodega_controlplane.api.http.openapi import CREATED_HEADERS, refusals
from bodega_controlplane.app.goods import catalogue, stock
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse, digest_of
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import Caller, PageRequest
from bodega_controlplane.store.transaction import Transaction

CHANNEL = "storefront"

# Only for the document: `middleware.Gate` has asked for the token long before a handler runs.
_bearer = HTTPBearer(auto_error=False, scheme_name="storefrontToken", description="The storefront's token.")


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def _caller(request: Request) -> Caller:
    return _hub(request).caller(CHANNEL, CHANNEL)


HubHere = Annotated[Hub, Depends(_hub)]
CallerHere = Annotated[Caller, Depends(_caller)]
OrderId = Annotated[
    str, Path(min_length=1, max_length=IDENTIFIER_CHARS_MAX, pattern=models.PLAIN_WORD, examples=["ord-1"])
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=IDEMPOTENCY_KEY_CHARS_MAX,
        pattern=r"^[\x21-\x7e]+$",
        description="Made by the client, one per order: sending the same order again is safe.",
    ),
]

log = get_logger(__name__)

v1 = APIRouter(prefix="/v1", dependencies=[Security(_bearer)])
open_to_all = APIRouter()


@v1.post("/catalogue", summary="Add or replace SKUs, all or nothing", responses=refusals(413))
async def upsert_catalogue(body: models.CatalogueIn, hub: HubHere, caller: CallerHere) -> models.CatalogueOut:
    """Every SKU is checked first; one fault, and none of them is stored."""
    drafts = [row.draft() for row in body.skus]
    changed = await hub.run(lambda tx: catalogue.upsert_skus(tx, caller, drafts))
    return models.CatalogueOut(changed=changed)


@v1.post(
    "/orders",
    summary="Place an order",
    status_code=201,
    response_model=models.OrderOut,
    responses={201: CREATED_HEADERS, **refusals(409, 413)},
)
async def place_order(
    body: models.OrderIn, hub: HubHere, caller: CallerHere, key: IdempotencyKey
) -> Response:
    """Stock is promised for all lines at once or for none. Repeating a key answers with the first order."""
    draft, policy = body.draft(), hub.policy

    def place(tx: Transaction) -> StoredResponse:
        view = orders.place_order(tx, caller, draft, policy)
        return StoredResponse(201, models.OrderOut.of(view).model_dump_json().encode())

    digest = digest_of("POST", "/v1/orders", json.dumps(body.same_order(), sort_keys=True).encode())
    stored = await hub.run_once(caller, key, digest, place)
    order = json.loads(stored.body)
    log.info("order_placed", order_id=order["order_id"], node_id=order["node_id"], replayed=stored.replayed)
    headers = {
        "Location": f"/v1/orders/{order['order_id']}",
        "Idempotency-Replayed": "true" if stored.replayed else "false",
    }
    return Response(stored.body, stored.status, headers, "application/json")


@v1.get("/orders", summary="List orders, newest first", responses=refusals())
async def list_orders(
    hub: HubHere,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_DEFAULT,
    cursor: Annotated[
        str, Query(max_length=TEXT_CHARS_MAX, description="`next_cursor` of the last page.")
    ] = "",
    state: Annotated[OrderState | None, Query(description="Only orders in this state.")] = None,
) -> models.OrderPageOut:
    """Pages follow one another through `next_cursor`; it is empty on the last one."""
    page = PageRequest(limit, cursor)
    found = await hub.read(lambda tx: orders.list_orders(tx, page, state))
    rows = [models.OrderOut.of(row) for row in found.rows]
    return models.OrderPageOut(orders=rows, next_cursor=found.next_page_token)


@v1.get("/orders/{order_id}", summary="One order", responses=refusals(404))
async def get_order(hub: HubHere, order_id: OrderId) -> models.OrderOut:
    """Its state, and what of each line was shipped or short."""
    return models.OrderOut.of(await hub.read(lambda tx: orders.get_order(tx, order_id)))


@v1.post(
    "/orders/{order_id}/cancel",
    summary="Ask for a cancel",
    status_code=202,
    responses=refusals(404, 409, 413),
)
async def cancel_order(hub: HubHere, caller: CallerHere, order_id: OrderId) -> models.OrderOut:
    """The node has the last word: what was handed over already stays shipped. Repeating it is safe."""
    view = await hub.run(lambda tx: orders.cancel_order(tx, caller, order_id))
    log.info("order_cancel_requested", order_id=order_id, node_id=view.node_id)
    return models.OrderOut.of(view)


@v1.get("/availability", summary="What may be promised, with the breakdown", responses=refusals())
async def availability(
    hub: HubHere,
    sku_id: Annotated[list[models.Identifier], Query(min_length=1, max_length=AVAILABILITY_SKUS_MAX)],
) -> models.AvailabilityOut:
    """One row per SKU and node; repeat `sku_id` for more SKUs."""
    policy = hub.policy
    rows = await hub.read(lambda tx: stock.list_availability(tx, sku_id, policy))
    return models.AvailabilityOut(availability=[models.AvailabilityRow.of(row) for row in rows])


@open_to_all.get(
    "/healthz", summary="Whether the control plane can answer", responses=refusals(open_to_all=True)
)
async def healthz(hub: HubHere) -> models.HealthOut:
    """Asks the database; 503 when that does not answer."""
    await hub.read(lambda _tx: None)
    return models.HealthOut(status="ok", version=bodega.__version__, broker_connected=hub.broker_connected)
