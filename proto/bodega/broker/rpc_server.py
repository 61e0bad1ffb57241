"""A server for generated servicers behind NATS: `add_XServicer_to_server(servicer, RpcServer())`.

The same servicers, interceptors and error table serve HTTP/2. What a servicer raises becomes a status by
`rpc_errors`; what nobody foresaw becomes INTERNAL without its words. A call runs at most once here: a repeated
message is known by its id. It ends when its deadline passes, when its caller cancels, or when the connection does.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc

from bodega.broker.rpc_context import NODE_KEY, Aborted, RpcContext
from bodega.broker.rpc_errors import to_status
from bodega.broker.rpc_frames import Fault, check_size, pairs_from_wire, pairs_to_wire, read
from bodega.errors import BodegaError
from bodega.host.log import get_logger
from bodega.limits import (
    RPC_CALLS_AT_ONCE_MAX,
    RPC_CALLS_PER_CALLER_MAX,
    RPC_CALLS_REMEMBERED_MAX,
    RPC_LASTS_S_MAX,
)
from bodega.v1 import rpc_pb2

log = get_logger(__name__)

Handler = Any  # grpc.RpcMethodHandler: generic for type checkers only
_PLACES_MAX = 12
_ID_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class CallDetails(grpc.HandlerCallDetails):
    """What an interceptor is asked with."""

    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...]


@dataclass(slots=True)
class _Running:
    """A call in hand, by (caller, call id)."""

    task: asyncio.Task[bytes]
    cancelled: bool = False


class RpcServer:
    """`interceptors`: grpc.aio.ServerInterceptors, the outermost first. It owns no connection: see `rpc_wire`."""

    def __init__(
        self,
        *,
        interceptors: Sequence[Any] = (),
        calls_at_once_max: int = RPC_CALLS_AT_ONCE_MAX,
        calls_per_caller_max: int = RPC_CALLS_PER_CALLER_MAX,
    ) -> None:
        self._handlers: dict[str, Handler] = {}
        self._generic: list[Any] = []
        self._calls_at_once_max = calls_at_once_max
        self._calls_per_caller_max = calls_per_caller_max
        self._running: dict[tuple[str, str], _Running] = {}
        self._of_caller: Counter[str] = Counter()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._look_up: Callable[[CallDetails], Awaitable[Handler | None]] = self._found
        for interceptor in reversed(interceptors):
            self._look_up = partial(interceptor.intercept_service, self._look_up)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """What generated code calls; raises ValueError for a method that streams."""
        for name, handler in handlers.items():
            if handler.request_streaming or handler.response_streaming:
                raise ValueError(f"{service}/{name} streams: only unary methods go over NATS")
            self._handlers[f"/{service}/{name}"] = handler

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """What generated code calls as well; asked for methods that nobody registered by name."""
        self._generic += handlers

    async def _found(self, details: CallDetails) -> Handler | None:
        handler = self._handlers.get(details.method)
        if handler is None:
            found = (generic.service(details) for generic in self._generic)
            handler = next((one for one in found if one is not None), None)
        return handler

    async def answer(self, caller: str, method: str, frame: bytes, payload_bytes_max: int) -> bytes | None:
        """The answer's frame; None for a repeated message, and for a call that its caller cancelled.

        `caller` is what the broker vouches for; nothing in the frame can change it.
        """
        try:
            request = _request_in(frame)
            key = (caller, request.call_id)
            if key in self._known:
                log.info("rpc_repeated", caller=caller, method=method)
                return None
            self._check_room(caller)
        except Fault as fault:
            log.warning("rpc_refused", caller=caller, method=method[:200], reason=fault.details)
            return _refusal(fault).SerializeToString()
        self._remember(key)
        return await self._run(key, method, request, payload_bytes_max)

    def cancel(self, caller: str, frame: bytes) -> None:
        """The caller does not wait any more; a cancel of nothing changes nothing."""
        try:
            call_id = read(rpc_pb2.RpcCancel(), frame).call_id
        except Fault as fault:
            log.warning("rpc_cancel_malformed", caller=caller, reason=fault.details)
            return
        running = self._running.get((caller, call_id))
        if running is not None:
            running.cancelled = True
            running.task.cancel()

    def _check_room(self, caller: str) -> None:
        if self._of_caller[caller] >= self._calls_per_caller_max:
            raise Fault(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self._of_caller[caller]} calls of {caller} run already, that is the most: try again",
            )
        if len(self._running) >= self._calls_at_once_max:
            raise Fault(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{len(self._running)} calls run already, that is the most: try again",
            )

    def _remember(self, key: tuple[str, str]) -> None:
        self._known[key] = None
        while len(self._known) > RPC_CALLS_REMEMBERED_MAX:
            self._known.popitem(last=False)

    async def _run(
        self, key: tuple[str, str], method: str, request: rpc_pb2.RpcRequest, payload_bytes_max: int
    ) -> bytes | None:
        caller, _ = key
        work = asyncio.ensure_future(self._answer(caller, method, request, payload_bytes_max))
        running = self._running[key] = _Running(work)
        self._of_caller[caller] += 1
        try:
            return await work
        except asyncio.CancelledError:
            work.cancel()
            if running.cancelled:
                return None
            raise
        finally:
            del self._running[key]
            self._of_caller[caller] -= 1
            if not self._of_caller[caller]:
                del self._of_caller[caller]

    async def _answer(
        self, caller: str, method: str, request: rpc_pb2.RpcRequest, payload_bytes_max: int
    ) -> bytes:
        lasts_s = min((request.remaining_ms or 0) / 1000 or RPC_LASTS_S_MAX, RPC_LASTS_S_MAX)
        given = tuple(pair for pair in pairs_from_wire(request.metadata) if pair[0] != NODE_KEY)
        metadata = (*given, (NODE_KEY, caller))
        context = RpcContext(caller, method, metadata, asyncio.get_running_loop().time() + lasts_s)
        try:
            response = await self._within(lasts_s, context, request.body)
        except asyncio.CancelledError:
            context.end(cancelled=True)
            raise
        context.end(cancelled=False)
        return _framed(method, response, payload_bytes_max)

    async def _within(self, lasts_s: float, context: RpcContext, body: bytes) -> rpc_pb2.RpcResponse:
        try:
            async with asyncio.timeout(lasts_s) as deadline:
                return await self._handle(context, body)
        except TimeoutError as error:
            if deadline.expired():
                fault = Fault(
                    grpc.StatusCode.DEADLINE_EXCEEDED, f"{context.method} took longer than {lasts_s:g} s"
                )
                return _refusal(fault)
            return _failed(context, error)

    async def _handle(self, context: RpcContext, body: bytes) -> rpc_pb2.RpcResponse:
        try:
            handler = _unary(
                context.method,
                await self._look_up(CallDetails(context.method, context.invocation_metadata())),
            )
            request = _deserialized(handler.request_deserializer, body)
            result = handler.unary_unary(request, context)
            response = await result if inspect.isawaitable(result) else result
            return _ended(context, handler.response_serializer, response)
        except Aborted:
            return _ended(context, None, None)
        except Fault as fault:
            return _refusal(fault)
        except BodegaError as error:
            code, message, trailers = to_status(error)
            return _refusal(Fault(code, message), trailers)
        except TimeoutError:
            raise  # the deadline's, or the method's own: the caller of this knows which
        except Exception as error:  # noqa: BLE001 - the last line of defence: a status, never internals
            return _failed(context, error)


def _request_in(frame: bytes) -> rpc_pb2.RpcRequest:
    request = read(rpc_pb2.RpcRequest(), frame)
    if not 0 < len(request.call_id) <= _ID_CHARS_MAX:
        raise Fault(grpc.StatusCode.INTERNAL, f"the frame has no call id of 1 to {_ID_CHARS_MAX} characters")
    return request


def _unary(method: str, handler: Handler | None) -> Handler:
    if handler is None:
        raise Fault(grpc.StatusCode.UNIMPLEMENTED, f"there is no method {method} here")
    if handler.unary_unary is None:
        raise Fault(grpc.StatusCode.UNIMPLEMENTED, f"{method} streams: only unary methods go over NATS")
    return handler


def _deserialized(deserializer: Callable[[bytes], Any] | None, body: bytes) -> Any:
    if deserializer is None:
        return body
    try:
        return deserializer(body)
    except Exception as error:
        raise Fault(
            grpc.StatusCode.INTERNAL, f"the request cannot be read: {type(error).__name__}"
        ) from error


def _ended(
    context: RpcContext, serializer: Callable[[Any], bytes] | None, response: Any
) -> rpc_pb2.RpcResponse:
    """The answer of a method that returned, or aborted."""
    code = context.code() or grpc.StatusCode.OK
    answer = rpc_pb2.RpcResponse(
        status=code.value[0],
        message=context.details(),
        initial=pairs_to_wire(context.initial),
        trailing=pairs_to_wire(context.trailing_metadata()),
    )
    if code is grpc.StatusCode.OK:
        answer.body = serializer(response) if serializer else response
    return answer


def _refusal(fault: Fault, trailers: Sequence[tuple[str, str]] = ()) -> rpc_pb2.RpcResponse:
    return rpc_pb2.RpcResponse(
        status=fault.code.value[0], message=fault.details, trailing=pairs_to_wire(trailers)
    )


def _failed(context: RpcContext, error: Exception) -> rpc_pb2.RpcResponse:
    """Log the bug's kind and places, which hold nobody's name, and answer that it is ours."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES_MAX:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("rpc_bug", method=context.method, kind=type(error).__name__, places=places)
    return _refusal(Fault(grpc.StatusCode.INTERNAL, f"{context.method} met a fault that it did not foresee"))


def _framed(method: str, response: rpc_pb2.RpcResponse, payload_bytes_max: int) -> bytes:
    frame = response.SerializeToString()
    try:
        check_size(
            f"the response of {method}",
            response.body,
            frame_bytes=len(frame),
            payload_bytes_max=payload_bytes_max,
        )
    except Fault as fault:
        log.warning("rpc_answer_too_large", method=method, reason=fault.details)
        return _refusal(fault).SerializeToString()
    return frame
