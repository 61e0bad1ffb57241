"""Idempotency keys: a repeated request gets the stored answer of the first one, byte for byte.

Key and answer are written in the same transaction as what the request did, so there is never one without
the other. Only answers of success are stored: what was refused changed nothing and may be tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, Protocol

from bodega.errors import BodegaError, FieldFault, IdempotencyMismatch, InFlight, InvalidInput
from bodega.limits import IDEMPOTENCY_KEY_CHARS_MAX
from bodega.limits_hub import IDEMPOTENCY_KEPT_S, IDEMPOTENCY_TRIMMED_ROWS_MAX
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import idempotency as rows
from bodega_controlplane.store.rows import Row
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


class Request(NamedTuple):
    """What is asked for at most once: by whom, under which key; `digest` (`digest_of`) says whether it is the same."""

    caller: Caller
    key: str
    digest: bytes

    @property
    def name(self) -> rows.Name:
        """What nobody else may use it for."""
        return self.caller.channel, self.key


def begin(tx: Transaction, request: Request, vault: Vault) -> StoredResponse | None:
    """The stored response to replay, or None: go on, then `finish` in the same transaction.

    Raises InvalidInput for a key that is empty or too long, InFlight while another transaction works on
    it, IdempotencyMismatch when the first request with this key was another one.
    """
    (found,) = begin_all(tx, [request], vault)
    if isinstance(found, BodegaError):
        raise found
    return found


def begin_all(
    tx: Transaction, requests: Sequence[Request], vault: Vault
) -> list[StoredResponse | BodegaError | None]:
    """For each of them what `begin` says of it, or would raise; no two with the same key."""
    names = [one.name for one in requests if 0 < len(one.key) <= IDEMPOTENCY_KEY_CHARS_MAX]
    ours = rows.claim(tx, names)
    stored = rows.find(tx, ours)
    return [_begun(one, ours, stored.get(one.name), vault) for one in requests]


def _begun(
    request: Request, ours: Container[rows.Name], stored: Row | None, vault: Vault
) -> StoredResponse | BodegaError | None:
    if not 0 < len(request.key) <= IDEMPOTENCY_KEY_CHARS_MAX:
        problem = f"must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters"
        return InvalidInput(
            "the Idempotency-Key is missing or too long", faults=(FieldFault("Idempotency-Key", problem),)
        )
    if request.name not in ours:
        return _in_flight()
    if stored is None:
        return None
    if stored.digest != request.digest:
        return IdempotencyMismatch(
            "this Idempotency-Key was used for another request",
            hint="use a new key for a new request; repeat a request byte for byte",
        )
    body = stored.response
    if is_sealed(body):
        body = vault.open(body, _sealed_as(request))
    return StoredResponse(stored.status, body, replayed=True, headers=json.loads(stored.headers))


def finish(tx: Transaction, request: Request, response: StoredResponse, vault: Vault) -> None:
    """Store the response, sealed: it may hold a secret that is shown this once.

    It is there if and only if what it tells of has happened.
    """
    row = {
        "channel": request.caller.channel,
        "key": request.key,
        "digest": request.digest,
        "status": response.status,
        "response": vault.seal(response.body, _sealed_as(request)),
        "headers": json.dumps(dict(response.headers)),
        "at_ms": request.caller.now_ms,
    }
    rows.put(tx, [row])


def _sealed_as(request: Request) -> str:
    return f"the answer to {request.caller.channel}/{request.key}"


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
