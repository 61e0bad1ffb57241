"""A scale on a pseudo-terminal that speaks MT-SICS: a load, some time to come to rest, and its faults.

Time is the caller's clock, so that drift and rest can be tested without waiting. `plug` and `unplug` are those of the
simulated scanner: a stable link, a hang-up, another terminal.
"""

from __future__ import annotations

import asyncio
import os
import time
import tty
from collections.abc import Callable
from pathlib import Path

from bodega.errors import Unavailable
from bodega.limits import SCALE_LINE_BYTES_MAX

_READ_BYTES = 1024


class SimulatedScale:
    """The device side; needs a running event loop. Free to set at any time:

    - `rests_s`: how long a new load takes to come to rest; `math.inf` for a scale in the wind.
    - `gives_up_s`: after so long without rest it answers `S I`, as scales do.
    - `silent`: answers nothing. `garbage`: bytes before every answer. `unit`: what it shows, "g" or "kg".
    - `grams_max`: more than that is an overload. `knows`: the commands that it has.
    """

    def __init__(self, link: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rests_s = 0.0
        self.gives_up_s = 2.0
        self.silent = False
        self.garbage = b""
        self.unit = "g"
        self.grams_max = 15_000.0
        self.knows = {"S", "SI", "Z", "T", "@"}
        self.asked: list[str] = []
        self._clock = clock
        self._link = link
        self._grams = 0.0
        self._zero_grams = 0.0
        self._tare_grams = 0.0
        self._loaded_s = -1e9
        self._ends: tuple[int, int] | None = None
        self._terminal = Path()
        self._unread = b""
        self._answering: set[asyncio.Task[None]] = set()
        self.plug()

    @property
    def path(self) -> str:
        """What a driver opens: the stable link where there is one, else the slave terminal."""
        return str(self._link or self._terminal)

    def load(self, grams: float) -> None:
        """Put this on it, instead of what lay there."""
        self._grams = grams
        self._loaded_s = self._clock()

    def plug(self) -> None:
        """Put the cable in; nothing if it is in."""
        if self._ends is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = (master, slave)
        self._terminal = Path(os.ttyname(slave))
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._terminal)
        asyncio.get_running_loop().add_reader(master, self._hear)

    def unplug(self) -> None:
        """Pull the cable: who reads gets a hang-up, and the path is gone."""
        if self._ends is None:
            return
        asyncio.get_running_loop().remove_reader(self._ends[0])
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends, self._unread = None, b""
        for each in self._answering:
            each.cancel()

    def close(self) -> None:
        """Same as `unplug`; safe to call twice."""
        self.unplug()

    def send(self, data: bytes) -> None:
        """Put raw bytes on the line: garbage, or an answer that nobody asked for."""
        if self._ends is None:
            raise Unavailable("the simulated scale is unplugged", hint="plug it in")
        os.write(self._ends[0], data)

    def _hear(self) -> None:
        assert self._ends is not None, "an unplugged scale hears nothing"
        try:
            self._unread = (self._unread + os.read(self._ends[0], _READ_BYTES))[-SCALE_LINE_BYTES_MAX:]
        except OSError:
            return
        while b"\n" in self._unread:
            line, _, self._unread = self._unread.partition(b"\n")
            task = asyncio.create_task(self._answer(line.decode("ascii", "replace").strip()))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, command: str) -> None:
        self.asked.append(command)
        if self.silent:
            return
        if command == "@":
            for each in self._answering - {asyncio.current_task()}:
                each.cancel()
            self._tare_grams = 0.0
        line = await self._line(command) if command in self.knows else "ES"
        self.send(self.garbage + line.encode() + b"\r\n")

    async def _line(self, command: str) -> str:
        if command == "@":
            return 'I4 A "0001"'
        letter = command[0]
        if command == "SI":
            return self._reading(letter, "S" if self._rested() else "D")
        gives_up_s = self._clock() + self.gives_up_s
        while not self._rested():
            if self._clock() >= gives_up_s:
                return f"{letter} I"
            await asyncio.sleep(0.005)
        if (outside := self._outside()) is not None:
            return f"{letter} {outside}"
        if command == "Z":
            self._zero_grams, self._tare_grams = self._grams, 0.0
            return "Z A"
        if command == "T":
            self._tare_grams = self._grams - self._zero_grams
            return self._reading("T", "S", self._tare_grams)
        return self._reading(letter, "S")

    def _rested(self) -> bool:
        return self._clock() - self._loaded_s >= self.rests_s

    def _outside(self) -> str | None:
        return "+" if self._grams > self.grams_max else "-" if self._grams < 0 else None

    def _reading(self, letter: str, sign: str, grams: float | None = None) -> str:
        if (outside := self._outside()) is not None:
            return f"{letter} {outside}"
        net = self._grams - self._zero_grams - self._tare_grams if grams is None else grams
        if sign == "D":
            # On its way to rest a reading is off by what is left of the time.
            net -= net * 0.1 * max(0.0, 1 - (self._clock() - self._loaded_s) / max(self.rests_s, 1e-9))
        value = f"{net / 1000:.4f}" if self.unit == "kg" else f"{net:.1f}"
        return f"{letter} {sign} {value:>10} {self.unit}"
