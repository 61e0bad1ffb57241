"""The device's end of a pseudo-terminal that can be pulled out and put back in behind a stable link.

The device holds the slave side open too, so it stays there when the agent dies.
"""

from __future__ import annotations

import os
import tty
from pathlib import Path


class PtyEnd:
    """`link`: a path to keep as a stable symbolic link to the terminal, or None for none."""

    def __init__(self, link: Path | None = None) -> None:
        self._link = link
        self._terminal = ""
        self.master = self.slave = -1

    @property
    def is_in(self) -> bool:
        """Whether it is plugged in."""
        return self.master >= 0

    @property
    def path(self) -> str:
        """What a driver opens: the stable link where there is one, else the terminal."""
        return str(self._link or self._terminal)

    def plug(self) -> int:
        """A new terminal; returns the descriptor of the device's end, which does not block."""
        self.master, self.slave = os.openpty()
        # Raw, or the terminal would echo and rewrite what crosses it before a driver sets it up.
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self._terminal = os.ttyname(self.slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._terminal)
        return self.master

    def unplug(self) -> None:
        """Hang up: readers get an error, and the path is gone."""
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(self.master)
        os.close(self.slave)
        self.master = self.slave = -1
