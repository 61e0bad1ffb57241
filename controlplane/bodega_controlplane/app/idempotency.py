"""Idempotency keys."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What the first call answered: HTTP status and body bytes; `replayed` on a repeat."""

    status: int
    body: bytes
    replayed: bool = False


def digest_of(method: str, path: str, body: bytes) -> bytes:
    """SHA-256 over what must be equal for two requests to be the same one."""
    raise NotImplementedError
