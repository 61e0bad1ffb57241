"""The one object that the faces are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import HubKey
from bodega_controlplane.rules.routing import RoutingPolicy
from bodega_controlplane.store.transaction import Transaction

T = TypeVar("T")


class Hub:
    """Runs use cases in transactions, off the event loop.

    `key`: the hub's Ed25519 key (`key.sign`, `key.verify_key`). `policy`: the routing policy in force.
    """

    key: HubKey
    policy: RoutingPolicy

    async def run(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` in one write transaction: committed when it returns, rolled back when it raises.

        It may be run again from the start after a serialization failure, so it must have no effect
        outside of the transaction. Raises Unavailable when the database stays busy.
        """
        raise NotImplementedError

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` on one consistent snapshot; it must not write."""
        raise NotImplementedError

    async def run_once(
        self, caller: Caller, key: str, digest: bytes, fn: Callable[[Transaction], StoredResponse]
    ) -> StoredResponse:
        """Like `run`, at most once per (caller.channel, key): a repeat gets the stored response.

        Raises IdempotencyMismatch if `digest` (of method, path and body: `idempotency.digest_of`)
        differs from the first one, InFlight while the first is still running. A refusal (exception) is
        not stored: the same key may try again.
        """
        raise NotImplementedError

    def caller(self, actor: str, channel: str) -> Caller:
        """A Caller with the present time."""
        raise NotImplementedError

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        raise NotImplementedError

    @property
    def broker_connected(self) -> bool:
        """Whether NATS is connected at this moment; orders are taken either way."""
        raise NotImplementedError
