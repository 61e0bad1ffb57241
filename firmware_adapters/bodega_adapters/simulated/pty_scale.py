"""A scale on a pseudo-terminal that speaks MT-SICS: a load, some time to come to rest, and its faults.

Time is the caller's clock, so that drift and rest can be tested without waiting. `plug` and `unplug` are those of the
simulated scanner: a stable link, a hang-up, another terminal.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from bodega.errors import Unavailable
from bodega.limits import SCALE_LINE_BYTES_MAX
from bodega_adapters.simulated.pty_end import PtyEnd

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
        self._end = PtyEnd(link)
        self._grams = 0.0
        self._zero_grams = 0.0
        self._tare_grams = 0.0
        self._loaded_s = -1e9
        self._unread = b""
        self._answering: set[asyncio.Task[None]] = set()
        self.plug()

    @property
    def path(self) -> str:
        """What a driver opens: the stable link where there is one, else the terminal."""
        return self._end.path

    def load(self, grams: float) -> None:
        """Put this on it, instead of what lay there."""
        self._grams = grams
        self._loaded_s = self._clock()

    def plug(self) -> None:
        """Put the cable in; nothing if it is in."""
        if not self._end.is_in:
            asyncio.get_running_loop().add_reader(self._end.plug(), self._hear)

    def unplug(self) -> None:
        """Pull the cable: who reads gets a hang-up, and the path is gone."""
        if not self._end.is_in:
            return
        asyncio.get_running_loop().remove_reader(self._end.master)
        self._end.unplug()
        self._unread = b""
        for each in self._answering:
            each.cancel()

    def close(self) -> None:
        """Same as `unplug`; safe to call twice."""
        self.unplug()

    def send(self, data: bytes) -> None:
        """Put raw bytes on the line: garbage, or an answer that nobody asked for."""
        if not self._end.is_in:
            raise Unavailable("the simulated scale is unplugged", hint="plug it in")
        os.write(self._end.master, data)

    def _hear(self) -> None:
        try:
            self._unread = (self._unread + os.read(self._end.master, _READ_BYTES))[-SCALE_LINE_BYTES_MAX:]
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
