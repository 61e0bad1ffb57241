"""systemd's readiness and watchdog notices (sd_notify(3)), without a library: one datagram each."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> bool:
    """Send e.g. "READY=1" to the service manager; False when there is none, or it does not listen any more."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.connect(address)
            channel.sendall(state.encode())
        except OSError:
            return False  # a notice is a courtesy: a manager that has gone must not take the service with it
    return True


def watchdog_interval_s() -> float | None:
    """Half of WatchdogSec, as sd_watchdog_enabled(3) advises; None when there is no watchdog."""
    usec = os.environ.get("WATCHDOG_USEC")
    return int(usec) / 2_000_000 if usec and usec.isdigit() else None
