"""The service of routing.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import grpc

from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Judged, Share
from bodega.v1 import decisions_pb2
from bodega.v1 import routing_pb2 as pb
from bodega.v1 import routing_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.api.grpc.once import once
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.routing import activating, bundles, in_force, past, records, views
from bodega_controlplane.app.views import Caller, PageRequest
from bodega_controlplane.rules.routing_tally import Tally
from bodega_controlplane.store.transaction import Transaction

Context = grpc.aio.ServicerContext[Any, Any]


class Routing(services.RoutingServiceServicer):
    """Routing bundles and decisions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ValidateRouting(
        self, request: pb.ValidateRoutingRequest, context: Context
    ) -> pb.ValidateRoutingResponse:
        """Every fault at once, or none."""
        bundle = await _checked(request.document)
        return pb.ValidateRoutingResponse(bundle=_bundle(bundles.view(bundle)))

    async def SimulateRouting(
        self, request: pb.SimulateRoutingRequest, context: Context
    ) -> pb.SimulateRoutingResponse:
        """One page of the past."""
        bundle = await self._meant(request.document, request.bundle)
        page = PageRequest(wire.page_size(request.page_size), request.page_token)
        found = await self._hub.read(lambda tx: past.simulate(tx, bundle, page, since_ms=request.since_ms))
        return pb.SimulateRoutingResponse(
            bundle=_bundle(found.bundle),
            before=_tally(found.before),
            after=_tally(found.after),
            changes=[
                pb.RoutingChange(
                    decision_id=one.decision_id,
                    order_id=one.order_id,
                    before=_shares(one.before),
                    after=_shares(one.after),
                )
                for one in found.changes
            ],
            left_out=found.left_out,
            total=found.total,
            next_page_token=found.next_token,
        )

    async def ActivateRouting(
        self, request: pb.ActivateRoutingRequest, context: Context
    ) -> pb.ActivateRoutingResponse:
        """Checked before anything is written; this instance decides by it when the answer goes out."""
        bundle = await self._meant(request.document, request.bundle)
        sign = self._hub.key.sign

        def work(tx: Transaction, caller: Caller) -> pb.ActivateRoutingResponse:
            made = activating.activate(tx, caller, bundle, request.reason, sign)
            return pb.ActivateRoutingResponse(activation=_activation(made))

        answer = await once(self._hub, request, pb.ActivateRoutingResponse, work)
        await in_force.look(self._hub)
        return answer

    async def RollbackRouting(
        self, request: pb.RollbackRoutingRequest, context: Context
    ) -> pb.RollbackRoutingResponse:
        """One step back."""
        sign = self._hub.key.sign

        def work(tx: Transaction, caller: Caller) -> pb.RollbackRoutingResponse:
            made = activating.rollback(tx, caller, request.reason, sign)
            return pb.RollbackRoutingResponse(activation=_activation(made))

        answer = await once(self._hub, request, pb.RollbackRoutingResponse, work)
        await in_force.look(self._hub)
        return answer

    async def ListRouting(self, request: pb.ListRoutingRequest, context: Context) -> pb.ListRoutingResponse:
        """All that there is."""
        size = wire.page_size(request.page_size)

        def read(tx: Transaction) -> pb.ListRoutingResponse:
            return pb.ListRoutingResponse(
                bundles=map(_bundle, bundles.list_bundles(tx)),
                activations=map(_activation, activating.list_activations(tx, size)),
                nodes=[
                    pb.RoutingAtNode(
                        node_id=one.node_id, activation=one.activation, digest=one.digest, faults=one.faults
                    )
                    for one in activating.at_nodes(tx)
                ],
            )

        return await self._hub.read(read)

    async def GetRouting(self, request: pb.GetRoutingRequest, context: Context) -> pb.GetRoutingResponse:
        """With its document."""

        def read(tx: Transaction) -> pb.GetRoutingResponse:
            digest = bundles.in_force(tx)[1]
            row = bundles.row_of(tx, request.bundle or digest)
            view = views.BundleView(
                row.rule, row.digest, len(row.document), row.added_at_ms, row.digest == digest
            )
            return pb.GetRoutingResponse(bundle=_bundle(view), document=row.document, signature=row.signature)

        return await self._hub.read(read)

    async def ExplainRouting(
        self, request: pb.ExplainRoutingRequest, context: Context
    ) -> pb.ExplainRoutingResponse:
        """As it was recorded."""
        found = await self._hub.read(lambda tx: records.explain(tx, request.order_id))
        return pb.ExplainRoutingResponse(decisions=map(_decision, found))

    async def ReplayRouting(
        self, request: pb.ReplayRoutingRequest, context: Context
    ) -> pb.ReplayRoutingResponse:
        """One order's decisions, or a page of all."""
        page = PageRequest(wire.page_size(request.page_size), request.page_token)

        def read(tx: Transaction) -> views.Replays:
            if request.order_id:
                return past.replay_order(tx, request.order_id)
            return past.replay(tx, page, since_ms=request.since_ms)

        found = await self._hub.read(read)
        return pb.ReplayRoutingResponse(
            replays=[
                pb.RoutingReplay(
                    decision_id=one.decision_id,
                    order_id=one.order_id,
                    outcome=one.outcome,
                    detail=one.detail,
                )
                for one in found.replays
            ],
            total=found.total,
            next_page_token=found.next_token,
        )

    async def _meant(self, document: bytes, name: str) -> Bundle:
        """A bundle that comes with the request is checked whole; one that is kept was, by whatever version kept it."""
        if not document:
            document = (await self._hub.read(lambda tx: bundles.row_of(tx, name))).document
        return await _checked(document)


async def _checked(document: bytes) -> Bundle:
    return await asyncio.to_thread(bundles.read_checked, document, time.perf_counter)


def _bundle(view: views.BundleView) -> pb.RoutingBundleInfo:
    return pb.RoutingBundleInfo(
        rule=view.rule,
        digest=view.digest,
        bytes=view.size_bytes,
        added_at_ms=view.added_at_ms,
        in_force=view.in_force,
    )


def _activation(view: views.ActivationView) -> pb.RoutingActivation:
    return pb.RoutingActivation(**{name: getattr(view, name) for name in views.ActivationView.__slots__})


def _tally(found: Tally) -> pb.RoutingTally:
    return pb.RoutingTally(**{name: getattr(found, name) for name in Tally.__slots__})


def _shares(shares: Iterable[Share]) -> list[pb.RoutingShare]:
    return [
        pb.RoutingShare(
            node_id=one.node_id,
            quantities=one.quantities,
            service=one.service,
            price_minor=one.price_minor,
        )
        for one in shares
    ]


def _decision(view: views.DecisionView) -> pb.RoutingDecision:
    choice = view.choice
    return pb.RoutingDecision(
        decision_id=view.decision_id,
        order_id=view.order_id,
        decided_at_ms=view.decided_at_ms,
        decided_by=view.decided_by,
        reason=view.reason,
        rule=choice.rule,
        digest=view.digest,
        shares=_shares(choice.shares),
        candidates=map(_candidate, choice.candidates),
        unserved=choice.unserved,
        inputs_sha256=view.inputs_sha256,
        stage=choice.stage,
        notes=[decisions_pb2.Reason(code=one.code, text=one.text) for one in choice.notes],
    )


def _candidate(one: Judged) -> pb.RoutingCandidate:
    return pb.RoutingCandidate(
        node_id=one.node_id,
        distance_km=one.distance_km,
        eligible=one.eligible,
        reasons=[decisions_pb2.Reason(code=reason.code, text=reason.text) for reason in one.reasons],
        scores=one.scores,
    )
