"""The services of controlplane.proto but the catalogue: each method translates, runs one use case, translates back.

Errors are not handled here: the interceptor turns every one into a status, in one place.
"""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from bodega import codec
from bodega.broker.rpc_asking import ask
from bodega.core.chain import GENESIS
from bodega.errors import FieldFault, InvalidInput
from bodega.limits import DIAGNOSE_S
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega.v1 import diagnosis_pb2
from bodega.v1.diagnosis_pb2_grpc import DiagnosisServiceStub
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.api.grpc.once import once
from bodega_controlplane.app import audit, idempotency
from bodega_controlplane.app.fleet import epochs, nodes
from bodega_controlplane.app.goods import rebalancing, rights, stock
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import decisions, orders
from bodega_controlplane.app.ordering.reassigning import Move, reassign
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.audit import Wanted
from bodega_controlplane.store.orders import Narrowed
from bodega_controlplane.store.transaction import Transaction

Context = grpc.aio.ServicerContext[Any, Any]


def _operator(hub: Hub) -> Caller:
    return hub.caller("operator", "operator")


class Orders(services.OrderServiceServicer):
    """Orders, as the channels placed them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def GetOrder(self, request: pb.GetOrderRequest, context: Context) -> pb.GetOrderResponse:
        """One order."""
        view = await self._hub.read(lambda tx: orders.get_order(tx, request.order_id))
        return pb.GetOrderResponse(order=wire.order(view))

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Context) -> pb.ListOrdersResponse:
        """Newest first."""
        page = wire.page_request(request.page_size, request.page_token)
        state = codec.order_state_from_wire(request.state)
        if state is None and request.state:
            raise InvalidInput(
                f"there is no order state {request.state}",
                hint="leave the state out for all orders",
                faults=(FieldFault("state", "is not a known order state"),),
            )
        about = Narrowed(request.node_id, request.channel, request.reference)
        found = await self._hub.read(lambda tx: orders.list_orders(tx, page, state, about))
        return pb.ListOrdersResponse(
            orders=[wire.order(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Context) -> pb.CancelOrderResponse:
        """Asks the node to stop."""
        caller = _operator(self._hub)
        view = await self._hub.run(lambda tx: orders.cancel_order(tx, caller, request.order_id))
        return pb.CancelOrderResponse(order=wire.order(view))

    async def ReassignOrder(
        self, request: pb.ReassignOrderRequest, context: Context
    ) -> pb.ReassignOrderResponse:
        """A repeat of the same request gets the answer of the first."""
        move = Move(request.order_id, request.reason, request.node_id, part=request.part)
        policy = self._hub.policy

        def work(tx: Transaction, caller: Caller) -> pb.ReassignOrderResponse:
            return pb.ReassignOrderResponse(order=wire.order(reassign(tx, caller, move, policy)))

        return await once(self._hub, request, pb.ReassignOrderResponse, work)


class Stock(services.StockServiceServicer):
    """Stock over all nodes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListStock(self, request: pb.ListStockRequest, context: Context) -> pb.ListStockResponse:
        """By node, bin and SKU."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(
            lambda tx: stock.list_stock(tx, page, node_id=request.node_id, sku_id=request.sku_id)
        )
        return pb.ListStockResponse(
            levels=[wire.stock_level(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def ListSerials(self, request: pb.ListSerialsRequest, context: Context) -> pb.ListSerialsResponse:
        """By SKU, serial number and node."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(
            lambda tx: stock.list_serials(
                tx, page, sku_id=request.sku_id, serial=request.serial, in_two_nodes=request.in_two_nodes
            )
        )
        return pb.ListSerialsResponse(
            serials=[
                pb.ListSerialsResponse.SerialPlace(
                    serial=row.serial, node_id=row.node_id, account=codec.account_to_wire(row.account)
                )
                for row in found.rows
            ],
            next_page_token=found.next_page_token,
        )

    async def ListAvailability(
        self, request: pb.ListAvailabilityRequest, context: Context
    ) -> pb.ListAvailabilityResponse:
        """By SKU and node."""
        policy = self._hub.policy
        rows = await self._hub.read(lambda tx: stock.list_availability(tx, list(request.sku_ids), policy))
        return pb.ListAvailabilityResponse(availability=[wire.availability(row) for row in rows])


