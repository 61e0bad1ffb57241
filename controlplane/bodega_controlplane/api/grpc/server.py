"""Builds the gRPC server; the composition root binds it to its port and starts it."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from bodega.limits import REQUEST_BYTES_MAX
from bodega.v1 import (
    channels_pb2,
    channels_pb2_grpc,
    conflicts_pb2,
    conflicts_pb2_grpc,
    expectations_pb2,
    expectations_pb2_grpc,
    insight_pb2,
    insight_pb2_grpc,
    privacy_pb2,
    privacy_pb2_grpc,
    proposals_pb2,
    proposals_pb2_grpc,
    rates_pb2,
    rates_pb2_grpc,
    routing_pb2,
    routing_pb2_grpc,
    transfers_pb2,
    transfers_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from bodega.v1 import controlplane_pb2 as pb
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.api.grpc import privacy, proposals, servicers, transfers, webhooks
from bodega_controlplane.api.grpc.catalogue import Catalogue
from bodega_controlplane.api.grpc.channels import Channels
from bodega_controlplane.api.grpc.conflict_servicer import Conflicts
from bodega_controlplane.api.grpc.expectations import Expectations
from bodega_controlplane.api.grpc.health import SERVICE, Health
from bodega_controlplane.api.grpc.insight import Insight
from bodega_controlplane.api.grpc.interceptor import Gate
from bodega_controlplane.api.grpc.rates import Rates
from bodega_controlplane.api.grpc.routing import Routing
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.keys import Tokens

# Without SO_REUSEPORT a second control plane on the same port fails loudly instead of sharing its calls.
_OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", REQUEST_BYTES_MAX))


_DEFINITIONS = (
    pb,
    insight_pb2,
    conflicts_pb2,
    transfers_pb2,
    proposals_pb2,
    expectations_pb2,
    rates_pb2,
    routing_pb2,
    channels_pb2,
    webhooks_pb2,
    privacy_pb2,
)
SERVICES = tuple(
    service.full_name for one in _DEFINITIONS for service in one.DESCRIPTOR.services_by_name.values()
)


def build_server(hub: Hub, tokens: Tokens, health: Health | None = None) -> grpc.aio.Server:
    """Every service for operators, standard health and reflection. Needs a running event loop.

    `health`: of SERVICES, and the caller lets it look; None: one that says SERVING of the whole and looks at nothing.
    """
    server = grpc.aio.server(interceptors=(Gate(tokens),), options=_OPTIONS)
    services.add_CatalogueServiceServicer_to_server(Catalogue(hub), server)
    services.add_OrderServiceServicer_to_server(servicers.Orders(hub), server)
    services.add_StockServiceServicer_to_server(servicers.Stock(hub), server)
    services.add_RightsServiceServicer_to_server(servicers.Rights(hub), server)
    services.add_NodeServiceServicer_to_server(servicers.Nodes(hub), server)
    services.add_DecisionServiceServicer_to_server(servicers.Decisions(hub), server)
    services.add_AuditServiceServicer_to_server(servicers.Audit(hub), server)
    insight_pb2_grpc.add_InsightServiceServicer_to_server(Insight(hub), server)
    conflicts_pb2_grpc.add_ConflictServiceServicer_to_server(Conflicts(hub), server)
    transfers_pb2_grpc.add_TransferServiceServicer_to_server(transfers.Transfers(hub), server)
    proposals_pb2_grpc.add_ProposalServiceServicer_to_server(proposals.Proposals(hub), server)
    expectations_pb2_grpc.add_ExpectationServiceServicer_to_server(Expectations(hub), server)
    routing_pb2_grpc.add_RoutingServiceServicer_to_server(Routing(hub), server)
    privacy_pb2_grpc.add_PrivacyServiceServicer_to_server(privacy.Privacy(hub), server)
    channels_pb2_grpc.add_ChannelServiceServicer_to_server(Channels(hub), server)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks.Webhooks(hub), server)
    rates_pb2_grpc.add_RateServiceServicer_to_server(Rates(hub), server)
    health_pb2_grpc.add_HealthServicer_to_server(health or Health(()), server)  # type: ignore[no-untyped-call]  # it has no types
    shown = (*SERVICES, SERVICE, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(shown, server)  # type: ignore[no-untyped-call]  # it has no types
    return server
