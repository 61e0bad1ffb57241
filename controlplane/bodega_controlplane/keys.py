"""Keys and tokens of the control plane."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Bearer tokens, one per role."""

    storefront: str
    operator: str

    def role_of(self, token: str) -> str | None:
        """ "storefront", "operator", or None for a token that is neither; compared in constant time."""
        raise NotImplementedError


class HubKey:
    """The hub's Ed25519 key."""

    @property
    def verify_key(self) -> bytes:
        """The public key, 32 bytes."""
        raise NotImplementedError

    def sign(self, text: bytes) -> bytes:
        """The signature, 64 bytes."""
        raise NotImplementedError
