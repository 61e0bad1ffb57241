"""The service of proposals.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import grpc

from bodega.v1 import proposals_pb2 as pb
from bodega.v1 import proposals_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.app.deciding import proposals
from bodega_controlplane.app.hub import Hub

Context = grpc.aio.ServicerContext[Any, Any]


class Proposals(services.ProposalServiceServicer):
    """Edits that nodes have made to records of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListProposals(
        self, request: pb.ListProposalsRequest, context: Context
    ) -> pb.ListProposalsResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        found = await self._hub.read(
            lambda tx: proposals.list_proposals(tx, size=size, open_only=request.open_only)
        )
        return pb.ListProposalsResponse(proposals=[pb.Proposal(**asdict(one)) for one in found])

    async def ApplyProposal(
        self, request: pb.ApplyProposalRequest, context: Context
    ) -> pb.ApplyProposalResponse:
        """A person puts it in force; a setting is signed with the hub's key."""
        caller, sign = self._hub.caller("operator", "operator"), self._hub.key.sign
        view = await self._hub.run(lambda tx: proposals.apply_proposal(tx, caller, request.proposal_id, sign))
        return pb.ApplyProposalResponse(proposal=pb.Proposal(**asdict(view)))
