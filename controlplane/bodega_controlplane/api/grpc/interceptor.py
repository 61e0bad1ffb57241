"""What every call passes through: who may call, a correlation id, one log line, one error table.

Operators show their token; nodes come over the broker, which has checked them, or with a client certificate. The
standard health service is open, so that a load balancer needs no secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias, cast

import grpc

from bodega.broker.rpc_context import NODE_KEY
from bodega.broker.rpc_errors import to_status
from bodega.errors import BodegaError, Unauthenticated, Unavailable
from bodega.host.log import bound, get_logger
from bodega.limits import RPC_LASTS_S_MAX
from bodega.limits_hub import IMPORT_LASTS_S_MAX
from bodega_controlplane.api import bearer
from bodega_controlplane.api.bugs import unforeseen
from bodega_controlplane.api.correlation import HEADER, correlation_id
from bodega_controlplane.keys import Tokens

log = get_logger(__name__)

_OPEN_PREFIX = "/grpc.health.v1.Health/"
_REFLECTION_PREFIX = "/grpc.reflection."

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
Answers = Callable[[Any, Context], AsyncGenerator[Any, None]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic for type checkers only


class Guard(grpc.aio.ServerInterceptor):
    """Translates errors and writes the log; it decides nothing about stock or orders."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Refuse who may not call; else wrap the method's behaviour."""
        method = handler_call_details.method
        if method.startswith(_OPEN_PREFIX):
            return await continuation(handler_call_details)
        given = {key: str(value) for key, value in handler_call_details.invocation_metadata or ()}
        try:
            self.admit(given)
        except BodegaError as refusal:
            return grpc.unary_unary_rpc_method_handler(
                _guarded(method, given, _refusing(refusal), RPC_LASTS_S_MAX)
            )
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(_REFLECTION_PREFIX):
            return handler  # an unknown method, or reflection, which streams and raises nothing of ours
        coders = (handler.request_deserializer, handler.response_serializer)
        if handler.stream_stream is not None:
            answers = _answering(cast("Answers", handler.stream_stream))
            streaming = _guarded(method, given, answers, IMPORT_LASTS_S_MAX)
            return grpc.stream_stream_rpc_method_handler(streaming, *coders)
        unary = _guarded(method, given, cast("Behaviour", handler.unary_unary), RPC_LASTS_S_MAX)
        return grpc.unary_unary_rpc_method_handler(unary, *coders)

    def admit(self, given: dict[str, str]) -> None:
        """Raise Unauthenticated for metadata that may not call. Behind the broker everybody is known already."""


class Gate(Guard):
    """Operators only."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def admit(self, given: dict[str, str]) -> None:
        """The operator's token; and nobody says by metadata that it is a node."""
        bearer.demand(self._tokens, given.get("authorization", ""), "operator", file="operator.token")
        refuse_claims(given)


class NodeGate(Guard):
    """Nodes over HTTP/2: the server has checked their certificate, which alone says who they are."""

    def admit(self, given: dict[str, str]) -> None:
        """Nobody says by metadata which node it is."""
        refuse_claims(given)


def refuse_claims(given: dict[str, str]) -> None:
    """Raise Unauthenticated for a caller that brings the metadata which only the broker's end may set."""
    if NODE_KEY in given:
        raise Unauthenticated(f"'{NODE_KEY}' is not the caller's to say", hint="leave it out of the metadata")


def _refusing(refusal: BodegaError) -> Behaviour:
    async def refuse(_request: Any, _context: Context) -> None:
        raise refusal

    return refuse


def _answering(answers: Answers) -> Behaviour:
    """A method that yields its answers as one that writes them, so that it begins and ends within one guard."""

    async def run(requests: Any, context: Context) -> None:
        async with aclosing(answers(requests, context)) as each:
            async for answer in each:
                await context.write(answer)

    return run


def _guarded(method: str, given: dict[str, str], behaviour: Behaviour, lasts_s: float) -> Behaviour:
    async def run(request: Any, context: Context) -> Any:
        started = time.monotonic()
        word = correlation_id(given.get(HEADER))
        context.set_trailing_metadata(((HEADER, word),))
        with bound(correlation_id=word):
            try:
                async with asyncio.timeout(lasts_s) as limit:
                    response = await behaviour(request, context)
            except grpc.aio.AbortError:
                raise  # it has said its status itself
            except asyncio.CancelledError:
                # The caller's deadline has passed, or it has gone. What waits for the database is not begun any more.
                log.info("grpc_request", method=method, code="CANCELLED", ms=_ms_since(started))
                raise
            except BodegaError as error:
                failed = error
            except TimeoutError as error:
                failed = _too_long(lasts_s) if limit.expired() else unforeseen(error, word)
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


def _too_long(lasts_s: float) -> Unavailable:
    return Unavailable(
        f"the call was not done within {lasts_s:.0f} s", code="too-slow", hint="ask for less at once"
    )


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
