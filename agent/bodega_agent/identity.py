"""Whom this node believes: the hub's public key, pinned in the node's configuration.

Only what is used is here. The cryptography library is loaded by this module and by no other of the agent.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodega.errors import InvalidInput

_KEY_BYTES = 32


class HubKey:
    """Verifies what the hub has signed (Ed25519, RFC 8032)."""

    def __init__(self, public_key: bytes) -> None:
        if len(public_key) != _KEY_BYTES:
            raise InvalidInput(
                f"the hub's public key must have {_KEY_BYTES} bytes, has {len(public_key)}", hint=_HINT
            )
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` is the hub's over `text`."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


_HINT = "set hub.verify_key to the key that bodegactl nodes register prints"
