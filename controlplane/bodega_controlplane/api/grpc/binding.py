"""Gives the gRPC server its address: plain on loopback, TLS wherever a certificate is configured."""

from __future__ import annotations

from pathlib import Path

import grpc

from bodega.errors import AddressInUse, ConfigInvalid, FieldFault


def bind(
    server: grpc.aio.Server, address: str, tls: tuple[Path, Path] | None, *, clients: bytes | None = None
) -> int:
    """Bind to "host:port" (port 0: the system chooses) and answer the port.

    `tls` is certificate and key, PEM. `clients`: the authority (PEM) whose certificate every client must show.
    Raises ConfigInvalid for files that cannot be read, AddressInUse.
    """
    try:
        port = (
            server.add_secure_port(address, _credentials(*tls, clients))
            if tls
            else server.add_insecure_port(address)
        )
    except RuntimeError as error:
        raise AddressInUse(
            f"cannot listen on {address} for gRPC", hint="stop whatever listens there, or set [grpc] port"
        ) from error
    return int(port)


def _credentials(certificate: Path, key: Path, clients: bytes | None) -> grpc.ServerCredentials:
    try:
        own = [(key.read_bytes(), certificate.read_bytes())]
        return grpc.ssl_server_credentials(own, clients, require_client_auth=clients is not None)
    except OSError as error:
        fault = FieldFault("grpc.tls_cert", f"cannot be read: {error}")
        raise ConfigInvalid("the TLS files cannot be used", faults=(fault,)) from error
