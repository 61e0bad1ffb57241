"""The RTSP driver against gst-rtsp-server: plays, freezes and thaws, is dropped and comes back, wants a password.

`make test-rtsp`. Not part of `make test`: Debian's server brings half a gigabyte of codecs and desktop libraries
(python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good, -bad, -ugly).
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from bodega.errors import Unavailable
from bodega_adapters.cameras.rtsp import RtspCamera

SERVER = Path(__file__).with_name("gst_rtsp_server.py")
DEBIANS_PYTHON = "/usr/bin/python3"
USER, PASSWORD = "tech", "p@ss:w/rd"
# Of a read or an opening, with its own bound well below; only a hang takes longer.
BOUND_S = 15.0


class Server:
    """One server process at a time, on one port."""

    def __init__(self, *login: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._login = login
        self.start()

    def start(self) -> None:
        command = [DEBIANS_PYTHON, str(SERVER), str(self.port), *self._login]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def camera(server):
    camera = RtspCamera("bench", f"rtsp://127.0.0.1:{server.port}/cam", read_s=1.0)
    yield camera
    camera.close()


def lost_after_s(camera: RtspCamera) -> float:
    """Read until it is unavailable, and say how long that took."""
    began_s = time.monotonic()

    def read_on() -> None:
        while time.monotonic() < began_s + 2 * BOUND_S:
            camera.read()

    with pytest.raises(Unavailable) as problem:
        read_on()
    assert problem.value.hint
    return time.monotonic() - began_s


def test_it_plays_and_its_pictures_move(camera):
    camera.open()
    first, second = camera.read(), camera.read()
    assert first.pixels.shape == (480, 640, 3)
    assert first.digest != second.digest


def test_frozen_it_is_lost_in_time_and_after_the_thaw_it_opens_anew(server, camera):
    camera.open()
    server.send(signal.SIGSTOP)
    assert lost_after_s(camera) < BOUND_S
    with pytest.raises(Unavailable):
        camera.open()
    server.send(signal.SIGCONT)
    camera.open()
    assert camera.read().pixels.size


def test_dropped_it_is_lost_in_time_and_opens_when_the_server_is_back(server, camera):
    camera.open()
    server.stop()
    assert lost_after_s(camera) < BOUND_S
    with pytest.raises(Unavailable, match="can not be reached"):
        camera.open()
    server.start()
    camera.open()
    assert camera.read().pixels.size


def test_it_enters_with_its_password_and_with_no_other(tmp_path):
    server = Server(USER, PASSWORD)
    secret = tmp_path / "password"
    try:
        for said, enters in ((PASSWORD, True), ("wrong", False)):
            secret.write_text(said)
            url = f"rtsp://127.0.0.1:{server.port}/cam"
            camera = RtspCamera("bench", url, user=USER, password_file=str(secret))
            if enters:
                camera.open()
                assert camera.read().source == f"rtsp://127.0.0.1:{server.port}"
            else:
                with pytest.raises(Unavailable, match="refuses this user and password"):
                    camera.open()
            camera.close()
    finally:
        server.stop()


def test_a_path_that_is_none_is_named(server):
    camera = RtspCamera("bench", f"rtsp://127.0.0.1:{server.port}/none")
    with pytest.raises(Unavailable, match="no such stream"):
        camera.open()
