"""RenewalService: a client certificate for exactly the node that calls."""
# ruff: noqa: N802 - names of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import renewal_pb2 as pb
from bodega.v1 import renewal_pb2_grpc as services
from bodega_controlplane.api.node.caller import node_of
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.authority import Authority

Context = grpc.aio.ServicerContext[Any, Any]


class Renewal(services.RenewalServiceServicer):
    """Signs for registered nodes; each signature is a line of the audit trail."""

    def __init__(self, hub: Hub, authority: Authority) -> None:
        self._hub = hub
        self._authority = authority

    async def RenewCertificate(
        self, request: pb.RenewCertificateRequest, context: Context
    ) -> pb.RenewCertificateResponse:
        """Raises NotFound for a node that is not registered, InvalidInput, PermissionRefused."""
        node_id, now_ms = node_of(context), self._hub.now_ms()
        certificate = self._authority.sign(node_id, request.csr, now_ms)
        await self._hub.run(lambda tx: nodes.note_certificate(tx, now_ms, node_id, certificate))
        return pb.RenewCertificateResponse(certificate=certificate, authority=self._authority.certificate)
