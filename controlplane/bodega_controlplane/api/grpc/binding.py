"""Gives the gRPC server its address: plain on loopback, TLS wherever a certificate is configured."""

from __future__ import annotations

from pathlib import Path

import grpc

from bodega.errors import AddressInUse, ConfigInvalid, FieldFault


def bind(server: grpc.aio.Server, address: str, tls: tuple[Path, Path] | None) -> int:
    """Bind to "host:port" (port 0: the system chooses) and answer the port.

    `tls` is certificate and key, PEM. Raises ConfigInvalid for files that cannot be read, AddressInUse.
    """
    try:
        port = (
            server.add_secure_port(address, _credentials(*tls)) if tls else server.add_insecure_port(address)
        )
    except RuntimeError as error:
        raise AddressInUse(
            f"cannot listen on {address} for gRPC", hint="stop whatever listens there, or set [grpc] port"
        ) from error
    return int(port)


def _credentials(certificate: Path, key: Path) -> grpc.ServerCredentials:
    try:
        return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    except OSError as error:
        fault = FieldFault("grpc.tls_cert", f"cannot be read: {error}")
        raise ConfigInvalid("the TLS files cannot be used", faults=(fault,)) from error
