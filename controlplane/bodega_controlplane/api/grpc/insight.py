"""The service of insight.proto: what nodes sent that has no place in the books."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import insight_pb2 as pb
from bodega.v1 import insight_pb2_grpc
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.app.fleet import floor_records, insight
from bodega_controlplane.app.hub import Hub

Context = grpc.aio.ServicerContext[Any, Any]


class Insight(insight_pb2_grpc.InsightServiceServicer):
    """Refused, parked, told."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListFloorRecords(
        self, request: pb.ListFloorRecordsRequest, context: Context
    ) -> pb.ListFloorRecordsResponse:
        """The newest first."""
        size = wire.page_size(request.page_size)
        names, rows = await self._hub.read(
            lambda tx: floor_records.list_records(tx, request.kind, request.node_id, size)
        )
        records = [
            pb.FloorRecord(fields={name: str(value) for name, value in row._mapping.items()}) for row in rows
        ]
        return pb.ListFloorRecordsResponse(names=names, records=records)

    async def ListRefused(self, request: pb.ListRefusedRequest, context: Context) -> pb.ListRefusedResponse:
        """The newest first."""
        size = wire.page_size(request.page_size)
        rows = await self._hub.read(lambda tx: insight.list_refused(tx, request.node_id, size))
        return pb.ListRefusedResponse(
            refused=[
                pb.ListRefusedResponse.Refused(
                    node_id=row.node_id,
                    subject=row.subject,
                    reason=row.reason,
                    times=row.times,
                    first_ms=row.first_ms,
                    last_ms=row.last_ms,
                    body=row.body,
                )
                for row in rows
            ]
        )

    async def ListParked(self, request: pb.ListParkedRequest, context: Context) -> pb.ListParkedResponse:
        """By node and sequence."""
        size = wire.page_size(request.page_size)
        rows = await self._hub.read(lambda tx: insight.list_parked(tx, request.node_id, size))
        return pb.ListParkedResponse(
            parked=[
                pb.ListParkedResponse.Parked(
                    node_id=row.node_id, epoch=row.epoch, seq=row.seq, fact=row.fact, reason=row.reason
                )
                for row in rows
            ]
        )

    async def ListTelemetry(
        self, request: pb.ListTelemetryRequest, context: Context
    ) -> pb.ListTelemetryResponse:
        """The newest first."""
        size = wire.page_size(request.page_size)
        rows = await self._hub.read(lambda tx: insight.list_telemetry(tx, request.node_id, size))
        return pb.ListTelemetryResponse(
            told=[
                pb.ListTelemetryResponse.Told(
                    at_ms=row.at_ms, kind=row.kind, subject=row.subject, detail=row.detail
                )
                for row in rows
            ]
        )
