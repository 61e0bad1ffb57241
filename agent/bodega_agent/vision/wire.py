"""How the agent and its vision worker frame their messages on a pipe. PURE: bytes in, bytes out.

A message is four bytes of length, big-endian, then that many bytes of a JSON object in UTF-8:
`{"kind": KIND, "body": {...}}`. The length is bounded before a byte of it is kept. After a bad length or
broken JSON nothing later in the stream can be trusted, so the reader raises PeerFault and gives the pipe up.

| kind       | from -> to      | body                       |
|------------|-----------------|----------------------------|
| `start`    | agent -> worker | WorkerSpec                 |
| `inspect`  | agent -> worker | InspectRequest             |
| `snapshot` | agent -> worker | SnapshotRequest            |
| `ready`    | worker -> agent | Ready                      |
| `verdict`  | worker -> agent | Verdict                    |
| `snapshot` | worker -> agent | Snapshot                   |
| `sighting` | worker -> agent | Sighting, unasked          |
| `camera`   | worker -> agent | CameraNews, unasked        |
"""

from __future__ import annotations

import json
from typing import Any

from bodega.errors import PeerFault
from bodega.limits import VISION_MESSAGE_BYTES_MAX

PREFIX_BYTES = 4


def encode(kind: str, body: dict[str, Any]) -> bytes:
    """One message as bytes. Raises PeerFault when it would be larger than the other end reads."""
    content = json.dumps({"kind": kind, "body": body}, separators=(",", ":"), allow_nan=False).encode()
    if len(content) > VISION_MESSAGE_BYTES_MAX:
        raise PeerFault(f"vision message {kind}: {len(content)} bytes, more than {VISION_MESSAGE_BYTES_MAX}")
    return len(content).to_bytes(PREFIX_BYTES, "big") + content


def content_length(prefix: bytes) -> int:
    """How many bytes follow a prefix. Raises PeerFault when they are more than a message may have."""
    length = int.from_bytes(prefix, "big")
    if not 0 < length <= VISION_MESSAGE_BYTES_MAX:
        raise PeerFault(
            f"vision message: a length of {length} bytes, not within 1 to {VISION_MESSAGE_BYTES_MAX}"
        )
    return length


def decode(content: bytes) -> tuple[str, object]:
    """Kind and body of one message's content. Raises PeerFault when it is not such a message."""
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as fault:
        raise PeerFault(f"vision message: not JSON: {fault}") from fault
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
        raise PeerFault(f"vision message: no kind in {content[:80]!r}")
    return message["kind"], message.get("body")
