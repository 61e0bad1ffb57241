"""Whom this node believes (the hub's public key, pinned in its configuration), and how it shows who it is.

Only what is used is here. The cryptography library is loaded by this module and by no other of the agent.
"""

from __future__ import annotations

from datetime import UTC
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodega.errors import InvalidInput
from bodega.limits import CERTIFICATE_RENEWED_RATIO

# Key and certificate in one file, so that they always fit each other.
CERTIFICATE_FILE = Path("identity") / "client.pem"

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


class Certificate:
    """The first certificate of a PEM text; raises ValueError if there is none."""

    def __init__(self, pem: bytes) -> None:
        from cryptography import x509  # noqa: PLC0415 - loaded only by nodes that have a certificate

        self._read = x509.load_pem_x509_certificate(pem[pem.find(b"-----BEGIN CERTIFICATE") :])

    @property
    def ends_s(self) -> float:
        """When it ends, seconds since 1970."""
        return self._read.not_valid_after_utc.astimezone(UTC).timestamp()

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to renew: two thirds of its life have passed, or the clock says that it has not begun."""
        begins_s = self._read.not_valid_before_utc.astimezone(UTC).timestamp()
        return not begins_s <= now_s < begins_s + (self.ends_s - begins_s) * CERTIFICATE_RENEWED_RATIO


class NewKey:
    """A fresh key on P-256, and the certificate that the hub gives for it."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see Certificate

        self._key = ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def pem(self) -> bytes:
        """The private key, PKCS #8."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see Certificate

        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def request(self, node_id: str) -> bytes:
        """A request for a certificate of this node (PKCS #10, DER)."""
        from cryptography import x509  # noqa: PLC0415 - see Certificate
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - see Certificate

        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, node_id)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        return request.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def fault_in(self, certificate: bytes, authority: bytes, node_id: str) -> str:
        """Why this certificate (PEM) is not the one that was asked for; empty if it is."""
        from cryptography import x509  # noqa: PLC0415 - see Certificate

        try:
            read, issuer = map(x509.load_pem_x509_certificate, (certificate, authority))
            read.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            return f"it is not signed by the authority that came with it ({type(error).__name__})"
        if read.public_key() != self._key.public_key():
            return "it is for another key"
        names = [attribute.value for attribute in read.subject]
        return "" if names == [node_id] else f"it names {names}"