class Rights(services.RightsServiceServicer):
    """The right to promise, moved between the hub and its nodes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListRights(self, request: pb.ListRightsRequest, context: Context) -> pb.ListRightsResponse:
        """By SKU and node."""
        page = wire.page_request(request.page_size, request.page_token)
        found = await self._hub.read(
            lambda tx: rights.list_rights(tx, page, node_id=request.node_id, sku_id=request.sku_id)
        )
        return pb.ListRightsResponse(
            rights=[wire.node_rights(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def GrantRights(self, request: pb.GrantRightsRequest, context: Context) -> pb.GrantRightsResponse:
        """A repeat of the same request gets the answer of the first."""
        draft, caller, policy = wire.rights_draft(request), _operator(self._hub), self._hub.policy

        def work(tx: Transaction) -> idempotency.StoredResponse:
            moved = rights.grant(tx, caller, draft, policy)
            answer = pb.GrantRightsResponse(
                transfer_id=moved.transfer_id, rights=wire.node_rights(moved.rights)
            )
            return idempotency.StoredResponse(0, answer.SerializeToString())

        stored = await self._once(caller, "GrantRights", draft, work)
        return pb.GrantRightsResponse.FromString(stored.body)

    async def RecallRights(
        self, request: pb.RecallRightsRequest, context: Context
    ) -> pb.RecallRightsResponse:
        """A repeat of the same request gets the answer of the first."""
        draft, caller = wire.rights_draft(request), _operator(self._hub)

        def work(tx: Transaction) -> idempotency.StoredResponse:
            moved = rights.recall(tx, caller, draft)
            answer = pb.RecallRightsResponse(
                transfer_id=moved.transfer_id, rights=wire.node_rights(moved.rights)
            )
            return idempotency.StoredResponse(0, answer.SerializeToString())

        stored = await self._once(caller, "RecallRights", draft, work)
        return pb.RecallRightsResponse.FromString(stored.body)

    async def RebalanceRights(
        self, request: pb.RebalanceRightsRequest, context: Context
    ) -> pb.RebalanceRightsResponse:
        """One round now, or only its plan."""
        moved = await rebalancing.rebalance(self._hub, _operator(self._hub), dry_run=request.dry_run)
        return pb.RebalanceRightsResponse(
            moves=[pb.RightsRebalance(**one.move._asdict(), transfer_id=one.transfer_id) for one in moved]
        )

    async def _once(
        self,
        caller: Caller,
        method: str,
        draft: RightsDraft,
        work: Callable[[Transaction], idempotency.StoredResponse],
    ) -> idempotency.StoredResponse:
        rights.check(draft)
        digest = idempotency.digest_of(method, draft.request_id, rights.text_of(draft))
        return await self._hub.run_once(caller, draft.request_id, digest, work)


class Nodes(services.NodeServiceServicer):
    """The nodes and their sync."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def RegisterNode(
        self, request: pb.RegisterNodeRequest, context: Context
    ) -> pb.RegisterNodeResponse:
        """Answers with the key that the node checks the hub's signatures with."""
        draft, caller = wire.node_draft(request.profile), _operator(self._hub)
        await self._hub.run(lambda tx: nodes.register_node(tx, caller, draft))
        return pb.RegisterNodeResponse(hub_verify_key=self._hub.key.verify_key)

    async def ListNodes(self, request: pb.ListNodesRequest, context: Context) -> pb.ListNodesResponse:
        """By id."""
        page = wire.page_request(request.page_size, request.page_token) if request.page_size else None
        found = await self._hub.read(lambda tx: nodes.page_of_nodes(tx, page))
        now_ms = self._hub.now_ms()
        return pb.ListNodesResponse(
            nodes=[wire.node_status(row, now_ms) for row in found.rows],
            come_back_after_ms=self._hub.come_back_after_ms(),
            next_page_token=found.next_page_token,
        )

    async def GetNode(self, request: pb.GetNodeRequest, context: Context) -> pb.GetNodeResponse:
        """One of them."""
        row = await self._hub.read(lambda tx: nodes.get_node(tx, request.node_id))
        return pb.GetNodeResponse(
            node=wire.node_status(row, self._hub.now_ms()), come_back_after_ms=self._hub.come_back_after_ms()
        )

    async def DiagnoseNode(
        self, request: pb.DiagnoseNodeRequest, context: Context
    ) -> pb.DiagnoseNodeResponse:
        """Asks the node itself, over the broker. Raises NotFound, Unavailable."""
        await self._hub.read(lambda tx: nodes.check_known(tx, request.node_id))
        stub = DiagnosisServiceStub(self._hub.channel_to(request.node_id))
        started = time.monotonic()
        asked = diagnosis_pb2.DiagnoseRequest(log_lines=request.log_lines)
        diagnosis = await ask(stub.Diagnose, asked, timeout_s=DIAGNOSE_S)
        took_ms = int((time.monotonic() - started) * 1000)
        return pb.DiagnoseNodeResponse(diagnosis=diagnosis, took_ms=took_ms)

    async def SetDesiredState(
        self, request: pb.SetDesiredStateRequest, context: Context
    ) -> pb.SetDesiredStateResponse:
        """Signed with the hub's key, so that a node can trust it whatever it came through."""
        caller, settings, sign = _operator(self._hub), dict(request.settings), self._hub.key.sign
        generation = await self._hub.run(
            lambda tx: nodes.set_desired_state(tx, caller, request.node_id, settings, sign)
        )
        return pb.SetDesiredStateResponse(generation=generation)

    async def ReadmitNode(self, request: pb.ReadmitNodeRequest, context: Context) -> pb.ReadmitNodeResponse:
        """Typed and audited; it ends by itself."""
        caller = _operator(self._hub)
        ends_ms = await self._hub.run(lambda tx: epochs.readmit(tx, caller, request.node_id, request.reason))
        return pb.ReadmitNodeResponse(ends_ms=ends_ms)


