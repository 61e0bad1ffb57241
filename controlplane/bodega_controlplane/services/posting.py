"""Calls the endpoints of webhooks: the control plane's one HTTP client.

The name of the host is resolved here, the first address that comes of it is checked (`rules.reach`), and the call goes
to the address that was checked, so no second look at the name can lead elsewhere. The certificate is checked against
the name all the same. No redirect is followed, no proxy of the environment is used, and of what comes back only the
status and Retry-After matter.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path

import httpx

import bodega
from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits_events import WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_ANSWER_S
from bodega_controlplane.app.telling.delivering import Said
from bodega_controlplane.app.telling.urls import problem_of_url, split
from bodega_controlplane.rules.reach import Address, Reach, literal

log = get_logger(__name__)

_AGENT = f"Bodega/{bodega.__version__} (webhooks)"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a call goes: the URL with its address in place of the name, and the name."""

    url: str
    host: str
    name: str


class Poster:
    """`ca_file`: certificates to trust beside those of the system."""

    def __init__(self, reach: Reach, ca_file: Path | None = None) -> None:
        self._reach = reach
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)

    @asynccontextmanager
    async def line_to(self, url: str) -> AsyncIterator[Line]:
        """A line to one endpoint, for several calls. Raises Unavailable where it may not or can not be called."""
        try:
            async with asyncio.timeout(WEBHOOK_ANSWER_S):
                place = await self._look_up(url)
        except (OSError, UnicodeError) as error:
            raise Unavailable("the name of the host leads nowhere") from error
        # A client of its own: a pool would take two names of one address for the same peer.
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=WEBHOOK_ANSWER_S) as client:
            yield Line(client, place)

    async def _look_up(self, url: str) -> _Place:
        problem, parts = problem_of_url(url, self._reach), split(url)
        if problem or parts is None or parts.hostname is None:
            raise Unavailable(f"the URL {problem}")
        name, port = parts.hostname, parts.port or _PORTS[parts.scheme]
        address = literal(name) or await _resolve(name, port)
        refused = self._reach.problem_of(address)
        if refused or (parts.scheme == "http" and not self._reach.is_named(address)):
            # Only the log says more: who owns the endpoint must learn nothing of the network in here.
            log.warning(
                "webhook_not_called", host=name, reason=refused or "http, and not in a network that is named"
            )
            raise Unavailable("the name of the host leads to an address that may not be called")
        host = f"[{address}]" if address.version == 6 else str(address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return _Place(f"{parts.scheme}://{host}:{port}{path}", parts.netloc, name)


async def _resolve(name: str, port: int) -> Address:
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return ip_address(found[0][4][0])


class Line:
    """Calls of one endpoint, one after the other."""

    def __init__(self, client: httpx.AsyncClient, place: _Place) -> None:
        self._client = client
        self._place = place

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Said:
        """One call; its answer is waited for WEBHOOK_ANSWER_S in all. Raises Unavailable if there is none."""
        place = self._place
        more = {"Host": place.host, "User-Agent": _AGENT, "Content-Type": "application/json", **headers}
        try:
            async with asyncio.timeout(WEBHOOK_ANSWER_S):
                async with self._client.stream(
                    "POST", place.url, content=body, headers=more, extensions={"sni_hostname": place.name}
                ) as response:
                    await _read_a_little(response)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {WEBHOOK_ANSWER_S:.0f} s") from error
        except (httpx.HTTPError, OSError, ssl.SSLError) as error:
            raise Unavailable(_sentence(error)) from error
        return Said(response.status_code, _asked_s(response.headers.get("retry-after", "")))


async def _read_a_little(response: httpx.Response) -> None:
    """A short answer is read to its end, so that the connection can be used again; a long one is cut off."""
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > WEBHOOK_ANSWER_BYTES_MAX:
            return


def _sentence(error: Exception) -> str:
    """What kept a call from being answered, without addresses."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate can not be trusted"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "it can not be reached"
    if isinstance(error, httpx.RemoteProtocolError):
        return "it did not answer in HTTP"
    return "the connection broke"


def _asked_s(text: str) -> float:
    """Retry-After (RFC 9110, 10.2.3): seconds, or a date; 0 for anything else."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        wait_s = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0
    return max(0.0, wait_s) if math.isfinite(wait_s) else 0
