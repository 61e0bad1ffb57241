"""Secrets of the control plane: the hub's Ed25519 key, one bearer token per role, the authority's key.

Each is a file of mode 0600 in the data folder, made at first start and never changed by the program.
A secret that others on the host can read is refused, not used.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bodega.errors import IntegrityBroken, PermissionRefused
from bodega_controlplane.vault import Vault

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Bearer tokens, one per role."""

    storefront: str
    operator: str

    def role_of(self, token: str) -> str | None:
        """ "storefront", "operator", or None for a token that is neither; compared in constant time."""
        given = token.encode()
        # Both comparisons always run, so the time taken tells nothing about either.
        is_storefront = hmac.compare_digest(given, self.storefront.encode())
        is_operator = hmac.compare_digest(given, self.operator.encode())
        return "operator" if is_operator else "storefront" if is_storefront else None


class HubKey:
    """The hub's Ed25519 key: nodes believe acks and desired states that it has signed."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @property
    def verify_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, text: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._private.sign(text)

    @cached_property
    def vault(self) -> Vault:
        """What seals the secrets that lie in the database."""
        return Vault(self._private.private_bytes_raw())


def load_tokens(data_dir: Path) -> Tokens:
    """Read storefront.token and operator.token, or make them. Raises PermissionRefused."""

    def new() -> bytes:
        return secrets.token_urlsafe(_TOKEN_BYTES).encode() + b"\n"

    storefront, operator = (
        secret_file(data_dir / f"{role}.token", new).decode("ascii", errors="replace").strip()
        for role in ("storefront", "operator")
    )
    if not storefront or not operator:
        raise IntegrityBroken(
            f"a token file in {data_dir} is empty", hint="delete it; the next start makes a new token"
        )
    return Tokens(storefront, operator)


def load_hub_key(data_dir: Path) -> HubKey:
    """Read hub.key (PKCS #8, PEM), or make it. Raises PermissionRefused, IntegrityBroken."""
    path = data_dir / "hub.key"
    text = secret_file(
        path,
        lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    try:
        private = load_pem_private_key(text, password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityBroken(f"{path} is not a private key", hint="restore it from a backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise IntegrityBroken(f"{path} is not an Ed25519 key", hint="restore it from a backup")
    return HubKey(private)


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a secret, made if it is not there. Raises PermissionRefused if others can read it."""
    if not path.exists():
        _write_new(path, make())
    if path.stat().st_mode & 0o077:
        raise PermissionRefused(f"{path} can be read by others", hint=f"chmod 600 {path}")
    return path.read_bytes()


def _write_new(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; of two processes that try at once, the first wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
