"""Who may speak to a face: the bearer token of a request, and the refusal when it is not the right one."""

from __future__ import annotations

from bodega.errors import Unauthenticated
from bodega_controlplane.keys import Tokens

_SCHEME = "bearer"


def token_in(header: str, *, hint: str) -> str:
    """The token in an Authorization header (RFC 6750, section 2.1). Raises Unauthenticated for a header without one."""
    if not header:
        raise Unauthenticated("no token was given", hint=hint)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise Unauthenticated("this is no bearer token", hint=hint)
    return token.strip()


def demand(tokens: Tokens, header: str, role: str, *, file: str) -> None:
    """Raise Unauthenticated unless the Authorization header holds the role's token.

    `file` is where an operator finds the right token; the token itself is never repeated or logged.
    """
    hint = f"send 'Authorization: Bearer <token>' from {file}"
    if tokens.role_of(token_in(header, hint=hint)) != role:
        raise Unauthenticated(f"this is not the {role}'s token", hint=hint)
