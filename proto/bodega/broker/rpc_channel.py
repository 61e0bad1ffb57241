"""A channel for generated stubs whose other end is a servicer behind NATS: `RenewalServiceStub(RpcChannel(...))`.

What a caller sees is what grpc.aio shows: an awaitable call with code, details and metadata, AioRpcError when it
fails, DEADLINE_EXCEEDED and CANCELLED in the same places. Differences, all on purpose: a call without a timeout gets
RPC_DEFAULT_S, because a broker can lose a message; and only unary methods exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import grpc
from grpc.aio import AioRpcError, Metadata, UnaryUnaryCall

from bodega.broker.rpc_frames import (
    STATUS_OF,
    Fault,
    check_size,
    pairs_from_wire,
    pairs_to_wire,
    read,
    subject_of,
)
from bodega.errors import Unavailable
from bodega.limits import RPC_DEFAULT_S, RPC_LASTS_S_MAX
from bodega.v1 import rpc_pb2

Q = TypeVar("Q")
R = TypeVar("R")
Given = Iterable[tuple[str, str | bytes]] | None
Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]


class Wire(Protocol):
    """What carries frames; `rpc_wire.NatsWire` over a broker."""

    @property
    def payload_bytes_max(self) -> int:
        """What one message may have; raises Unavailable."""
        ...

    async def request(self, subject: str, frame: bytes, timeout_s: float) -> bytes:
        """The answer; raises Unavailable, TimeoutError."""
        ...

    async def send(self, subject: str, frame: bytes) -> None:
        """What has no answer."""
        ...


class RpcChannel:
    """One end of all calls below a subject `prefix`: "rpc.hub.lisbon-01" or "rpc.node.lisbon-01"."""

    def __init__(self, wire: Wire, prefix: str) -> None:
        self._wire = wire
        self._prefix = prefix
        self._cancels: set[asyncio.Task[None]] = set()

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer | None = None,
        response_deserializer: Deserializer | None = None,
        _registered_method: bool | None = False,
    ) -> Method:
        """What a generated stub asks for."""
        return Method(self, method, request_serializer or bytes, response_deserializer or bytes)

    def unary_stream(self, method: str, *_parts: Any, **_more: Any) -> Streaming:
        """Refused when it is called, so that a stub with other methods can be made."""
        return Streaming(method)

    stream_unary = stream_stream = unary_stream

    async def carry(self, method: str, frame: bytes, call_id: str, timeout_s: float) -> rpc_pb2.RpcResponse:
        """One exchange; raises Fault. A caller that gives up tells the other end so."""
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._wire.request(f"{self._prefix}.{subject_of(method)}", frame, timeout_s)
        except TimeoutError:
            self._tell_cancelled(call_id)
            raise Fault(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer to {method} within {timeout_s:g} s"
            ) from None
        except asyncio.CancelledError:
            self._tell_cancelled(call_id)
            raise
        except Unavailable as error:
            raise Fault(grpc.StatusCode.UNAVAILABLE, error.message) from error
        return read(rpc_pb2.RpcResponse(), answer)

    def payload_bytes_max(self) -> int:
        """What the broker takes; raises Fault UNAVAILABLE while there is none."""
        try:
            return self._wire.payload_bytes_max
        except Unavailable as error:
            raise Fault(grpc.StatusCode.UNAVAILABLE, error.message) from error

    def _tell_cancelled(self, call_id: str) -> None:
        frame = rpc_pb2.RpcCancel(call_id=call_id).SerializeToString()
        telling = asyncio.ensure_future(self._wire.send(f"{self._prefix}.cancel", frame))
        self._cancels.add(telling)
        telling.add_done_callback(self._cancels.discard)


@dataclass(frozen=True, slots=True)
class Streaming:
    """A method that this transport has not."""

    method: str

    def __call__(self, *_given: Any, **_more: Any) -> Any:
        """Raises AioRpcError UNIMPLEMENTED."""
        raise AioRpcError(
            grpc.StatusCode.UNIMPLEMENTED,
            Metadata(),
            Metadata(),
            details=f"{self.method} streams: only unary methods go over NATS, ask for ranges instead",
        )


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a stub; calling it starts a call."""

    channel: RpcChannel
    name: str
    serialize: Serializer
    deserialize: Deserializer

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Given = None,
        **_of_http2: Any,
    ) -> Call:
        """`timeout` in seconds. Credentials and compression belong to the broker's connection."""
        return Call(self, request, timeout, metadata)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a call ended."""

    code: grpc.StatusCode
    details: str
    initial: Metadata
    trailing: Metadata
    response: Any = None


class Call(UnaryUnaryCall[Any, Any]):
    """One call under way; await it for the response. Cancelling whoever awaits it cancels the call."""

    def __init__(self, method: Method, request: Any, timeout_s: float | None, metadata: Given) -> None:
        self._method = method
        self._lasts_s = min(RPC_DEFAULT_S if timeout_s is None else max(0.0, timeout_s), RPC_LASTS_S_MAX)
        loop = asyncio.get_running_loop()
        self._ends_at = loop.time() + self._lasts_s
        self._task = loop.create_task(self._run(request, metadata))

    async def _run(self, request: Any, metadata: Given) -> _Outcome:
        try:
            return await self._exchange(request, metadata)
        except Fault as fault:
            return _Outcome(fault.code, fault.details, Metadata(), Metadata())

    async def _exchange(self, request: Any, metadata: Given) -> _Outcome:
        channel, method = self._method.channel, self._method.name
        call_id = uuid4().hex
        body = self._method.serialize(request)
        # Rounded up, so that a deadline never reads as none.
        remaining_ms = int(self._lasts_s * 1000) + 1
        frame = rpc_pb2.RpcRequest(
            call_id=call_id, remaining_ms=remaining_ms, metadata=pairs_to_wire(metadata), body=body
        ).SerializeToString()
        check_size(
            f"the request of {method}",
            body,
            frame_bytes=len(frame),
            payload_bytes_max=channel.payload_bytes_max(),
        )
        answer = await channel.carry(method, frame, call_id, self._lasts_s)
        code = STATUS_OF.get(answer.status, grpc.StatusCode.UNKNOWN)
        initial, trailing = (Metadata(*pairs_from_wire(sent)) for sent in (answer.initial, answer.trailing))
        if code is not grpc.StatusCode.OK:
            return _Outcome(code, answer.message, initial, trailing)
        try:
            response = self._method.deserialize(answer.body)
        except Exception as error:  # noqa: BLE001 - whatever the stub's own parser raises: it is one status
            details = f"the response of {method} cannot be read: {type(error).__name__}"
            return _Outcome(grpc.StatusCode.INTERNAL, details, initial, trailing)
        return _Outcome(code, "", initial, trailing, response)

    def __await__(self) -> Generator[Any, None, Any]:
        """The response; raises AioRpcError, or CancelledError for a call that was cancelled."""
        outcome = yield from self._task.__await__()
        if outcome.code is not grpc.StatusCode.OK:
            raise AioRpcError(outcome.code, outcome.initial, outcome.trailing, details=outcome.details)
        return outcome.response

    def cancel(self) -> bool:
        """Give up; the other end is told. False if it was over already."""
        return self._task.cancel()

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._task.cancelled()

    def done(self) -> bool:
        """Whether it is over."""
        return self._task.done()

    def time_remaining(self) -> float | None:
        """Seconds until its deadline."""
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` with this call once it is over."""
        self._task.add_done_callback(lambda _task: callback(self))

    async def _outcome(self) -> _Outcome:
        """How it ended, never raising: cancelled is an outcome too."""
        await asyncio.wait([self._task])
        if self._task.cancelled():
            return _Outcome(grpc.StatusCode.CANCELLED, "cancelled by the caller", Metadata(), Metadata())
        return self._task.result()

    async def initial_metadata(self) -> Metadata:
        """What the server sent before its answer."""
        return (await self._outcome()).initial

    async def trailing_metadata(self) -> Metadata:
        """What the server sent after its answer."""
        return (await self._outcome()).trailing

    async def code(self) -> grpc.StatusCode:
        """The status."""
        return (await self._outcome()).code

    async def details(self) -> str:
        """What went wrong, in words."""
        return (await self._outcome()).details

    async def wait_for_connection(self) -> None:
        """There is nothing to wait for: a broker that is away is an answer, UNAVAILABLE."""
