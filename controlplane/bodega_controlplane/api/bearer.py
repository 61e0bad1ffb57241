"""Who may speak to a face: the bearer token of a request, and the refusal when it is not the right one."""

from __future__ import annotations

from bodega.errors import Unauthenticated
from bodega_controlplane.keys import Tokens

_SCHEME = "bearer"


def demand(tokens: Tokens, header: str, role: str, *, file: str) -> None:
    """Raise Unauthenticated unless the Authorization header (RFC 6750, section 2.1) holds the role's token.

    `file` is where an operator finds the right token; the token itself is never repeated or logged.
    """
    scheme, _, token = header.partition(" ")
    if not header:
        raise Unauthenticated("no token was given", hint=f"send 'Authorization: Bearer <token>' from {file}")
    if scheme.lower() != _SCHEME or tokens.role_of(token.strip()) != role:
        raise Unauthenticated(
            f"this is not the {role}'s token", hint=f"send 'Authorization: Bearer <token>' from {file}"
        )
