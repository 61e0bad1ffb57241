"""The hash chain of a journal: hash(n) = SHA-256(hash(n-1) || bytes(n)), hash(0) = 32 zero bytes.

Bytes are hashed as their writer serialised them, so a reader that does not know an event can still
verify, keep and forward it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

GENESIS = bytes(32)


def link(previous: bytes, body: bytes) -> bytes:
    """The chain hash after `body`."""
    return sha256(previous + body).digest()


def extend(previous: bytes, bodies: Iterable[bytes]) -> list[bytes]:
    """The chain hash after each of the bodies, in order."""
    hashes = []
    for body in bodies:
        previous = sha256(previous + body).digest()
        hashes.append(previous)
    return hashes
