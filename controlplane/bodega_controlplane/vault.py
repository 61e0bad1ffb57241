"""Secrets in the database, sealed: whoever has only the database, or a backup of it, can not read them.

AES-256-GCM (NIST SP 800-38D) under a key that is derived from the hub's private key (HKDF, RFC 5869), which is a file
in `data_dir` and in no backup of the database; instances that share the one share the other. What is sealed is bound to
what it is of, so that it can not be put into another row.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bodega.errors import IntegrityBroken

_PURPOSE = b"bodega: secrets in the database, 1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
# Neither JSON nor a message of protobuf begins with it.
_MARK = b"\x00"


class Vault:
    """Seals and opens; from any thread."""

    def __init__(self, private: bytes) -> None:
        key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(private)
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, of: str) -> bytes:
        """The mark, a nonce, and what nobody without the key can read or change."""
        nonce = os.urandom(_NONCE_BYTES)
        return _MARK + nonce + self._cipher.encrypt(nonce, plain, of.encode())

    def open(self, sealed: bytes, of: str) -> bytes:
        """What was sealed, of the same thing. Raises IntegrityBroken."""
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if not is_sealed(sealed):
                raise InvalidTag  # noqa: TRY301 - as if it had been sealed with another key
            return self._cipher.decrypt(nonce, text, of.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityBroken(
                f"a secret of {of} can not be opened with this hub's key",
                hint="put back the hub.key that the database was written with",
            ) from error

    def seal_text(self, plain: str, of: str) -> str:
        """The same as text."""
        return base64.b64encode(self.seal(plain.encode(), of)).decode()

    def open_text(self, sealed: str, of: str) -> str:
        """What `seal_text` has sealed. Raises IntegrityBroken."""
        try:
            whole = base64.b64decode(sealed, validate=True)
        except ValueError:
            whole = b""
        return self.open(whole, of).decode()


def is_sealed(text: bytes) -> bool:
    """Whether it looks like what `seal` makes; answers that version 4 of the schema has stored are not sealed."""
    return text.startswith(_MARK)
