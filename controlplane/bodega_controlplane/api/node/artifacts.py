"""ArtifactService: files for nodes, in ranges."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from bodega.limits import ARTIFACT_RANGE_BYTES_MAX
from bodega.v1 import artifacts_pb2 as pb
from bodega.v1 import artifacts_pb2_grpc as services
from bodega_controlplane.api.node.caller import node_of
from bodega_controlplane.artifacts import Artifact, Shelf

Context = grpc.aio.ServicerContext[Any, Any]


class Artifacts(services.ArtifactServiceServicer):
    """Every node may read every artifact: none is secret, each is checked by its digest."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def ListArtifacts(
        self, request: pb.ListArtifactsRequest, context: Context
    ) -> pb.ListArtifactsResponse:
        """By name."""
        node_of(context)
        found = await asyncio.to_thread(self._shelf.all)
        return pb.ListArtifactsResponse(artifacts=map(_message, found))

    async def GetArtifactRange(
        self, request: pb.GetArtifactRangeRequest, context: Context
    ) -> pb.GetArtifactRangeResponse:
        """At most ARTIFACT_RANGE_BYTES_MAX bytes."""
        node_of(context)
        length = request.length or ARTIFACT_RANGE_BYTES_MAX
        artifact, content = await asyncio.to_thread(self._shelf.read, request.name, request.offset, length)
        return pb.GetArtifactRangeResponse(
            artifact=_message(artifact), offset=request.offset, content=content
        )


def _message(artifact: Artifact) -> pb.Artifact:
    return pb.Artifact(name=artifact.name, size_bytes=artifact.size_bytes, sha256=artifact.sha256)
