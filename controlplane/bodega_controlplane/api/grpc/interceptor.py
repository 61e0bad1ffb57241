"""What every call passes through: the operator's token, a correlation id, one log line, one error table.

The standard health service is open, so that a load balancer needs no secret.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

import grpc

from bodega.errors import BodegaError
from bodega.host.log import bound, get_logger
from bodega_controlplane.api import bearer
from bodega_controlplane.api.bugs import unforeseen
from bodega_controlplane.api.correlation import HEADER, correlation_id
from bodega_controlplane.api.grpc.errors import to_status
from bodega_controlplane.keys import Tokens

log = get_logger(__name__)

_OPEN_PREFIX = "/grpc.health.v1.Health/"

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic for type checkers only


class Gate(grpc.aio.ServerInterceptor):
    """Guards and translates; it decides nothing about stock or orders."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Refuse without the token; else wrap the method's behaviour."""
        method = handler_call_details.method
        if method.startswith(_OPEN_PREFIX):
            return await continuation(handler_call_details)
        given = {key: str(value) for key, value in handler_call_details.invocation_metadata or ()}
        try:
            bearer.demand(self._tokens, given.get("authorization", ""), "operator", file="operator.token")
        except BodegaError as refusal:
            return grpc.unary_unary_rpc_method_handler(_guarded(method, given, _refusing(refusal)))
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler  # an unknown method, or reflection, which streams and raises nothing of ours
        return grpc.unary_unary_rpc_method_handler(
            _guarded(method, given, cast("Behaviour", handler.unary_unary)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _refusing(refusal: BodegaError) -> Behaviour:
    async def refuse(_request: Any, _context: Context) -> None:
        raise refusal

    return refuse


def _guarded(method: str, given: dict[str, str], behaviour: Behaviour) -> Behaviour:
    async def run(request: Any, context: Context) -> Any:
        started = time.monotonic()
        word = correlation_id(given.get(HEADER))
        context.set_trailing_metadata(((HEADER, word),))
        with bound(correlation_id=word):
            try:
                response = await behaviour(request, context)
            except BodegaError as error:
                failed = error
            except Exception as error:  # noqa: BLE001 - the last line of defence: a status, never internals
                failed = unforeseen(error, word)
            else:
                log.info("grpc_request", method=method, code="OK", ms=_ms_since(started))
                return response
            status, message, trailers = to_status(failed)
            log.info(
                "grpc_request", method=method, code=status.name, error=failed.code, ms=_ms_since(started)
            )
            return await context.abort(status, message, (*trailers, (HEADER, word)))

    return run


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
