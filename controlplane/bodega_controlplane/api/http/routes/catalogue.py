"""The catalogue: SKUs added, replaced and read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bodega_controlplane.api.http.dependencies import (
    CallerHere,
    HubHere,
    IdempotencyKey,
)
from bodega_controlplane.api.http.models.catalogue import CatalogueIn, CatalogueOut
from bodega_controlplane.api.http.once import answer, digest_for, once
from bodega_controlplane.api.http.openapi import DONE, refusals
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.store.transaction import Transaction

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])


@router.post(
    "",
    summary="Add or replace SKUs, all or nothing",
    response_model=CatalogueOut,
    responses={200: DONE, **refusals(409, 413)},
)
async def upsert_catalogue(
    request: Request, body: CatalogueIn, hub: HubHere, caller: CallerHere, key: IdempotencyKey
) -> Response:
    """Every SKU is checked first; one fault, and none of them is stored."""
    drafts = [row.draft() for row in body.skus]

    def upsert(tx: Transaction) -> StoredResponse:
        return answer(200, CatalogueOut(changed=catalogue.upsert_skus(tx, caller, drafts)))

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), upsert)
