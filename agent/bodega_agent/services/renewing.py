"""The node's client certificate, renewed by itself: asked of the hub over the broker, long before the old one ends.

Key and certificate lie in one file of mode 0600, replaced whole, so they always fit each other. Each renewal makes a
new key. While the hub is out of reach the old one stays in use, and nothing of the work at the node depends on it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bodega.errors import BodegaError, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import RPC_DEFAULT_S
from bodega.v1 import renewal_pb2 as pb
from bodega_agent.identity import Certificate, NewKey
from bodega_agent.store.files import put_in_place

log = get_logger(__name__)


class RenewingService:
    """Keeps `path` (PEM: key, certificate) fresh. `now_s`: seconds since 1970. `channel`: `HubLink.channel`."""

    def __init__(
        self, node_id: str, path: Path, channel: Callable[[], Any], *, now_s: Callable[[], float]
    ) -> None:
        self._node_id = node_id
        self._path = path
        self._channel = channel
        self._now_s = now_s
        self._said = ""

    @property
    def ends_s(self) -> float | None:
        """When the certificate ends, seconds since 1970; None without one."""
        held = self._held()
        return held.ends_s if held else None

    async def renew_if_due(self) -> bool:
        """By the schedule: renew after two thirds of its life, and when there is none. Never raises."""
        held = await asyncio.to_thread(self._held)
        if held is not None and not held.is_due(self._now_s()):
            return False
        try:
            await self.renew()
        except Unavailable as error:
            log.debug("certificate_waits", reason=error.message)
            return False
        except (BodegaError, OSError) as error:
            self._say(str(error))
            return False
        self._said = ""
        return True

    async def renew(self) -> None:
        """Ask for a certificate now. Raises what the hub raises, PeerFault for one that is not ours, OSError."""
        # Imported here, as the channel is made late: gRPC is paid for by who calls.
        from bodega.broker.rpc_asking import ask  # noqa: PLC0415 - see the sentence above
        from bodega.v1.renewal_pb2_grpc import RenewalServiceStub  # noqa: PLC0415 - see the sentence above

        key = NewKey()
        stub = RenewalServiceStub(self._channel())
        request = pb.RenewCertificateRequest(csr=key.request(self._node_id))
        answer = await ask(stub.RenewCertificate, request, timeout_s=RPC_DEFAULT_S)
        fault = key.fault_in(answer.certificate, answer.authority, self._node_id)
        if fault:
            raise PeerFault(
                f"the hub's certificate cannot be used: {fault}", hint="tell whoever runs the hub"
            )
        await asyncio.to_thread(_write_private, self._path, key.pem + answer.certificate)
        log.info("certificate_renewed", ends_s=Certificate(answer.certificate).ends_s)

    def _held(self) -> Certificate | None:
        try:
            return Certificate(self._path.read_bytes())
        except (OSError, ValueError):
            return None  # none yet, or one that cannot be read: a new one is made

    def _say(self, reason: str) -> None:
        """Once for each reason."""
        if reason != self._said:
            self._said = reason
            log.warning("certificate_not_renewed", reason=reason)


def _write_private(path: Path, content: bytes) -> None:
    """Replace the file whole; from its first byte on only its owner can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    put_in_place(draft, path)
