"""That a device was plugged in: the kernel's word where it may be heard, a look every few seconds elsewhere.

- Where udev runs, its messages come after it has made names and permissions; without it, the kernel's own are heard.
- A container or a service without AF_NETLINK hears neither: then the folders of device files are looked at.
- What is heard is a hint to try again now and nothing else, so a message that is lost, false or late does no harm:
  drivers go on trying by themselves.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from bodega.host.log import get_logger
from bodega.limits import HOTPLUG_MESSAGE_BYTES_MAX, HOTPLUG_POLL_S, HOTPLUG_RETRY_S, HOTPLUG_SETTLE_S
from bodega_adapters.framing.uevent import Uevent, parse

log = get_logger(__name__)

Source: TypeAlias = Literal["udev", "kernel", "polling"]

SUBSYSTEMS = frozenset({"tty", "input", "hidraw", "usb", "usbmisc", "video4linux"})
UDEV_CONTROL = Path("/run/udev/control")
# linux/netlink.h; Python does not name it.
_KOBJECT_UEVENT = 15
# Groups of NETLINK_KOBJECT_UEVENT: who listens to which.
_GROUP_OF: dict[Source, int] = {"kernel": 1, "udev": 2}
_FOLDERS = ("", "serial/by-id", "input", "input/by-id", "usb", "v4l/by-id")


def open_netlink(source: Source) -> socket.socket:
    """A socket that hears uevents; raises OSError where it may not."""
    heard = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _KOBJECT_UEVENT)
    try:
        heard.setblocking(False)  # noqa: FBT003  socket's own signature
        heard.bind((0, _GROUP_OF[source]))
    except OSError:
        heard.close()
        raise
    return heard


class Hotplug:
    """Calls `arrived` when a device of SUBSYSTEMS may have come. `source` says how it knows.

    `places` are paths of configured devices which lie elsewhere than below `dev`; they are looked at when polling.
    """

    def __init__(
        self,
        arrived: Callable[[], None],
        *,
        places: Callable[[], Iterable[str]] = tuple,
        opener: Callable[[Source], socket.socket] = open_netlink,
        dev: Path = Path("/dev"),
        udev_control: Path = UDEV_CONTROL,
    ) -> None:
        self._arrived = arrived
        self._places = places
        self._opener = opener
        self._dev = dev
        self._udev_control = udev_control
        self._settling: asyncio.TimerHandle | None = None
        self._came_again = False
        self.source: Source = "polling"

    async def run(self) -> None:
        """Until cancelled."""
        wanted: Source = "udev" if self._udev_control.exists() else "kernel"
        while True:
            try:
                heard = self._opener(wanted)
            except OSError as error:
                log.info("hotplug_by_polling", reason=str(error), every_s=HOTPLUG_POLL_S)
                await self._poll()
                return
            self.source = wanted
            with heard:
                await self._listen(heard)
            # A socket that fails once is opened again; what came meanwhile is not known.
            self._tell()
            await asyncio.sleep(HOTPLUG_RETRY_S)

    async def _listen(self, heard: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                message = await loop.sock_recv(heard, HOTPLUG_MESSAGE_BYTES_MAX)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    # More came than the socket holds: some of it may have been a device of ours.
                    self._tell()
                    continue
                log.warning("hotplug_lost", source=self.source, reason=str(error))
                return
            event = parse(message)
            if event is not None and _matters(event):
                log.debug("device_arrived", subsystem=event.subsystem, device=event.device)
                self._tell()

    async def _poll(self) -> None:
        self.source = "polling"
        before = await asyncio.to_thread(self._look)
        while True:
            await asyncio.sleep(HOTPLUG_POLL_S)
            now = await asyncio.to_thread(self._look)
            if now - before:
                self._tell()
            before = now

    def _tell(self) -> None:
        """At once, and once more when a storm of events has settled: one device makes several, and takes its time."""
        if self._settling is not None:
            self._came_again = True
            return
        self._came_again = False
        self._settling = asyncio.get_running_loop().call_later(HOTPLUG_SETTLE_S, self._settled)
        self._arrived()

    def _settled(self) -> None:
        self._settling = None
        if self._came_again:
            self._tell()

    def _look(self) -> set[str]:
        """What is there: names below /dev, with the inode, because a device that was replaced has another one."""
        found = set()
        for folder in _FOLDERS:
            try:
                with os.scandir(self._dev / folder) as entries:
                    found |= {f"{entry.path} {entry.inode()}" for entry in entries}
            except OSError:
                continue
        return found | {place for place in self._places() if os.path.exists(place)}  # noqa: PTH110  # one call each


def _matters(event: Uevent) -> bool:
    return event.arrived and event.subsystem in SUBSYSTEMS
