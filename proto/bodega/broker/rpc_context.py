"""What a servicer's method sees of a call that came over NATS: grpc.aio's ServicerContext, unary half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import grpc

Metadata = Any  # grpc.aio's own types differ between its classes and its stubs

# The caller's node, put there by the server from the subject; what a caller sends under this name is dropped.
NODE_KEY = "bodega-node"


class Aborted(grpc.aio.AbortError):
    """`context.abort` ends a method by raising this; its words are in the context."""


class RpcContext(grpc.aio.ServicerContext[Any, Any]):
    """`ends_at`: when the caller stops waiting, on the event loop's clock."""

    def __init__(
        self, caller: str, method: str, metadata: tuple[tuple[str, str | bytes], ...], ends_at: float
    ) -> None:
        self._peer = f"nats:{caller}"
        self.method = method
        self._metadata = metadata
        self._ends_at = ends_at
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._trailing: Metadata = ()
        self._callbacks: list[Callable[[Any], None]] = []
        self._done = self._cancelled = False
        self.initial: Metadata = ()

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()
    ) -> NoReturn:
        """See grpc.aio."""
        if code is grpc.StatusCode.OK:
            code, details = grpc.StatusCode.UNKNOWN, "abort was called with OK"
        self._code, self._details = code, details
        if trailing_metadata:
            self._trailing = trailing_metadata
        raise Aborted

    async def abort_with_status(self, status: Any) -> NoReturn:
        """See grpc.aio."""
        await self.abort(status.code, status.details, status.trailing_metadata)

    async def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        """Kept until the answer: it is one message here."""
        self.initial = initial_metadata

    async def read(self) -> Any:
        """There is nothing to read: the method is unary."""
        raise grpc.aio.UsageError("a unary method reads its request from its argument")

    async def write(self, message: Any) -> None:  # noqa: ARG002 - grpc.aio gives the name
        """There is nothing to write to: the method is unary."""
        raise grpc.aio.UsageError("a unary method answers with its result")

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """See grpc.aio."""
        self._trailing = trailing_metadata

    def invocation_metadata(self) -> Metadata:
        """What the caller sent, and NODE_KEY."""
        return self._metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        """See grpc.aio."""
        self._code = code

    def set_details(self, details: str) -> None:
        """See grpc.aio."""
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """The broker's connection decides about compression."""

    def disable_next_message_compression(self) -> None:
        """See `set_compression`."""

    def peer(self) -> str:
        """ "nats:" and who called."""
        return self._peer

    def peer_identities(self) -> Iterable[bytes] | None:
        """None: there is no certificate of the peer here, the broker has checked who it is."""
        return None

    def peer_identity_key(self) -> str | None:
        """See `peer_identities`."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """See `peer_identities`."""
        return {}

    def time_remaining(self) -> float:
        """Seconds until the caller stops waiting."""
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())

    def trailing_metadata(self) -> Metadata:
        """What goes back after the answer."""
        return self._trailing

    def code(self) -> Any:
        """The status that was set; None until then."""
        return self._code

    def details(self) -> str:
        """The words that were set."""
        return self._details

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` with this context when the call is over."""
        self._callbacks.append(callback)

    def cancelled(self) -> bool:
        """Whether the caller gave up."""
        return self._cancelled

    def done(self) -> bool:
        """Whether the call is over."""
        return self._done

    def end(self, *, cancelled: bool) -> None:
        """The server says that the call is over."""
        self._done, self._cancelled = True, cancelled
        for callback in self._callbacks:
            callback(self)
