"""The catalogue: SKUs added, replaced and read; one, many at once, or a whole file."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import IMPORT_BYTES_MAX
from bodega.limits_hub import CATALOGUE_FILE_ROWS_MAX
from bodega_controlplane.api.http.dependencies import (
    CallerHere,
    HubHere,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    PageHere,
    SkuId,
)
from bodega_controlplane.api.http.etag import demand_match, demand_none, shown_as
from bodega_controlplane.api.http.models.catalogue import (
    CatalogueIn,
    CatalogueOut,
    CataloguePageOut,
    FileOut,
    SkuFieldsIn,
    SkuOut,
)
from bodega_controlplane.api.http.once import answer, digest_for, once, replayable
from bodega_controlplane.api.http.openapi import CREATED, DONE, TAGGED, WRITTEN, refusals
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.goods.catalogue_file import read_skus
from bodega_controlplane.app.goods.importing import import_whole
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.selling.one_sku import get_sku, put_sku
from bodega_controlplane.app.views import SkuView
from bodega_controlplane.store.transaction import Transaction

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])

FILE_PATH = "/v1/catalogue/file"
# Path -> bytes of a body that may be larger than those of the others.
LARGER_BODIES = {FILE_PATH: IMPORT_BYTES_MAX}

# An id may hold slashes.
_ONE = "/{sku_id:path}"
_CSV = "text/csv"
_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _CSV: {
                "schema": {"type": "string", "maxLength": IMPORT_BYTES_MAX},
                "example": "sku_id,name,gtins,weight_g\nTEA-EARL-GREY,Earl Grey 100 g,5601234567890,120\n",
            }
        },
    }
}


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
    drafts = [row.draft(row.sku_id) for row in body.skus]

    def upsert(tx: Transaction) -> StoredResponse:
        return answer(200, CatalogueOut(changed=catalogue.upsert_skus(tx, caller, drafts)))

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), upsert)


@router.get("", summary="List SKUs by id", responses=refusals())
async def list_catalogue(hub: HubHere, page: PageHere) -> CataloguePageOut:
    """Pages follow one another through `next_cursor`; it is empty on the last one."""
    found = await hub.read(lambda tx: catalogue.list_skus(tx, page))
    return CataloguePageOut(skus=[SkuOut.of(row) for row in found.rows], next_cursor=found.next_page_token)


@router.post(
    "/file",
    summary="Add or replace the SKUs of a CSV file",
    response_model=FileOut,
    responses={200: DONE, **refusals(409, 413, 415)},
    openapi_extra=_FILE_BODY,
)
async def import_file(request: Request, hub: HubHere, caller: CallerHere, key: IdempotencyKey) -> Response:
    """UTF-8 with a header: sku_id, name, gtins and so on, as `bodegactl catalog import --help` tells.

    The whole file is checked first, and every bad row is named with its line; then nothing is stored. A good one is
    stored in slices: should the control plane be stopped meanwhile, send the file again, which changes nothing twice.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _CSV:
        raise InvalidInput(
            f"the body is no {_CSV}", code="unsupported-media-type", hint=f"send it as Content-Type: {_CSV}"
        )
    body = await request.body()

    async def work() -> StoredResponse:
        text = _text(body)
        # Thousands of rows would keep every other request waiting.
        skus, lines = await asyncio.to_thread(read_skus, text, is_csv=True, rows_max=CATALOGUE_FILE_ROWS_MAX)
        changed = await import_whole(hub, caller, skus, lines)
        return answer(200, FileOut(rows=len(skus), changed=changed))

    digest = digest_for(request, {"sha256": sha256(body).hexdigest()})
    return replayable(await hub.run_steps_once(caller, key, digest, work))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = FieldFault("file", f"is not UTF-8 at byte {error.start}")
        raise InvalidInput("the file cannot be read", hint="save it as UTF-8", faults=(fault,)) from error


@router.get(_ONE, summary="One SKU", response_model=SkuOut, responses={**TAGGED, **refusals(404)})
async def get_one(hub: HubHere, sku_id: SkuId, if_none_match: IfNoneMatch = "") -> Response:
    """As every node has it."""
    return shown_as(SkuOut.of(await hub.read(lambda tx: get_sku(tx, sku_id))), if_none_match)


@router.put(
    _ONE,
    summary="Add or replace one SKU",
    response_model=SkuOut,
    responses={
        200: WRITTEN,
        201: {**CREATED, "model": SkuOut},
        **refusals(409, 412, 413),
    },
)
async def put_one(
    request: Request,
    body: SkuFieldsIn,
    hub: HubHere,
    caller: CallerHere,
    sku_id: SkuId,
    key: IdempotencyKey,
    if_match: IfMatch = "",
    if_none_match: IfNoneMatch = "",
) -> Response:
    """What the body leaves out is as if it had never been said. `If-None-Match: *` adds it and never replaces one."""
    draft = body.draft(sku_id)

    def expected(before: SkuView | None) -> None:
        shown = SkuOut.of(before) if before else None
        demand_match(if_match, shown)
        demand_none(if_none_match, shown)

    def put(tx: Transaction) -> StoredResponse:
        view, is_new = put_sku(tx, caller, draft, expected)
        location = quote(request.scope["path"], safe="/") if is_new else ""
        return answer(201 if is_new else 200, SkuOut.of(view), location=location, tagged=True)

    return await once(hub, caller, key, digest_for(request, body.model_dump(mode="json")), put)
