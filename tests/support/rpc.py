"""A small service in the shape of generated code, and both ways to serve it: HTTP/2 and a real broker.

Messages are bytes. `Probe` does what a test asks for, and notes what became of its calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import nats

from bodega.broker.rpc_channel import RpcChannel
from bodega.broker.rpc_server import RpcServer
from bodega.broker.rpc_wire import Listener, NatsWire
from bodega.limits import RPC_BODY_BYTES_MAX
from support.nats import NatsServer, settle

SERVICE = "bodega.test.Probe"
NODE = "lisbon-01"
METHODS = ("Echo", "Fail", "Raise", "Wait", "Grow", "Tell")


@dataclass
class Probe:
    """The servicer. `started` and `ended` are calls of Wait; `told` the metadata of the last Tell."""

    started: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    ended: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[tuple[str, Any]] = field(default_factory=list)
    remaining_s: float | None = None
    error: BaseException | None = None
    calls: int = 0

    async def Echo(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        self.calls += 1
        return request

    async def Fail(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        name, _, words = request.decode().partition(":")
        await context.abort(
            grpc.StatusCode[name], words, (("bodega-code", "no-luck"), ("pic-bin", b"\x00\xff"))
        )
        return b""

    async def Raise(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        assert self.error is not None
        raise self.error

    async def Wait(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        self.remaining_s = context.time_remaining()
        self.started.put_nowait(request.decode())
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.ended.put_nowait("cancelled")
            raise
        return request

    async def Grow(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        return bytes(int(request))

    async def Tell(self, request: bytes, context: Any) -> bytes:  # noqa: N802 - a method of gRPC
        self.told = list(context.invocation_metadata())
        await context.send_initial_metadata((("first", "one"),))
        context.set_trailing_metadata((("last", "two"), ("pic-bin", b"\x01\x02")))
        return b""


class ProbeStub:
    """As generated code makes it."""

    def __init__(self, channel: Any) -> None:
        for name in (*METHODS, "Nothing"):
            setattr(self, name, channel.unary_unary(f"/{SERVICE}/{name}", _registered_method=True))
        self.Stream = channel.unary_stream(f"/{SERVICE}/Stream", _registered_method=True)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def add_to_server(probe: Probe, server: Any) -> None:
    """As generated code does it."""
    handlers: dict[str, Any] = {
        name: grpc.unary_unary_rpc_method_handler(getattr(probe, name)) for name in METHODS
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


@asynccontextmanager
async def over_http2(probe: Probe, interceptors: Sequence[Any], calls_max: int) -> AsyncIterator[Any]:
    """grpc.aio on a free port."""
    size = (
        ("grpc.max_receive_message_length", RPC_BODY_BYTES_MAX),
        ("grpc.max_send_message_length", RPC_BODY_BYTES_MAX),
    )
    server = grpc.aio.server(interceptors=interceptors, options=size, maximum_concurrent_rpcs=calls_max)
    add_to_server(probe, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=size) as channel:
            yield channel
    finally:
        await server.stop(grace=None)


@asynccontextmanager
async def over_nats(
    broker: NatsServer, probe: Probe, interceptors: Sequence[Any], calls_max: int
) -> AsyncIterator[RpcChannel]:
    """Two connections to a real broker: the node's, which calls, and the hub's, which answers."""
    server = RpcServer(interceptors=interceptors, calls_per_caller_max=calls_max)
    add_to_server(probe, server)
    hub = await nats.connect(broker.url, allow_reconnect=False)
    node = await nats.connect(broker.url, allow_reconnect=False, inbox_prefix=f"_INBOX_{NODE}")
    listener = Listener(lambda: server, caller_at=2)
    await listener.listen(hub, "rpc.hub.*", queue="hub")
    await settle(hub)
    wire = NatsWire(lambda: node)
    try:
        yield RpcChannel(wire, f"rpc.hub.{NODE}")
    finally:
        listener.close()
        wire.end_calls()
        await node.close()
        await hub.close()
