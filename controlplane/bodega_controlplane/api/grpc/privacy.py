"""The service of privacy.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.v1 import privacy_pb2 as pb
from bodega.v1 import privacy_pb2_grpc as services
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.privacy.erasing import erase

Context = grpc.aio.ServicerContext[Any, Any]


class Privacy(services.PrivacyServiceServicer):
    """Names and addresses."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def EraseRecipients(
        self, request: pb.EraseRecipientsRequest, context: Context
    ) -> pb.EraseRecipientsResponse:
        """Forget them."""
        caller = self._hub.caller("operator", "operator")
        done = await self._hub.run(lambda tx: erase(tx, caller, request.order_ids, request.reason))
        return pb.EraseRecipientsResponse(erased_order_ids=done.order_ids, node_ids=done.node_ids)
