"""One HTTP request over a wire: what IPP needs of HTTP/1.1, bounded in size; the caller bounds the time."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import PeerFault
from bodega.limits import IPP_ANSWER_BYTES_MAX
from bodega_adapters.printers.line import Line
from bodega_adapters.wires.wire import Wire

_CONTINUE = 100


@dataclass(frozen=True, slots=True)
class Response:
    """Status and body."""

    status: int
    body: bytes


async def post(wire: Wire, host: str, path: str, media_type: str, body: bytes) -> Response:
    """Send a request and read its answer. Raises OSError, and `PeerFault` for what is not HTTP."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    await wire.write(head.encode("ascii") + body)
    return await read_response(Line(wire))


async def read_response(line: Line) -> Response:
    """An answer with a length or in chunks."""
    while True:
        status, fields = _head(await line.until(b"\r\n\r\n"))
        if status != _CONTINUE:
            break
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return Response(status, await _chunks(line))
    size = _size(fields.get("content-length", "0"), 10)
    return Response(status, await line.exactly(size))


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/1.") or not status[:3].isdigit():
        raise PeerFault(f"not an HTTP answer: {first[:60]!r}", hint="check the printer's port")
    pairs = (each.partition(":") for each in rest if each)
    return int(status[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _chunks(line: Line) -> bytes:
    body = b""
    while size := _size((await line.until(b"\r\n")).split(b";")[0].decode("latin-1").strip(), 16):
        body += await line.exactly(size)
        await line.until(b"\r\n")
        if len(body) > IPP_ANSWER_BYTES_MAX:
            raise PeerFault(f"an answer of more than {IPP_ANSWER_BYTES_MAX} bytes")
    return body


def _size(text: str, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if not 0 <= size <= IPP_ANSWER_BYTES_MAX:
        raise PeerFault(f"an answer of {text[:20]!r} bytes is not between 0 and {IPP_ANSWER_BYTES_MAX}")
    return size
