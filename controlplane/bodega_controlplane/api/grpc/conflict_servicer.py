"""The service of conflicts.proto: each method translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from typing import Any

import grpc

from bodega.errors import FieldFault, InvalidInput
from bodega.v1 import conflicts_pb2 as pb
from bodega.v1 import conflicts_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.api.grpc.once import once
from bodega_controlplane.app.deciding import conflicts, overrides
from bodega_controlplane.app.deciding.conflict_views import HoldDraft, OverrideTerms, OverrideView
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction

Context = grpc.aio.ServicerContext[Any, Any]


class Conflicts(services.ConflictServiceServicer):
    """Facts that met, and what people decide about them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListConflicts(
        self, request: pb.ConflictServiceListConflictsRequest, context: Context
    ) -> pb.ConflictServiceListConflictsResponse:
        """Newest first."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(
            lambda tx: conflicts.list_conflicts(
                tx, page, only_open=request.only_open, kind=request.kind, node_id=request.node_id
            )
        )
        return pb.ConflictServiceListConflictsResponse(
            conflicts=[wire.conflict(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def GetConflict(self, request: pb.GetConflictRequest, context: Context) -> pb.GetConflictResponse:
        """With its inputs told."""
        story = await self._hub.read(lambda tx: conflicts.tell(tx, request.conflict_id))
        return pb.GetConflictResponse(
            conflict=wire.conflict(story.conflict),
            inputs=[wire.conflict_input(one) for one in story.inputs],
            rule_sentence=story.rule_sentence,
        )

    async def ResolveConflict(
        self, request: pb.ResolveConflictRequest, context: Context
    ) -> pb.ResolveConflictResponse:
        """A person has decided."""

        def work(tx: Transaction, caller: Caller) -> pb.ResolveConflictResponse:
            view = conflicts.resolve(tx, caller, request.conflict_id, request.decision)
            return pb.ResolveConflictResponse(conflict=wire.conflict(view))

        return await once(self._hub, request, pb.ResolveConflictResponse, work)

    async def OverrideConflict(
        self, request: pb.OverrideConflictRequest, context: Context
    ) -> pb.OverrideConflictResponse:
        """A person holds another outcome for a while."""
        terms, now = OverrideTerms(request.reason, request.expires_after_ms), self._hub.boot_time()

        def work(tx: Transaction, caller: Caller) -> pb.OverrideConflictResponse:
            overrides.hold_outcome(tx, caller, request.conflict_id, request.effect, terms, now)
            view = conflicts.get_conflict(tx, request.conflict_id)
            return pb.OverrideConflictResponse(conflict=wire.conflict(view))

        return await once(self._hub, request, pb.OverrideConflictResponse, work)

    async def ListOverrides(
        self, request: pb.ListOverridesRequest, context: Context
    ) -> pb.ListOverridesResponse:
        """Newest first."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(
            lambda tx: overrides.list_overrides(tx, page, only_open=request.only_open)
        )
        return pb.ListOverridesResponse(
            overrides=[wire.override(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def OpenOverride(
        self, request: pb.OpenOverrideRequest, context: Context
    ) -> pb.OpenOverrideResponse:
        """An order is kept at its node, or units from being promised."""
        terms, now = OverrideTerms(request.reason, request.expires_after_ms), self._hub.boot_time()
        hold = HoldDraft(request.node_id, request.sku_id, request.lot, request.quantity)

        def work(tx: Transaction, caller: Caller) -> pb.OpenOverrideResponse:
            return pb.OpenOverrideResponse(override=wire.override(opened(tx, caller)))

        def opened(tx: Transaction, caller: Caller) -> OverrideView:
            match request.kind:
                case overrides.KEEP_AT_NODE:
                    return overrides.keep_at_node(tx, caller, request.order_id, terms, now)
                case overrides.HOLD:
                    return overrides.hold_units(tx, caller, hold, terms, now)
                case _:
                    problem = (
                        f"must be {overrides.KEEP_AT_NODE} or {overrides.HOLD}, is {request.kind[:80]!r}"
                    )
                    raise InvalidInput("there is no such override", faults=(FieldFault("kind", problem),))

        return await once(self._hub, request, pb.OpenOverrideResponse, work)

    async def CloseOverride(
        self, request: pb.CloseOverrideRequest, context: Context
    ) -> pb.CloseOverrideResponse:
        """The rule is in force again."""

        def work(tx: Transaction, caller: Caller) -> pb.CloseOverrideResponse:
            return pb.CloseOverrideResponse(
                override=wire.override(overrides.close(tx, caller, request.override_id))
            )

        return await once(self._hub, request, pb.CloseOverrideResponse, work)
