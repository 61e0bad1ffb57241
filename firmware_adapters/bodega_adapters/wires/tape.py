"""What crosses a wire, on a tape: recorded from a real device, and played back in its place.

A tape is text, one JSON object a line: `after_ms` since the line before, `way` (`in`: from the device, `out`: to it,
`open`, `lost`), `hex`: the bytes. It says nothing of the place or the time of its recording.
"""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bodega.errors import InvalidInput
from bodega_adapters.wires.wire import Opener, Wire

Way: TypeAlias = Literal["open", "in", "out", "lost"]
_WAYS = ("open", "in", "out", "lost")


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a tape."""

    after_ms: int
    way: Way
    data: bytes = b""


class Recorder:
    """Where a driver's wires are recorded, while somebody listens; costs nothing while nobody does."""

    def __init__(self) -> None:
        self.listener: Callable[[Way, bytes], None] | None = None

    def over(self, opener: Opener) -> Opener:
        """The same opener, whose wires are recorded from now on."""

        async def opened() -> Wire:
            wire = await opener()
            self.note("open")
            return _RecordedWire(wire, self)

        return opened

    def note(self, way: Way, data: bytes = b"") -> None:
        """Something crosses the wire."""
        if self.listener is not None:
            self.listener(way, data)


class _RecordedWire:
    """A `Wire` that tells its recorder."""

    def __init__(self, wire: Wire, recorder: Recorder) -> None:
        self._wire = wire
        self._recorder = recorder

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire."""
        try:
            data = await self._wire.read(timeout_s)
        except OSError:
            self._recorder.note("lost")
            raise
        if data:
            self._recorder.note("in", data)
        return data

    async def write(self, data: bytes) -> None:
        """See Wire."""
        self._recorder.note("out", data)
        await self._wire.write(data)

    def close(self) -> None:
        """See Wire."""
        self._wire.close()


class PlayedWire:
    """A `Wire` that answers as a tape says; `out` must come as recorded, or it is an OSError that says so."""

    def __init__(self, notes: Sequence[Note], *, speed: float = 0.0) -> None:
        """`speed` 1 keeps the recorded pauses, 0 has none."""
        self._notes = [note for note in notes if note.way != "open"]
        self._speed = speed
        self._at = 0
        self._written = b""
        self._closed = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether all of it has been played."""
        return self._at >= len(self._notes)

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire. At the end of the tape there is silence."""
        if self._at >= len(self._notes) or self._notes[self._at].way == "out":
            try:
                async with asyncio.timeout(timeout_s):
                    await self._closed.wait()
            except TimeoutError:
                pass
            return b""
        note = self._notes[self._at]
        self._at += 1
        if self._speed:
            await asyncio.sleep(note.after_ms / 1000 / self._speed)
        if note.way == "lost":
            raise OSError(errno.EIO, "the device was lost here when this was recorded")
        return note.data

    async def write(self, data: bytes) -> None:
        """See Wire."""
        self._written += data
        while self._written:
            note = self._notes[self._at] if self._at < len(self._notes) else None
            if note is None or note.way != "out" or not _begins(self._written, note.data):
                raise OSError(errno.EPROTO, f"the tape does not go on with {self._written[:40]!r}")
            if len(self._written) < len(note.data):
                return
            self._written = self._written[len(note.data) :]
            self._at += 1

    def close(self) -> None:
        """See Wire."""
        self._closed.set()


class Player(Recorder):
    """In place of a recorder: a driver that opens its wire through this gets a tape, one part for each `open` on it."""

    def __init__(self, notes: Sequence[Note]) -> None:
        super().__init__()
        self.parts = _parts(notes)
        self.wire: PlayedWire | None = None
        self._next = 0

    @property
    def ended(self) -> bool:
        """Whether all parts have been played to their ends."""
        return self._next >= len(self.parts) and (self.wire is None or self.wire.ended)

    def over(self, _opener: Opener) -> Opener:
        """See Recorder; nothing real is ever opened."""

        async def opened() -> Wire:
            if self._next >= len(self.parts):
                raise OSError(errno.ENODEV, "the tape ends here")
            self.wire = PlayedWire(self.parts[self._next])
            self._next += 1
            return self.wire

        return opened


def _parts(notes: Sequence[Note]) -> list[list[Note]]:
    """Cut before each `open`; a tape that begins in the middle of a connection begins with a part of its own."""
    parts: list[list[Note]] = []
    for note in notes:
        if note.way == "open" or not parts:
            parts.append([])
        if note.way != "open":
            parts[-1].append(note)
    return parts


def _begins(one: bytes, other: bytes) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def to_text(notes: Iterable[Note]) -> str:
    """A tape as a file's text."""
    return "".join(
        json.dumps({"after_ms": note.after_ms, "way": note.way, "hex": note.data.hex()}) + "\n"
        for note in notes
    )


def from_text(text: str) -> list[Note]:
    """Read a tape; raises InvalidInput that names the line."""
    notes = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            note = Note(int(row["after_ms"]), row["way"], bytes.fromhex(row["hex"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"line {number} of the tape can not be read: {error}", hint="bodega devices record"
            ) from error
        if note.way not in _WAYS:
            raise InvalidInput(f"line {number} of the tape: {note.way!r} is not one of {', '.join(_WAYS)}")
        notes.append(note)
    return notes
