"""A network camera on a TCP port of this machine: RTSP (RFC 2326), motion JPEG in the same connection, Digest log-in.

A script may change the picture, freeze and thaw it, send garbage, drop its viewers, go away and come back, and ask for
a password. It answers as much of RTSP as a viewer over TCP needs.
"""

from __future__ import annotations

import hashlib
import io
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from bodega_adapters.framing.rtp_jpeg import CLOCK_HZ, PAYLOAD_JPEG, Jpeg, packets, parse_jpeg

_BLOCK_PX = 16
_QUALITY = 95
_REALM, _NONCE = "simulated", "5c1e"
_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=simulated\r\nt=0 0\r\na=control:*\r\n"
    f"m=video 0 RTP/AVP {PAYLOAD_JPEG}\r\nc=IN IP4 0.0.0.0\r\na=control:track1\r\n"
)
_AUTHORIZATION = re.compile(r'(\w+)="([^"]*)"')


class SimulatedRtspCamera:
    """Listens from the start; `url` names its stream, without credentials."""

    def __init__(self, *, user: str = "", password: str = "", frames_per_s: float = 25.0) -> None:
        self._login = (user, password) if user else None
        self._period_s = 1 / frames_per_s
        self._picture: tuple[Jpeg, int, int] | None = None
        self._flows = threading.Event()
        self._flows.set()
        self._answers = True
        self._garbage = False
        self._viewers: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        # What viewers asked, and how many pictures all of them got.
        self.requests: list[str] = []
        self.pictures_sent = 0
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """Where it is watched."""
        return f"rtsp://127.0.0.1:{self._port}/stream"

    def show(self, image_bytes: bytes) -> None:
        """What it sees from now on: an encoded picture, its sides filled up to multiples of 16 pixels."""
        from PIL import Image  # noqa: PLC0415  # only who simulates a camera pays for it

        image = Image.open(io.BytesIO(image_bytes)).convert("RGB")
        width, height = (-(-side // _BLOCK_PX) * _BLOCK_PX for side in image.size)
        canvas = image.resize((width, height)) if (width, height) != image.size else image
        encoded = io.BytesIO()
        canvas.save(encoded, "JPEG", quality=_QUALITY, subsampling="4:2:0")
        self._garbage = False
        self._picture = (parse_jpeg(encoded.getvalue()), width, height)
        self._flows.set()

    def freeze(self) -> None:
        """Send nothing more, and keep every connection."""
        self._flows.clear()

    def thaw(self) -> None:
        """Go on."""
        self._flows.set()

    def hang(self, *, hangs: bool = True) -> None:
        """Take connections and answer nothing."""
        self._answers = not hangs

    def send_garbage(self) -> None:
        """Send bytes that are no RTP, to everyone who watches now or later."""
        self._garbage = True

    def drop(self) -> None:
        """Cut every viewer off; who comes again is served."""
        for viewer in list(self._viewers):
            _shut(viewer)

    def start(self) -> None:
        """Listen, on the port of before."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port), reuse_port=False)
            self._port = self._listener.getsockname()[1]
            _in_background(self._accept, self._listener)

    def stop(self) -> None:
        """Go away: no viewer and no listener is left."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _shut(listener)
        self.drop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                viewer, _ = listener.accept()
            except OSError:
                return
            self._viewers.add(viewer)
            _in_background(self._serve, viewer)

    def _serve(self, viewer: socket.socket) -> None:
        writing = threading.Lock()
        try:
            with viewer, viewer.makefile("rb") as lines:
                while request := _request(lines):
                    self.requests.append(request[0])
                    if not self._answers:
                        continue
                    reply = self._reply(*request)
                    with writing:
                        viewer.sendall(reply.encode())
                    if request[0].startswith("PLAY") and " 200 " in reply:
                        _in_background(self._play, viewer, writing)
        except OSError:
            return
        finally:
            self._viewers.discard(viewer)

    def _reply(self, first_line: str, headers: dict[str, str]) -> str:
        method, _, _ = first_line.partition(" ")
        status, more, body = "200 OK", {}, ""
        if method != "OPTIONS" and not self._may_enter(method, headers.get("authorization", "")):
            status, more = (
                "401 Unauthorized",
                {"WWW-Authenticate": f'Digest realm="{_REALM}", nonce="{_NONCE}"'},
            )
        elif method == "OPTIONS":
            more = {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"}
        elif method == "DESCRIBE":
            more, body = {"Content-Type": "application/sdp"}, _SDP
        elif method == "SETUP":
            more = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": "1"}
        elif method == "PLAY":
            more = {"Session": "1"}
        fields = {"CSeq": headers.get("cseq", "0"), **more}
        if body:
            fields["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"RTSP/1.0 {status}\r\n{head}\r\n{body}"

    def _may_enter(self, method: str, authorization: str) -> bool:
        if self._login is None:
            return True
        user, password = self._login
        said = dict(_AUTHORIZATION.findall(authorization))
        secret = _md5(f"{user}:{_REALM}:{password}")
        asked = _md5(f"{method}:{said.get('uri', '')}")
        proof = _md5(f"{secret}:{_NONCE}:{asked}")
        return said.get("username") == user and said.get("response") == proof

    def _play(self, viewer: socket.socket, writing: threading.Lock) -> None:
        sequence, began_s = 0, time.monotonic()
        while viewer in self._viewers:
            self._flows.wait()
            try:
                with writing:
                    sequence += self._send_picture(viewer, sequence, time.monotonic() - began_s)
            except OSError:
                return
            time.sleep(self._period_s)

    def _send_picture(self, viewer: socket.socket, sequence: int, at_s: float) -> int:
        """How many packets that took."""
        if self._garbage:
            viewer.sendall(b"\xff\x00garbage" * 100)
            return 0
        if self._picture is None:
            return 0
        sent = list(packets(*self._picture, sequence=sequence, timestamp=int(at_s * CLOCK_HZ)))
        viewer.sendall(b"".join(b"$\x00" + len(packet).to_bytes(2, "big") + packet for packet in sent))
        self.pictures_sent += 1
        return len(sent)


def _request(lines: Any) -> tuple[str, dict[str, str]] | None:
    """First line and headers of the next request; None at the end. RTCP of the viewer is skipped."""
    while (first := lines.read(1)) == b"$":
        lines.read(int.from_bytes(lines.read(3)[1:], "big"))
    if not first:
        return None
    first_line = (first + lines.readline()).decode("latin-1").strip()
    headers = {}
    while line := lines.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return first_line, headers


def _md5(text: str) -> str:
    # RFC 2617 names it; a camera from a shelf speaks it.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # Whoever was on the other end has gone first.
        pass
    finally:
        connection.close()


def _in_background(work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()
