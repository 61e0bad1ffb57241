"""Goods that customers send back."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bodega_controlplane.api.http.dependencies import (
    CallerHere,
    HubHere,
    IdempotencyKey,
    IfNoneMatch,
    OrderId,
    PageHere,
    ReturnId,
)
from bodega_controlplane.api.http.etag import shown_as
from bodega_controlplane.api.http.models.returns import ReturnIn, ReturnOut, ReturnPageOut, ReturnsOut
from bodega_controlplane.api.http.once import answer, digest_for, once
from bodega_controlplane.api.http.openapi import CREATED, TAGGED, refusals
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.selling import returns
from bodega_controlplane.store.transaction import Transaction

router = APIRouter(prefix="/v1", tags=["returns"])


@router.post(
    "/orders/{order_id}/returns",
    summary="Agree to a return",
    status_code=201,
    response_model=ReturnOut,
    responses={201: CREATED, **refusals(404, 409, 413)},
)
async def agree(
    request: Request,
    body: ReturnIn,
    hub: HubHere,
    caller: CallerHere,
    order_id: OrderId,
    key: IdempotencyKey,
) -> Response:
    """The node is told what should come back; never more than was sent. Goods that nobody announced are taken too."""

    def work(tx: Transaction) -> StoredResponse:
        shown = ReturnOut.of(returns.agree(tx, caller, order_id, body.draft()))
        return answer(201, shown, location=f"/v1/returns/{shown.return_id}", tagged=True)

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), work)


@router.get("/orders/{order_id}/returns", summary="Returns of an order", responses=refusals(404))
async def returns_of_order(hub: HubHere, caller: CallerHere, order_id: OrderId) -> ReturnsOut:
    """Agreed to or not: what customers send back without a word belongs to its order too."""
    found = await hub.read(lambda tx: returns.returns_of(tx, caller, order_id))
    return ReturnsOut(returns=[ReturnOut.of(one) for one in found])


@router.get("/returns", summary="List returns, newest first", responses=refusals())
async def list_returns(hub: HubHere, caller: CallerHere, page: PageHere) -> ReturnPageOut:
    """Pages follow one another through `next_cursor`; it is empty on the last one."""
    found = await hub.read(lambda tx: returns.list_returns(tx, caller, page))
    rows = [ReturnOut.of(one) for one in found.rows]
    return ReturnPageOut(returns=rows, next_cursor=found.next_page_token)


@router.get(
    "/returns/{return_id}",
    summary="One return",
    response_model=ReturnOut,
    responses={**TAGGED, **refusals(404)},
)
async def get_return(
    hub: HubHere, caller: CallerHere, return_id: ReturnId, if_none_match: IfNoneMatch = ""
) -> Response:
    """What was agreed to, what has come and how it was graded, and what money is due for."""
    found = await hub.read(lambda tx: returns.get_return(tx, caller, return_id))
    return shown_as(ReturnOut.of(found), if_none_match)
