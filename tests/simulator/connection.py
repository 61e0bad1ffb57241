"""One connection of a machine to the simulated broker: calls that may never be answered, and pings that notice it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar

from bodega.broker.port import LinkLost, StreamMissing
from bodega.errors import BodegaError
from bodega.limits import BROKER_CONNECT_S, BROKER_PING_S, BROKER_PINGS_OUTSTANDING_MAX, BROKER_REQUEST_S
from simulator.broker import Hear, Message, Pull, Reply, Sign, SimBroker
from simulator.network import Wire
from simulator.process import PROCESS

T = TypeVar("T")

PULL_HEARTBEAT_S = 5.0
PULL_SILENT_S = 2.5 * PULL_HEARTBEAT_S
# What happens at the broker belongs to no process.
BROKER_CONTEXT = Context()


class BrokerEnd:
    """Where connections are made to; one per world. A broker that restarts forgets all of them."""

    def __init__(self, broker: SimBroker) -> None:
        self.broker = broker
        self.known: dict[Connection, None] = {}
        broker.forgets_connections = self.forget_all

    def forget_all(self) -> None:
        """The broker ends every connection; who can be reached hears of it at once, the others by their pings."""
        known, self.known = self.known, {}
        for connection in known:
            connection.wire.down.carry(connection.end, connection.context)

    def forget(self, connection: Connection) -> None:
        """The broker is told that a connection has ended, or finds out."""
        self.known.pop(connection, None)
        self.broker.listen_no_more(connection)


class Connection:
    """What a client library would hold. Made in the process that it belongs to."""

    def __init__(self, end: BrokerEnd, wire: Wire) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self.wire = wire
        self.context = copy_context()
        self._waiting: dict[asyncio.Future[Any], None] = {}
        self._closed = asyncio.Event()
        self._pinging: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended, as far as this side knows."""
        return self._pinging is not None and not self._closed.is_set()

    async def open(self) -> None:
        """Connect; raises LinkLost."""
        await self._call(lambda: self._end.known.update({self: None}), BROKER_CONNECT_S, opening=True)
        self._pinging = asyncio.create_task(self._ping())

    async def until_closed(self) -> None:
        """Return when it has ended."""
        await self._closed.wait()

    def end(self) -> None:
        """It has ended: everybody who waits hears so, and the broker will."""
        if self._closed.is_set():
            return
        self._closed.set()
        for waiting in list(self._waiting):
            if not waiting.done():
                waiting.set_exception(LinkLost("the connection ended before the answer came"))
        if self._pinging is not None and self._pinging is not asyncio.current_task():
            self._pinging.cancel()
        self._send(lambda: self._end.forget(self))

    async def call(self, what: Callable[[SimBroker], T]) -> T:
        """Have the broker do something and answer; raises LinkLost, and what the broker raises."""
        return await self._call(lambda: what(self._end.broker), BROKER_REQUEST_S)

    def post(self, what: Callable[[SimBroker], object]) -> None:
        """Have the broker do something, without an answer; raises LinkLost if the connection has ended."""
        self._check()
        self._send(lambda: self._do(what))

    async def ask(self, subject: str, body: bytes) -> bytes:
        """Ask whoever listens on a subject; raises LinkLost if nobody answers."""
        answer: asyncio.Future[bytes] = self._loop.create_future()

        def put(broker: SimBroker) -> bool:
            return broker.say(
                subject,
                body,
                lambda reply: self.wire.down.carry(lambda: _settle(answer, reply), self.context),
            )

        if not await self.call(put):
            raise LinkLost(f"nobody answers on {subject}")
        return await self._within(answer, BROKER_REQUEST_S)

    async def listen(self, subject: str, hear: Hear) -> None:
        """Hear what is said on a subject from now on; replies go out over this connection."""

        def heard(said_on: str, body: bytes, reply: Reply) -> None:
            def answer(answered: bytes) -> None:
                self._send(lambda: reply(answered))

            self.wire.down.carry(lambda: hear(said_on, body, answer) if self.is_open else None, self.context)

        await self.call(lambda broker: broker.listen(subject, self, heard))

    async def pulled(self, stream: str, consumer: str, count: int) -> AsyncIterator[Message]:
        """Messages of a durable consumer; ends when it falls silent, raises StreamMissing and LinkLost."""
        arrived: asyncio.Queue[Message | Sign] = asyncio.Queue()
        pull: Pull | None = None
        try:
            while True:
                pull = Pull(count, self._hearing(arrived))
                await self.call(partial(self._begin, stream=stream, consumer=consumer, pull=pull))
                for _ in range(count):
                    try:
                        message = await self._heard(arrived)
                    except TimeoutError:
                        return
                    yield message
        finally:
            if pull is not None:
                pull.ended = True

    def _begin(self, broker: SimBroker, stream: str, consumer: str, pull: Pull) -> None:
        broker.pull(stream, consumer, pull)
        self._beat(pull)

    def _beat(self, pull: Pull) -> None:
        """The broker's idle heartbeat."""
        if not pull.ended and pull.left and self in self._end.known:
            pull.hear(Sign.HEARTBEAT)
            self._loop.call_later(PULL_HEARTBEAT_S, self._beat, pull)

    def _hearing(self, arrived: asyncio.Queue[Message | Sign]) -> Callable[[Message | Sign], None]:
        return lambda one: self.wire.down.carry(lambda: arrived.put_nowait(one), self.context)

    async def _heard(self, arrived: asyncio.Queue[Message | Sign]) -> Message:
        """The next message; TimeoutError when there is not even a heartbeat."""
        while True:
            async with asyncio.timeout(PULL_SILENT_S):
                one = await arrived.get()
            if one is Sign.CONSUMER_GONE:
                raise StreamMissing("the consumer is gone")
            if isinstance(one, Message):
                return one

    async def _ping(self) -> None:
        outstanding = 0

        def pong() -> None:
            nonlocal outstanding
            outstanding = 0

        while outstanding <= BROKER_PINGS_OUTSTANDING_MAX:
            outstanding += 1
            self._send(lambda: self._do(lambda _broker: self.wire.down.carry(pong, self.context)))
            await asyncio.sleep(BROKER_PING_S)
        self.end()

    async def _call(self, what: Callable[[], T], timeout_s: float, *, opening: bool = False) -> T:
        if not opening:
            self._check()
        future: asyncio.Future[T] = self._loop.create_future()

        def at_broker() -> None:
            if not opening and self not in self._end.known:
                self.wire.down.carry(self.end, self.context)
                return
            if not self._end.broker.is_up:
                return
            try:
                answer, error = what(), None
            except BodegaError as refused:
                answer, error = None, refused
            self.wire.down.carry(lambda: _settle(future, answer, error), self.context)

        self._send(at_broker)
        return await self._within(future, timeout_s)

    async def _within(self, future: asyncio.Future[T], timeout_s: float) -> T:
        self._waiting[future] = None
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise LinkLost("no answer in time") from None
        finally:
            self._waiting.pop(future, None)

    def _do(self, what: Callable[[SimBroker], object]) -> None:
        if self in self._end.known and self._end.broker.is_up:
            what(self._end.broker)

    def _send(self, at_broker: Callable[[], None]) -> None:
        """Whoever is dead sends nothing."""
        process = self.context.get(PROCESS)
        if process is None or process.alive:
            self.wire.up.carry(at_broker, BROKER_CONTEXT)

    def _check(self) -> None:
        if self._closed.is_set():
            raise LinkLost("the connection has ended")


def _settle(future: asyncio.Future[Any], answer: object, error: Exception | None = None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(answer)
