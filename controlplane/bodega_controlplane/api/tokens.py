"""The two shared secrets of the control plane, and the one way to compare them.

A comparison takes the same time whatever is wrong with the token, and a token never shows in a repr,
so neither the clock nor a log line tells anything about it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What each face expects after "Bearer ": the storefront's token on HTTP, the operator's on gRPC."""

    storefront: str = field(repr=False)
    operator: str = field(repr=False)


def bearer_matches(header: str | bytes, expected: str) -> bool:
    """Whether an Authorization header (RFC 6750, section 2.1) carries the expected token."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    scheme, _, token = text.partition(" ")
    same = hmac.compare_digest(token.strip().encode(), expected.encode())
    return same and scheme.lower() == _SCHEME and bool(expected)
