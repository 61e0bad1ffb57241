"""Archives: files that hold the oldest part of the journal, and how they are read.

An archive is a gzip file of `sync.Envelope` messages, each after its length as a varint (protobuf's delimited
format), in the order of the chain. Its row in table `archive` says what it holds and the SHA-256 of the file.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from itertools import islice
from pathlib import Path

import apsw

from bodega.codec import envelope_from_bytes
from bodega.core.chain import extend
from bodega.core.sync import Recorded
from bodega.errors import IntegrityBroken, NotFound, PeerFault
from bodega.limits import ARCHIVE_MESSAGE_BYTES_MAX
from bodega_agent.store.integrity import Event, Trouble

FOLDER = "archives"


@dataclass(frozen=True, slots=True)
class Segment:
    """One archive: what it holds and how its file must look. `dropped` is 1 once the disk's ladder has deleted it."""

    first_seq: int
    last_seq: int
    prev_hash: bytes
    last_hash: bytes
    file: str
    sha256: bytes
    size_bytes: int
    dropped: int = 0


def segments(connection: apsw.Connection) -> list[Segment]:
    """All archives, oldest first."""
    rows = connection.execute(
        "SELECT first_seq, last_seq, prev_hash, last_hash, file, sha256, size_bytes, dropped FROM archive"
        " ORDER BY first_seq"
    )
    return [Segment(*row) for row in rows]


def events_in(path: Path) -> Iterator[Event]:
    """The events of an archive; IntegrityBroken where it does not add up, NotFound if there is no such file."""
    expected: tuple[int, bytes] | None = None
    try:
        with gzip.open(path, "rb") as file:
            while (message := _next_message(file, path)) is not None:
                envelope = envelope_from_bytes(message)
                hashes = extend(envelope.prev_hash, envelope.events)
                after = (envelope.first_seq, envelope.prev_hash)
                if not hashes or hashes[-1] != envelope.last_hash or (expected or after) != after:
                    raise IntegrityBroken(
                        f"events from {envelope.first_seq} on do not hash to what {path.name} says"
                    )
                yield from zip(
                    range(envelope.first_seq, envelope.last_seq + 1), envelope.events, hashes, strict=True
                )
                expected = (envelope.last_seq + 1, envelope.last_hash)
    except FileNotFoundError as error:
        raise NotFound(f"the archive {path} is missing") from error
    except (OSError, EOFError, PeerFault) as error:
        raise IntegrityBroken(f"the archive {path} can not be read: {error}") from error


def _next_message(file: gzip.GzipFile, path: Path) -> bytes | None:
    size = shift = 0
    while True:
        byte = file.read(1)
        if not byte:
            if shift:
                raise IntegrityBroken(f"the archive {path} ends inside a message")
            return None
        size |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
        if size > ARCHIVE_MESSAGE_BYTES_MAX:
            break
    message = file.read(size) if size <= ARCHIVE_MESSAGE_BYTES_MAX else b""
    if not size or len(message) != size:
        raise IntegrityBroken(f"the archive {path} has a message that is cut or too long")
    return message


def check_file(folder: Path, segment: Segment) -> Trouble | None:
    """Whether the file is the one that was written."""
    path = folder / segment.file
    holds = f"events {segment.first_seq} to {segment.last_seq}"
    try:
        with path.open("rb") as file:
            same = file_digest(file, "sha256").digest() == segment.sha256
    except OSError as error:
        return Trouble(
            "archive", f"the archive {path} of {holds} can not be read: {error.strerror}", segment.first_seq
        )
    if same:
        return None
    seq = _first_bad_seq(path, segment)
    return Trouble(
        "archive",
        f"the archive {path} of {holds} was changed, the first bad event is {seq} or a few after",
        seq,
    )


def _first_bad_seq(path: Path, segment: Segment) -> int:
    """As near as the envelopes' hashes tell: the first event of the first one that does not add up."""
    good = segment.first_seq - 1
    try:
        for seq, _body, _hash in events_in(path):
            good = seq
    except (IntegrityBroken, NotFound):
        return min(good + 1, segment.last_seq)
    return segment.first_seq


class Shelf:
    """Events below the live journal, read from the archives: sync may be asked for them, and a person too.

    Reading on from where the last answer ended costs no second decompression. One thread at a time.
    """

    def __init__(self, connection: apsw.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._next_seq = 0
        self._rest: Iterator[Event] = iter(())

    def events(self, after_seq: int, limit: int) -> list[Recorded]:
        """Consecutive events that follow `after_seq`, from one archive; none if no file holds the next one."""
        if self._next_seq == after_seq + 1 and (found := self._read_on(limit)):
            return found
        segment = self._segment_with(after_seq + 1)
        if segment is None:
            return []
        self._rest = (event for event in events_in(self._folder / segment.file) if event[0] > after_seq)
        return self._read_on(limit)

    def _read_on(self, limit: int) -> list[Recorded]:
        """None at the end of a file, even where another one goes on."""
        try:
            found = [Recorded(*event) for event in islice(self._rest, limit)]
        except NotFound:
            found = []
        self._next_seq = found[-1].seq + 1 if found else 0
        return found

    def hash_at(self, seq: int) -> bytes | None:
        """The chain hash after an archived event; None if no file holds it."""
        ends = self._connection.execute("SELECT last_hash FROM archive WHERE last_seq = ?", (seq,))
        if row := next(iter(ends), None):
            return bytes(row[0])
        found = self.events(seq - 1, 1)
        return found[0].hash if found else None

    def _segment_with(self, seq: int) -> Segment | None:
        fitting = (
            s for s in segments(self._connection) if s.first_seq <= seq <= s.last_seq and not s.dropped
        )
        return next(fitting, None)
