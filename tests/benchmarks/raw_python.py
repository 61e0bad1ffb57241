"""The raw limit of the agent: a Python that has loaded the same libraries and does nothing but beat.

What the agent needs beyond this is its own code, its data and its work.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys

import apscheduler.schedulers.asyncio
import apsw
import cattrs
import click
import cryptography.hazmat.primitives.asymmetric.ed25519
import google.protobuf.descriptor_pb2
import nats
import serial
import structlog

from bodega.host.notify import notify
from bodega.limits import HEARTBEAT_S

LOADED = (
    apscheduler.schedulers.asyncio,
    apsw,
    cattrs,
    click,
    cryptography.hazmat.primitives.asymmetric.ed25519,
    google.protobuf.descriptor_pb2,
    nats,
    serial,
    structlog,
)


async def beat() -> None:
    """Wake as often as a heartbeat wakes the agent."""
    while True:  # noqa: ASYNC110  # nothing is waited for: waking up is the point
        await asyncio.sleep(HEARTBEAT_S)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ctypes.CDLL(None).malloc_trim(0)  # as the agent does once it is ready
    notify("READY=1")
    asyncio.run(beat())
