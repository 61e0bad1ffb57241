"""The hub's certificate authority: signs client certificates of nodes, and nothing else.

Its key is a file of mode 0600 in the data folder, made at first start. A certificate names one node, lasts
CERTIFICATE_LASTS_S and is good for being a TLS client only (RFC 5280, 4.2.1.12). P-256, because every TLS library on
the way knows it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bodega.errors import IntegrityBroken, InvalidInput, PermissionRefused
from bodega.limits import CERTIFICATE_CLOCK_SKEW_S, CERTIFICATE_LASTS_S, CSR_BYTES_MAX
from bodega_controlplane.keys import secret_file

_AUTHORITY_LASTS = timedelta(days=3650)
_SKEW = timedelta(seconds=CERTIFICATE_CLOCK_SKEW_S)
_NAME = "Bodega hub"


class Authority:
    """`certificate`: its own, PEM, which a broker or a gRPC server is told to trust."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._own = certificate

    @property
    def certificate(self) -> bytes:
        """PEM."""
        return self._own.public_bytes(Encoding.PEM)

    def sign(self, node_id: str, csr: bytes, now_ms: int) -> bytes:
        """A client certificate (PEM) for exactly this node, with the key of the request (PKCS #10, DER).

        Raises InvalidInput for what is no request, PermissionRefused if it names anybody else.
        """
        request = _request(csr)
        names = [attribute.value for attribute in request.subject]
        if names not in ([], [node_id]):
            raise PermissionRefused(
                f"node {node_id} asks for a certificate of {names}",
                hint="leave the subject of the request empty",
            )
        key = request.public_key()
        if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
            raise InvalidInput("the key of the request is not on P-256", hint="make an EC key on P-256")
        begins = datetime.fromtimestamp(now_ms / 1000, UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(node_id))
            .issuer_name(self._own.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins - _SKEW)
            .not_valid_after(begins + timedelta(seconds=CERTIFICATE_LASTS_S))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(node_id)]), critical=False)
            .sign(self._key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def load_authority(data_dir: Path, now_ms: int) -> Authority:
    """Read ca.key and ca.pem, or make them. Raises PermissionRefused, IntegrityBroken."""
    path = data_dir / "ca.key"
    text = secret_file(
        path,
        lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    )
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityBroken(f"{path} is not a private key", hint="restore it from a backup") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IntegrityBroken(f"{path} is not an EC key", hint="restore it from a backup")
    own = secret_file(data_dir / "ca.pem", lambda: _self_signed(key, now_ms).public_bytes(Encoding.PEM))
    certificate = x509.load_pem_x509_certificate(own)
    if certificate.public_key() != key.public_key():
        raise IntegrityBroken(
            f"{data_dir / 'ca.pem'} is not the certificate of {path}", hint="restore both from a backup"
        )
    return Authority(key, certificate)


def _self_signed(key: ec.EllipticCurvePrivateKey, now_ms: int) -> x509.Certificate:
    begins = datetime.fromtimestamp(now_ms / 1000, UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_named(_NAME))
        .issuer_name(_named(_NAME))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _SKEW)
        .not_valid_after(begins + _AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _request(csr: bytes) -> x509.CertificateSigningRequest:
    if len(csr) > CSR_BYTES_MAX:
        raise InvalidInput(f"the certificate request has {len(csr)} bytes, {CSR_BYTES_MAX} is the most")
    try:
        request = x509.load_der_x509_csr(csr)
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise InvalidInput("that is no certificate request (PKCS #10, DER)") from error
    if not valid:
        raise InvalidInput("the certificate request is not signed with its own key")
    return request
