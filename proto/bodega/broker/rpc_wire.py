"""The NATS ends of a call: requests out, with a clear word when there is no answer; requests in, to a server.

Here is all that gRPC over NATS knows of nats-py. gRPC itself is not imported: the caller brings the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from bodega.errors import Unavailable
from bodega.host.log import get_logger

log = get_logger(__name__)

# Beyond the caller's own deadline: nats-py's timeout only has to end what is forgotten.
_GRACE_S = 1.0


class NatsWire:
    """Requests over whichever connection is there. `live` raises Unavailable while there is none."""

    def __init__(self, live: Callable[[], Client]) -> None:
        self._live = live
        self._calls: set[asyncio.Task[Msg]] = set()

    @property
    def payload_bytes_max(self) -> int:
        """What the broker takes in one message."""
        return self._live().max_payload

    async def request(self, subject: str, frame: bytes, timeout_s: float) -> bytes:
        """The answer's bytes. Raises Unavailable: nobody there, or the connection ended; TimeoutError."""
        client = self._live()
        call = asyncio.ensure_future(client.request(subject, frame, timeout=timeout_s + _GRACE_S))
        self._calls.add(call)
        try:
            return (await call).data
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Unavailable("the connection to the broker ended before the answer came") from None
        except NoRespondersError as error:
            raise Unavailable(f"nobody answers on {subject}", hint="is the other end running?") from error
        except TimeoutError:
            raise
        except (NatsError, OSError) as error:
            raise Unavailable(f"the broker: {error or type(error).__name__}") from error
        finally:
            self._calls.discard(call)
            call.cancel()

    async def send(self, subject: str, frame: bytes) -> None:
        """Send what has no answer; lost without a word if the connection is."""
        try:
            await self._live().publish(subject, frame)
        except (NatsError, OSError, Unavailable) as error:
            log.debug("rpc_not_sent", subject=subject, reason=str(error))

    def end_calls(self) -> None:
        """The connection is over: whoever waits for an answer learns it now."""
        for call in self._calls:
            call.cancel()


class Answering(Protocol):
    """What a server must be to listen: see `rpc_server.RpcServer`."""

    async def answer(self, caller: str, method: str, frame: bytes, payload_bytes_max: int) -> bytes | None:
        """The answer's frame, or None for a message that deserves none."""
        ...

    def cancel(self, caller: str, frame: bytes) -> None:
        """The caller does not wait any more."""
        ...


class Listener:
    """Hands what comes on a connection to a server; `close` ends the calls in hand with the connection.

    `caller_at`: which token of the subject names the caller; None: the caller is always `caller`. `server` is
    asked for at the first call, so that nobody pays for gRPC who is never called.
    """

    def __init__(
        self, server: Callable[[], Answering], *, caller_at: int | None = None, caller: str = ""
    ) -> None:
        self._server = server
        self._caller_at = caller_at
        self._caller = caller
        self._working: set[asyncio.Task[None]] = set()

    async def listen(self, client: Client, prefix: str, *, queue: str = "") -> None:
        """Take calls below `prefix`, such as "rpc.hub.*" or "rpc.node.lisbon-01".

        With a `queue`, one of several instances takes each call; cancels are heard by all of them.
        """
        tokens = prefix.count(".") + 1

        async def on_call(message: Msg) -> None:
            self._start(self._answer(client, message, message.subject.split(".", tokens)[-1]))

        async def on_cancel(message: Msg) -> None:
            self._server().cancel(self._caller_of(message), message.data)

        # Calls have a service and a method below the prefix, a cancel one word: no message is both.
        await client.subscribe(f"{prefix}.*.>", queue=queue, cb=on_call)
        await client.subscribe(f"{prefix}.cancel", cb=on_cancel)

    def close(self) -> None:
        """Nobody hears the answers any more."""
        for task in self._working:
            task.cancel()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, client: Client, message: Msg, subject_end: str) -> None:
        if not message.reply:
            return
        service, _, name = subject_end.rpartition(".")
        answer = await self._server().answer(
            self._caller_of(message), f"/{service}/{name}", message.data, client.max_payload
        )
        if answer is None:
            return
        try:
            await message.respond(answer)
        except (NatsError, OSError) as error:
            log.debug("rpc_not_answered", subject=message.subject, reason=str(error))

    def _caller_of(self, message: Msg) -> str:
        if self._caller_at is None:
            return self._caller
        return str(message.subject.split(".")[self._caller_at])
