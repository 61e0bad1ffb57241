"""The one object that the faces and the transport are given: runs use cases in transactions.

The event loop never waits for the database. On SQLite one thread writes, so that writers queue here and
not at the file's lock; on PostgreSQL as many as there are connections. Whoever sends to the nodes asks
`on_commit` to be told which of them a commit has something for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from bodega.core.deadline import BootTime
from bodega.errors import Unavailable
from bodega.host.clock import boot_time
from bodega.limits import DATABASE_CONNECTIONS_MAX
from bodega.limits_events import RECIPIENTS_KEPT_DAYS
from bodega.limits_hub import DATABASE_ANSWERS_S
from bodega_controlplane.app import idempotency
from bodega_controlplane.app.idempotency import KeysInFlight, Request, StoredResponse
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import HubKey
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.rules.reach import Reach
from bodega_controlplane.store import meta
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction

T = TypeVar("T")


def _nobody_can_be_called(node_id: str) -> Any:
    """Until the composition root has given the hub a link."""
    raise Unavailable(f"there is no link to node {node_id}", hint="see the log of bodegactl serve")


class Hub:
    """`key`: the hub's Ed25519 key. `policy`: the routing policy in force. `reach`: what webhooks may call.
    `recipients_kept_days`: for how long after its end an order says whom it went to; 0: until somebody erases it.

    `channel_to`: from a node's id to a channel for stubs of the services that it serves.
    `broker_connected`: whether NATS is connected at this moment; orders are taken either way.
    `come_back_after_ms`: over what time nodes are asked to spread what they want of this hub now; 0: as always.
    `boot_time`: the clock that overrides end by, which nobody can set.
    """

    def __init__(
        self,
        store: Store,
        key: HubKey,
        policy: Policy,
        clock: Callable[[], float] = time.time,
        boot_clock: Callable[[], BootTime] = boot_time,
    ) -> None:
        self.key = key
        self.policy = policy
        self.reach = Reach()
        self.recipients_kept_days = RECIPIENTS_KEPT_DAYS
        self.broker_connected = False
        self.come_back_after_ms: Callable[[], int] = lambda: 0
        self.channel_to: Callable[[str], Any] = _nobody_can_be_called
        self._store = store
        self._clock = clock
        self.boot_time = boot_clock
        self._keys = KeysInFlight()
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        readers = DATABASE_CONNECTIONS_MAX // 2
        self._writing = ThreadPoolExecutor(1 if store.single_writer else readers, "hub-write")
        self._reading = ThreadPoolExecutor(readers, "hub-read")

    async def run(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` in one write transaction: committed when it returns, rolled back when it raises.

        It may be run again from the start after a serialization failure, so it must have no effect
        outside of the transaction. Raises Unavailable when the database stays busy.
        """
        loop = asyncio.get_running_loop()
        result, woken = await loop.run_in_executor(self._writing, self._store.write, fn)
        if woken:
            for listener in self._listeners:
                listener(woken)
        return result

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` on one consistent snapshot; it must not write."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._store.read, fn)

    async def ask_database(self) -> None:
        """Raises Unavailable when it does not answer within DATABASE_ANSWERS_S, and whatever it answers otherwise."""
        try:
            async with asyncio.timeout(DATABASE_ANSWERS_S):
                await self.read(meta.schema_version)
        except TimeoutError as error:
            raise Unavailable(
                f"the database has not answered within {DATABASE_ANSWERS_S:g} s",
                hint="check that it runs, and what keeps it busy",
            ) from error

    async def run_once(
        self, caller: Caller, key: str, digest: bytes, fn: Callable[[Transaction], StoredResponse]
    ) -> StoredResponse:
        """Like `run`, at most once per (caller.channel, key): a repeat gets the stored response.

        Raises IdempotencyMismatch if `digest` (of method, path and body: `idempotency.digest_of`)
        differs from the first one, InFlight while the first is still running. A refusal (exception) is
        not stored: the same key may try again.
        """

        request = Request(caller, key, digest)

        def once(tx: Transaction) -> StoredResponse:
            stored = idempotency.begin(tx, request, self.key.vault)
            if stored is None:
                stored = fn(tx)
                idempotency.finish(tx, request, stored, self.key.vault)
            return stored

        with self.hold_key(request):
            return await self.run(once)

    async def run_steps_once(
        self, caller: Caller, key: str, digest: bytes, work: Callable[[], Awaitable[StoredResponse]]
    ) -> StoredResponse:
        """Like `run_once` for work that is several transactions, each of which may be done again.

        The response is stored when all is done: after a crash in between, the same key does the work again.
        """
        request = Request(caller, key, digest)
        with self.hold_key(request):
            vault = self.key.vault
            stored = await self.read(lambda tx: idempotency.begin(tx, request, vault))
            if stored is None:
                done = await work()

                def finish(tx: Transaction) -> StoredResponse:
                    # Another instance may have been asked the same meanwhile, and have been quicker.
                    first = idempotency.begin(tx, request, vault)
                    if first is None:
                        idempotency.finish(tx, request, done, vault)
                    return first or done

                stored = await self.run(finish)
            return stored

    def hold_key(self, request: Request) -> AbstractContextManager[None]:
        """Be the only one in this process who works on its key; raises InFlight if somebody does."""
        return self._keys.hold(*request.name)

    def on_commit(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Call `listener`, on the event loop, with the ids of nodes that a commit has something for."""
        self._listeners.append(listener)

    def caller(self, actor: str, channel: str) -> Caller:
        """A Caller with the present time."""
        return Caller(actor, channel, self.now_ms())

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return int(self._clock() * 1000)

    def close(self) -> None:
        """Let running transactions end, start no more, and close the database."""
        self._writing.shutdown(wait=True, cancel_futures=True)
        self._reading.shutdown(wait=True, cancel_futures=True)
        self._store.close()
