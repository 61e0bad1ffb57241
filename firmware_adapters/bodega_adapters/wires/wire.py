"""The port of a byte pipe to a device, and how one is opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias


class Wire(Protocol):
    """One opened pipe; it ends with the first error. One reader and one writer at a time, on the event loop."""

    async def read(self, timeout_s: float | None) -> bytes:
        """The bytes that have come, at least one; empty after `timeout_s` of silence, or when it is closed here.

        Raises OSError when the device is lost, which an end of file is too.
        """
        ...

    async def write(self, data: bytes) -> None:
        """All of it. Raises OSError when the device is lost, and then nobody knows how much has arrived."""
        ...

    def close(self) -> None:
        """Release it and wake a waiting `read`; safe to call twice."""
        ...


# Opens a device. Raises OSError when it is not there or is in use.
Opener: TypeAlias = Callable[[], Awaitable[Wire]]
