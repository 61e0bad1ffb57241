"""A ZPL printer's own program at the far end of a USB printer gadget (/dev/g_printer0)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

FAR_END = Path("/dev/g_printer0")
READ_BYTES = 8192


def host_status(*, paper_out: bool, queued: int) -> bytes:
    """Three lines as of the ZPL II Programming Guide, "~HS Host Status Return"."""
    lines = (
        f"030,{int(paper_out)},0,0812,{queued:03},0,0,0,000,0,0,0",
        "000,0,0,0,0,2,4,0,00000000,1,000",
        "1234,0",
    )
    return "".join(f"\x02{line}\x03\r\n" for line in lines).encode()


class GadgetPrinter:
    """Takes what comes, answers `~HS` and `~HQES`, and keeps everything else in `received`.

    `stall_after_bytes`: it stops reading there, as a printer with a full buffer does; `queued` is the queue that it
    speaks of.
    """

    def __init__(self, *, stall_after_bytes: int | None = None, queued: int = 0) -> None:
        self.received = b""
        self.stalled = False
        self.paper_out = False
        self.queued = queued
        self._stall_after_bytes = stall_after_bytes
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.open(FAR_END, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop.add_reader(self._descriptor, self._take)

    def close(self) -> None:
        """Switch it off; nothing when it is off."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self) -> None:
        try:
            self.received += os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # the cable is out
            self.close()
            return
        for question, answer in (
            (b"~HS", host_status(paper_out=self.paper_out, queued=self.queued)),
            (
                b"~HQES",
                b"\x02\r\nPRINTER STATUS\r\nERRORS: 0 00000000 00000000\r\nWARNINGS: 0 00000000 00000000\r\n\x03",
            ),
        ):
            while question in self.received:
                self.received = self.received.replace(question, b"", 1)
                assert os.write(self._descriptor, answer) == len(answer)
        if self._stall_after_bytes is not None and len(self.received) >= self._stall_after_bytes:
            self.stalled = True
            self._loop.remove_reader(self._descriptor)
