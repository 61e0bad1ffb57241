"""Which node calls: the broker's subject says it, or the client certificate; never the request."""

from __future__ import annotations

from typing import Any

import grpc

from bodega.errors import Unauthenticated

_NODE_KEY = "bodega-node"


def node_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The calling node's id. Raises Unauthenticated."""
    for key, value in context.invocation_metadata() or ():
        if key == _NODE_KEY and isinstance(value, str) and value:
            return value
    raise Unauthenticated("no node is known to call", hint="call over the broker")
