"""Ports for servers of tests."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 10_000
_TRIES_MAX = 100


def free_port() -> int:
    """One on loopback where nothing listens, below those that the kernel gives to whoever connects.

    A server that is away for a while finds it free again: no connection of another test can have taken it meanwhile.
    """
    end = max(int(_RANGE.read_text(encoding="ascii").split()[0]), 2 * _FIRST)
    for _ in range(_TRIES_MAX):
        port = random.randrange(_FIRST, end)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no port is free between {_FIRST} and {end}")
