"""Telemetry on its way out: small files in a folder of the disk's telemetry class, which drops the oldest for room.

It is no part of the ledger and may be lost. A file holds reports one after the other, which protobuf reads as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from google.protobuf.message import DecodeError

from bodega.limits import TELEMETRY_FILE_BYTES_MAX
from bodega.v1 import telemetry_pb2

_SUFFIX = ".binpb"


class TelemetryBox:
    """Everything here blocks on the file system. `number` gives a rising number: it names rows and files."""

    def __init__(self, folder: Path, number: Callable[[], int]) -> None:
        self._folder = folder
        self._number = number
        self._last = 0
        self._open: Path | None = None

    def add(self, rows: Iterable[telemetry_pb2.TelemetryRow]) -> None:
        """Keep rows; raises OSError if the disk does not take them."""
        report = telemetry_pb2.TelemetryReport(rows=rows)
        for row in report.rows:
            row.row_no = self._next()
        if self._open is None or not self._has_room(self._open):
            self._folder.mkdir(exist_ok=True)
            self._open = self._folder / f"{self._next():020}{_SUFFIX}"
        with self._open.open("ab") as file:
            file.write(report.SerializeToString())

    def oldest(self) -> tuple[Path, telemetry_pb2.TelemetryReport] | None:
        """The rows that wait longest, with the file to `remove` once the hub has them; None if nothing waits.

        A file that does not read (a power cut, a full disk) is dropped.
        """
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                return path, telemetry_pb2.TelemetryReport.FromString(path.read_bytes())
            except FileNotFoundError:
                continue  # the disk service needed the room
            except DecodeError:
                self.remove(path)
        return None

    def remove(self, path: Path) -> None:
        """Done with these; new rows begin a new file."""
        path.unlink(missing_ok=True)
        if path == self._open:
            self._open = None

    def _next(self) -> int:
        self._last = max(self._last + 1, self._number())
        return self._last

    @staticmethod
    def _has_room(path: Path) -> bool:
        return path.exists() and path.stat().st_size < TELEMETRY_FILE_BYTES_MAX
