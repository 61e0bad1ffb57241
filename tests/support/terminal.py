"""`bodega floor` on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
from pathlib import Path

from support.bodega_command import COMMAND


class Screen:
    """`bodega floor` on a real pseudo-terminal: what a person sees, and a keyboard."""

    def __init__(self, node: Path, device: str, *options: str, columns: int = 80) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        self.seen = ""
        self.command = subprocess.Popen(
            [*COMMAND, "floor", "--device", device, "--config", str(node), *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read on until this stands on the screen."""
        while text not in self.seen:
            ready, _, _ = select.select([self._ours], [], [], 60)
            assert ready, f"{text!r} never came; seen: {self.seen!r}"
            self.seen += os.read(self._ours, 4096).decode()

    def close(self) -> int:
        """Ctrl-D; the command's exit code."""
        self.type("\x04")
        ended = self.command.wait(timeout=20)
        os.close(self._ours)
        return ended