class Decisions(services.DecisionServiceServicer):
    """Why things are as they are."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ExplainRoute(
        self, request: pb.ExplainRouteRequest, context: Context
    ) -> pb.ExplainRouteResponse:
        """The decision as it was recorded."""
        views = await self._hub.read(lambda tx: decisions.routes_of(tx, request.order_id))
        in_force, *earlier = map(wire.route_decision, views)
        return pb.ExplainRouteResponse(decision=in_force, earlier=earlier)

    async def ListVisionDecisions(
        self, request: pb.ListVisionDecisionsRequest, context: Context
    ) -> pb.ListVisionDecisionsResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        rows = await self._hub.read(
            lambda tx: decisions.list_vision_decisions(tx, order_id=request.order_id, size=size)
        )
        return pb.ListVisionDecisionsResponse(decisions=[wire.vision_decision(row) for row in rows])

    async def ListConflicts(
        self, request: pb.ListConflictsRequest, context: Context
    ) -> pb.ListConflictsResponse:
        """Newest first."""
        size = wire.page_size(request.page_size)
        rows = await self._hub.read(lambda tx: decisions.list_conflicts(tx, size=size))
        return pb.ListConflictsResponse(conflicts=[wire.conflict(row) for row in rows])


class Audit(services.AuditServiceServicer):
    """Who changed what."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> pb.ListAuditResponse:
        """Newest first."""
        page = wire.page_request(request.page_size, request.page_token)
        wanted = Wanted(request.subject, request.actor, request.action, request.since_ms)
        found = await self._hub.read(lambda tx: audit.page_of_audit(tx, page, wanted))
        return pb.ListAuditResponse(
            entries=[wire.audit_entry(row) for row in found.rows], next_page_token=found.next_page_token
        )

    async def VerifyAudit(self, request: pb.VerifyAuditRequest, context: Context) -> pb.VerifyAuditResponse:
        """Walks the chain, whole or in parts."""
        after_hash, lines_max = request.after_hash or GENESIS, audit.lines_of(request.entries_max)
        check = await self._hub.read(
            lambda tx: audit.verify_audit(
                tx, after_seq=request.after_seq, after_hash=after_hash, lines_max=lines_max
            )
        )
        return pb.VerifyAuditResponse(
            entries=check.entries,
            first_bad_seq=check.first_bad_seq,
            upto_seq=check.upto_seq,
            upto_hash=check.upto_hash,
            newest_seq=check.newest_seq,
        )
