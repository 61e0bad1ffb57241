"""Network cameras over RTSP, always over TCP: a lost datagram is a smeared barcode.

The address with its credentials goes to ffmpeg and nowhere else: not into errors, logs or frames, where a camera is
`rtsp://HOST:PORT` (makers put passwords into paths and queries too).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import (
    CAMERA_CONNECT_S,
    CAMERA_FROZEN_S,
    CAMERA_PROBE_S,
    CAMERA_READ_S,
    RTSP_STATUS_BYTES_MAX,
    SECRET_BYTES_MAX,
)
from bodega_adapters.cameras.flow import Capture
from bodega_adapters.cameras.live import LiveCamera, quiet_cv2
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.ports import Recognition

_SCHEMES = {"rtsp": 554, "rtsps": 322}


class RtspCamera(LiveCamera):
    """A `Camera` on the network.

    Options: `url`, which may carry user and password; better, `user` and `password_file`, whose first line is the
    password; `read_s`, within which a frame must come; `frozen_s`, see `Flow`.
    """

    recognises = Recognition(address="rtsp HOST:554")

    def __init__(
        self,
        name: str,
        url: str,
        *,
        user: str = "",
        password_file: str = "",
        read_s: float = CAMERA_READ_S,
        frozen_s: float = CAMERA_FROZEN_S,
        clock: Callable[[], int] = wall_clock_ms,
    ) -> None:
        parts = _split(name, url)
        self._parts = parts
        self._user = user
        self._password_file = Path(password_file) if password_file else None
        super().__init__(
            name,
            place=shown(parts),
            opener=self._open_stream,
            wanted={},
            read_s=read_s,
            frozen_s=frozen_s,
            clock=clock,
        )

    def _open_stream(self) -> Capture:
        cv2 = quiet_cv2()
        bounds = {
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: CAMERA_CONNECT_S,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC: self._read_s,
        }
        flat = [number for setting, seconds in bounds.items() for number in (setting, round(seconds * 1000))]
        capture: Capture = cv2.VideoCapture(self._address(), cv2.CAP_FFMPEG, flat)
        if not capture.isOpened():  # type: ignore[attr-defined]  # OpenCV's own
            raise why_not(self._parts)
        return capture

    def _address(self) -> str:
        """With credentials. For ffmpeg only."""
        user = self._user or unquote(self._parts.username or "")
        password = unquote(self._parts.password or "")
        if self._password_file is not None:
            password = _first_line(self._password_file)
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return self._parts._replace(netloc=f"{login}{_host_and_port(self._parts)}").geturl()


def shown(parts: SplitResult) -> str:
    """The address as people may see it: scheme, host and port."""
    return f"{parts.scheme}://{_host_and_port(parts)}"


def why_not(parts: SplitResult) -> Unavailable:
    """Ask the camera itself, without credentials, why a stream could not be opened: ffmpeg does not say."""
    host, port = parts.hostname or "", parts.port or _SCHEMES[parts.scheme]
    if parts.scheme != "rtsp":
        return Unavailable("the stream does not open", hint="check address and credentials")
    ask = f"DESCRIBE {parts._replace(netloc=_host_and_port(parts)).geturl()} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=CAMERA_PROBE_S) as connection:
            connection.sendall(ask.encode())
            status = connection.recv(RTSP_STATUS_BYTES_MAX).partition(b"\r\n")[0].split(b" ")
    except OSError as error:
        return Unavailable(
            f"can not be reached: {error.strerror or 'it does not answer'}",
            hint="check its power and address",
        )
    code = status[1].decode("ascii", "replace") if len(status) > 1 else ""
    if code == "401":
        return Unavailable("it refuses this user and password", hint="correct user and password_file")
    if code == "404":
        return Unavailable("it has no such stream", hint="correct the path in url; its manual names it")
    return Unavailable("the stream does not open", hint="try the address in a player, such as ffplay")


def _split(name: str, url: str) -> SplitResult:
    """Raises `InvalidInput` that shows nothing of the address."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput(f"camera {name}: its url is not an address", hint="rtsp://HOST:554/PATH")
    return parts


def _host_and_port(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or _SCHEMES[parts.scheme]}"


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_BYTES_MAX).partition(b"\n")[0].strip().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            f"can not read {path}", hint="it must be there, for the agent's user, in UTF-8"
        ) from error
