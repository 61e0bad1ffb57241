"""The catalogue's service of controlplane.proto: one call, or a whole file that says how far it is."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import CATALOGUE_ROWS_MAX
from bodega.limits_hub import IMPORT_FILE_BYTES_MAX, IMPORT_ROWS_MAX
from bodega.v1 import catalogue_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.goods.importing import Progress, import_skus
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.wire import sku_draft, sku_message

Context = grpc.aio.ServicerContext[Any, Any]


class Catalogue(services.CatalogueServiceServicer):
    """What is sold."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._importing = asyncio.Lock()

    async def UpsertSkus(self, request: pb.UpsertSkusRequest, context: Context) -> pb.UpsertSkusResponse:
        """All or nothing; more than CATALOGUE_ROWS_MAX at once are refused."""
        if len(request.skus) > CATALOGUE_ROWS_MAX:
            raise InvalidInput(
                f"{len(request.skus)} SKUs in one request",
                hint=f"send at most {CATALOGUE_ROWS_MAX} at a time",
                faults=(FieldFault("skus", f"must have at most {CATALOGUE_ROWS_MAX} rows"),),
            )
        drafts = [sku_draft(row) for row in request.skus]
        caller = self._hub.caller("operator", "operator")
        changed = await self._hub.run(lambda tx: catalogue.upsert_skus(tx, caller, drafts))
        return pb.UpsertSkusResponse(changed=changed)

    async def ImportSkus(
        self, request_iterator: AsyncIterator[pb.ImportSkusRequest], context: Context
    ) -> AsyncIterator[pb.ImportSkusResponse]:
        """One file after the other: each is held in memory until it is written."""
        async with self._importing:
            skus, lines = await _whole(request_iterator)
            done = Progress()
            try:
                async for done in import_skus(
                    self._hub, self._hub.caller("operator", "operator"), skus, lines
                ):
                    yield pb.ImportSkusResponse(rows_checked=done.checked, rows_written=done.written)
            except InvalidInput as refusal:
                # Too many for the end of a call, which is where faults are told otherwise.
                faults = [
                    pb.FileFault(line=one.line or 0, where=one.where, problem=one.problem)
                    for one in refusal.faults
                ]
                yield pb.ImportSkusResponse(faults=faults)
            else:
                yield pb.ImportSkusResponse(
                    rows_checked=done.checked, rows_written=done.written, changed=done.changed
                )

    async def ListSkus(self, request: pb.ListSkusRequest, context: Context) -> pb.ListSkusResponse:
        """By SKU id."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(lambda tx: catalogue.list_skus(tx, page))
        return pb.ListSkusResponse(
            skus=[sku_message(row) for row in found.rows], next_page_token=found.next_page_token
        )


async def _whole(
    requests: AsyncIterator[pb.ImportSkusRequest],
) -> tuple[list[catalogue_pb2.Sku], list[int]]:
    """The rows of a file and their lines. Raises InvalidInput for more than a file may have."""
    skus: list[catalogue_pb2.Sku] = []
    lines: list[int] = []
    size_bytes = 0
    async for request in requests:
        skus += request.skus
        lines += request.lines
        size_bytes += request.ByteSize()
        if len(skus) > IMPORT_ROWS_MAX or size_bytes > IMPORT_FILE_BYTES_MAX:
            raise InvalidInput(
                f"the file has more than {IMPORT_ROWS_MAX} rows or {IMPORT_FILE_BYTES_MAX} bytes",
                hint="split it into smaller files",
            )
    if not skus or len(skus) != len(lines):
        raise InvalidInput(
            f"{len(skus)} SKUs with {len(lines)} lines",
            hint="send a line with each SKU, and one SKU at least",
        )
    return skus, lines
