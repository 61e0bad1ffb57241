"""Which node calls: the broker's subject says it, or the client certificate; never the request."""

from __future__ import annotations

from typing import Any

import grpc

from bodega.broker.rpc_context import NODE_KEY
from bodega.errors import Unauthenticated

_COMMON_NAME = "x509_common_name"


def node_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The calling node's id. Raises Unauthenticated.

    A certificate outranks metadata: where there is one, nothing else has been checked. Without one the call came
    over the broker, whose end of ours has put the subject's node into the metadata and dropped any other.
    """
    for name in context.auth_context().get(_COMMON_NAME, ()):
        return name.decode("ascii", errors="replace")
    for key, value in context.invocation_metadata() or ():
        if key == NODE_KEY and value:
            return value if isinstance(value, str) else value.decode("ascii", errors="replace")
    raise Unauthenticated(
        "no node is known to call", hint="call over the broker, or with the node's client certificate"
    )
