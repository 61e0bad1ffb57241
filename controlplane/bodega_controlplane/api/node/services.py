"""Everything that a node may call, registered in one place: on a server over the broker, or on one over HTTP/2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc

from bodega.broker.rpc_server import RpcServer
from bodega.limits import RPC_BODY_BYTES_MAX, RPC_CALLS_AT_ONCE_MAX
from bodega.v1 import artifacts_pb2_grpc, nodesync_pb2_grpc, renewal_pb2_grpc
from bodega_controlplane.api.grpc.interceptor import Guard, NodeGate
from bodega_controlplane.api.node.artifacts import Artifacts
from bodega_controlplane.api.node.node_sync import NodeSync
from bodega_controlplane.api.node.renewal import Renewal
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.artifacts import Shelf
from bodega_controlplane.authority import Authority


@dataclass(frozen=True, slots=True)
class NodeServices:
    """What the servicers need."""

    hub: Hub
    shelf: Shelf
    authority: Authority

    def register(self, server: Any) -> None:
        """Add all services to a grpc.aio server or an RpcServer."""
        artifacts_pb2_grpc.add_ArtifactServiceServicer_to_server(Artifacts(self.shelf), server)
        renewal_pb2_grpc.add_RenewalServiceServicer_to_server(Renewal(self.hub, self.authority), server)
        nodesync_pb2_grpc.add_NodeSyncServiceServicer_to_server(NodeSync(self.hub), server)

    def over_the_broker(self) -> RpcServer:
        """A server for calls that come over the broker, which has checked who calls."""
        server = RpcServer(interceptors=(Guard(),))
        self.register(server)
        return server

    def over_http2(self) -> grpc.aio.Server:
        """A server for nodes that call with their certificate; bind it with the authority's as `clients`."""
        size = (("grpc.max_receive_message_length", RPC_BODY_BYTES_MAX), ("grpc.so_reuseport", 0))
        server = grpc.aio.server(
            interceptors=(NodeGate(),), options=size, maximum_concurrent_rpcs=RPC_CALLS_AT_ONCE_MAX
        )
        self.register(server)
        return server
