"""Idempotency keys: a repeated request gets the stored answer of the first one, byte for byte.

Key and answer are written in the same transaction as what the request did, so there is never one without
the other. Only answers of success are stored: what was refused changed nothing and may be tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from bodega.errors import FieldFault, IdempotencyMismatch, InFlight, InvalidInput
from bodega.limits import IDEMPOTENCY_KEY_CHARS_MAX
from bodega.limits_hub import IDEMPOTENCY_KEPT_S, IDEMPOTENCY_TRIMMED_ROWS_MAX
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import idempotency as rows
from bodega_controlplane.store.transaction import Transaction
from bodega_controlplane.vault import Vault, is_sealed


class Runs(Protocol):
    """What runs a transaction: the hub, which imports this module."""

    async def run(self, fn: Callable[[Transaction], int]) -> int:
        """See `Hub.run`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What the first call answered: HTTP status, body bytes, headers that go with them; `replayed` on a repeat."""

    status: int
    body: bytes
    replayed: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def digest_of(method: str, path: str, body: bytes) -> bytes:
    """SHA-256 over what must be equal for two requests to be the same one."""
    return sha256(b"\n".join((method.upper().encode(), path.encode(), body))).digest()


def begin(tx: Transaction, caller: Caller, key: str, digest: bytes, vault: Vault) -> StoredResponse | None:
    """The stored response to replay, or None: go on, then `finish` in the same transaction.

    Raises InvalidInput for a key that is empty or too long, InFlight while another transaction works on
    it, IdempotencyMismatch when the first request with this key was another one.
    """
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS_MAX:
        problem = f"must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters"
        raise InvalidInput(
            "the Idempotency-Key is missing or too long", faults=(FieldFault("Idempotency-Key", problem),)
        )
    if not rows.claim(tx, caller.channel, key):
        raise _in_flight()
    stored = rows.find(tx, caller.channel, key)
    if stored is None:
        return None
    if stored.digest != digest:
        raise IdempotencyMismatch(
            "this Idempotency-Key was used for another request",
            hint="use a new key for a new request; repeat a request byte for byte",
        )
    body = stored.response
    if is_sealed(body):
        body = vault.open(body, _name(caller, key))
    return StoredResponse(stored.status, body, replayed=True, headers=json.loads(stored.headers))


def finish(
    tx: Transaction, caller: Caller, key: str, digest: bytes, response: StoredResponse, vault: Vault
) -> None:
    """Store the response, sealed: it may hold a secret that is shown this once.

    It is there if and only if what it tells of has happened.
    """
    row = {
        "channel": caller.channel,
        "key": key,
        "digest": digest,
        "status": response.status,
        "response": vault.seal(response.body, _name(caller, key)),
        "headers": json.dumps(dict(response.headers)),
        "at_ms": caller.now_ms,
    }
    rows.put(tx, row)


def _name(caller: Caller, key: str) -> str:
    return f"the answer to {caller.channel}/{key}"


async def forget_old(hub: Runs, caller: Caller) -> None:
    """Drop answers older than IDEMPOTENCY_KEPT_S, in small transactions: such a key is a new one again."""
    before_ms = caller.now_ms - IDEMPOTENCY_KEPT_S * 1000
    limit = IDEMPOTENCY_TRIMMED_ROWS_MAX
    while await hub.run(lambda tx: rows.trim(tx, before_ms, limit)) == limit:
        pass


class KeysInFlight:
    """The keys that this process is working on; between processes, `begin` finds them in the database."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, channel: str, key: str) -> Iterator[None]:
        """Hold a key; raises InFlight if it is held."""
        if (channel, key) in self._held:
            raise _in_flight()
        self._held.add((channel, key))
        try:
            yield
        finally:
            self._held.discard((channel, key))


def _in_flight() -> InFlight:
    return InFlight(
        "a request with this Idempotency-Key is being worked on", hint="wait a moment and repeat it"
    )
