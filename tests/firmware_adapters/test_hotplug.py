"""A device that is plugged in wakes who waits for it: by the kernel's word, or by a look where that is not heard."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega_adapters import hotplug
from bodega_adapters.hotplug import Hotplug, Source, open_netlink
from support.devices import eventually

TTY = b"add@/x\0ACTION=add\0SUBSYSTEM=tty\0DEVNAME=ttyACM0\0"


class Kernel:
    """What stands for the kernel on the other end of the socket."""

    def __init__(self) -> None:
        self.asked: list[Source] = []
        self._mine: socket.socket | None = None

    def open(self, source: Source) -> socket.socket:
        self.asked.append(source)
        self._mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        theirs.setblocking(False)  # noqa: FBT003  socket's own signature
        return theirs

    def say(self, message: bytes) -> None:
        assert self._mine is not None
        self._mine.send(message)

    def close(self) -> None:
        if self._mine is not None:
            self._mine.close()


@asynccontextmanager
async def watching(**options: object) -> AsyncIterator[tuple[Hotplug, list[int]]]:
    came: list[int] = []
    watch = Hotplug(lambda: came.append(1), **options)
    task = asyncio.create_task(watch.run())
    try:
        yield watch, came
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


async def test_a_device_that_comes_is_told_at_once_and_other_news_are_not(kernel, tmp_path):
    with capture_logs() as logs:
        async with watching(opener=kernel.open, udev_control=tmp_path / "none") as (watch, came):
            await eventually(lambda: watch.source == "kernel")
            for other in (
                b"",
                b"garbage",
                TTY.replace(b"add", b"remove"),
                TTY.replace(b"=tty\0", b"=block\0"),
            ):
                kernel.say(other)
            kernel.say(TTY)
            await eventually(lambda: came)
    kernel.close()
    # In the order in which they came: nothing before it was one of ours.
    assert [(line["event"], line["subsystem"]) for line in logs] == [("device_arrived", "tty")]


async def test_a_storm_of_news_is_told_at_once_and_once_more_when_it_is_over(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(hotplug, "HOTPLUG_SETTLE_S", 0.1)
    async with watching(opener=kernel.open, udev_control=tmp_path / "none") as (watch, came):
        await eventually(lambda: watch.source == "kernel")
        for _ in range(50):
            kernel.say(TTY)
        await eventually(lambda: len(came) == 2)
        await eventually(lambda: watch._settling is None)
        assert len(came) == 2
    kernel.close()


async def test_udev_is_heard_where_it_runs_because_then_names_and_modes_are_there(kernel, tmp_path):
    (tmp_path / "control").touch()
    async with watching(opener=kernel.open, udev_control=tmp_path / "control") as (watch, _came):
        await eventually(lambda: watch.source == "udev")
    assert kernel.asked == ["udev"]
    kernel.close()


async def test_news_that_were_lost_count_as_a_device_that_came(tmp_path, monkeypatch, kernel):
    async with watching(opener=kernel.open, udev_control=tmp_path / "none") as (watch, came):
        await eventually(lambda: watch.source == "kernel")
        loop, real, failed = asyncio.get_running_loop(), asyncio.get_running_loop().sock_recv, []

        async def full(heard: socket.socket, size: int) -> bytes:
            if not failed:
                failed.append(1)
                raise OSError(errno.ENOBUFS, "no buffer space")
            return await real(heard, size)

        monkeypatch.setattr(loop, "sock_recv", full)
        kernel.say(b"wake up")
        await eventually(lambda: came)
    assert came
    kernel.close()


async def test_a_socket_that_fails_is_opened_again(tmp_path, monkeypatch):
    monkeypatch.setattr(hotplug, "HOTPLUG_RETRY_S", 0.0)
    opened: list[socket.socket] = []

    def opener(_source: Source) -> socket.socket:
        # A stream that is not connected: it can be opened, and every read of it fails.
        opened.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        opened[-1].setblocking(False)  # noqa: FBT003  socket's own signature
        return opened[-1]

    with capture_logs() as logs:
        async with watching(opener=opener, udev_control=tmp_path / "none") as (_watch, came):
            await eventually(lambda: len(opened) >= 3)
    assert came
    assert {line["event"] for line in logs} == {"hotplug_lost"}


@asynccontextmanager
async def polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: object
) -> AsyncIterator[list[int]]:
    def refuse(_source: Source) -> socket.socket:
        raise PermissionError(errno.EPERM, "not here")

    looked: list[int] = []
    look = Hotplug._look

    def counted(self: Hotplug) -> set[str]:
        found = look(self)
        looked.append(1)
        return found

    monkeypatch.setattr(hotplug, "HOTPLUG_POLL_S", 0.01)
    monkeypatch.setattr(hotplug, "HOTPLUG_SETTLE_S", 0.0)
    monkeypatch.setattr(Hotplug, "_look", counted)
    async with watching(opener=refuse, dev=tmp_path / "dev", udev_control=tmp_path / "none", **options) as (
        watch,
        came,
    ):
        await eventually(lambda: looked)
        assert watch.source == "polling"
        yield came


async def test_where_netlink_is_refused_folders_are_looked_at(tmp_path, monkeypatch):
    (tmp_path / "dev/serial/by-id").mkdir(parents=True)
    async with polling(tmp_path, monkeypatch) as came:
        (tmp_path / "dev/serial/by-id/usb-Example_Scanner-if00").touch()
        await eventually(lambda: came)
        came.clear()
        (tmp_path / "dev/serial/by-id/usb-Example_Scanner-if00").unlink()
        (tmp_path / "dev/hidraw0").touch()
        await eventually(lambda: came)
    assert came


async def test_a_device_elsewhere_is_looked_at_where_it_is_configured(tmp_path, monkeypatch):
    link = tmp_path / "links" / "scanner"
    link.parent.mkdir()
    async with polling(tmp_path, monkeypatch, places=lambda: [str(link)]) as came:
        link.touch()
        await eventually(lambda: came)
    assert came


async def test_this_machines_kernel_is_heard_or_looked_for_and_the_source_says_which(tmp_path):
    try:
        open_netlink("kernel").close()
        expected = "kernel"
    except OSError:
        expected = "polling"
    with capture_logs() as logs:
        async with watching(udev_control=tmp_path / "none") as (watch, _came):
            await eventually(lambda: watch.source == "kernel" or logs)
            assert watch.source == expected
