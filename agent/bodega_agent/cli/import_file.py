"""Files of rows for the ledger: CSV by sqlite-utils or JSON lines in, rows with the line that each begins on out.

Every line that can not be read is named; a reader of half a file helps nobody. sqlite-utils opens no database
here, so the ledger may be open through the store's own library in this process.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlite_utils.utils import Format, rows_from_file

from bodega.errors import FieldFault, InvalidInput, NotFound
from bodega.limits import LEDGER_IMPORT_BYTES_MAX, LEDGER_IMPORT_FAULTS_MAX, LEDGER_IMPORT_ROWS_MAX

Json = dict[str, Any]
CSV, JSON_LINES, AUTO = "csv", "jsonl", "auto"
_DELIMITERS = (",", ";", "\t")
_REST = "(more cells)"
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: `number` and `line` count from 1, the header is no row."""

    number: int
    line: int
    values: Json


class Faults:
    """What is wrong with a file, all of it, of which the first LEDGER_IMPORT_FAULTS_MAX are named."""

    def __init__(self) -> None:
        self.found: list[FieldFault] = []

    def add(self, line: int | None, column: str, problem: str) -> None:
        """One more."""
        self.found.append(FieldFault(column, problem, line))

    def refuse(self) -> None:
        """Raise InvalidInput if there is any."""
        if not self.found:
            return
        many = len(self.found)
        more = f", the first {LEDGER_IMPORT_FAULTS_MAX} are named" if many > LEDGER_IMPORT_FAULTS_MAX else ""
        raise InvalidInput(
            f"the file has {many} {'fault' if many == 1 else 'faults'}{more}; nothing was imported",
            hint="mend each line named above and import the whole file again",
            faults=tuple(self.found[:LEDGER_IMPORT_FAULTS_MAX]),
        )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or of standard input for "-". Raises NotFound, or InvalidInput if it is too long."""
    try:
        with io.FileIO(0, closefd=False) if str(path) == "-" else path.open("rb") as file:
            content = _read_at_most(file, LEDGER_IMPORT_BYTES_MAX + 1)
    except OSError as error:
        raise NotFound(
            f"{path}: {error.strerror}", hint="give the path of a file that can be read"
        ) from error
    if len(content) > LEDGER_IMPORT_BYTES_MAX:
        raise InvalidInput(
            f"{path} has more than {LEDGER_IMPORT_BYTES_MAX} bytes", hint="split it into smaller files"
        )
    return content


def _read_at_most(file: io.RawIOBase | io.BufferedIOBase, size: int) -> bytes:
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def rows_of(content: bytes, shape: str, columns: frozenset[str], faults: Faults) -> list[Row]:
    """Rows of a file in CSV or JSON lines (`auto`: by its first character); bad ones go to `faults`.

    `columns` are the names that a CSV header may have.
    """
    text = _text(content, faults)
    if not text.strip():
        if not faults.found:
            faults.add(None, "file", "is empty")
        return []
    is_json = shape == JSON_LINES or (shape == AUTO and text.lstrip()[0] in "{[")
    rows: list[Row] = []
    for row in _json_rows(text, faults) if is_json else _csv_rows(text, columns, faults):
        if len(rows) == LEDGER_IMPORT_ROWS_MAX:
            faults.add(
                row.line,
                "file",
                f"has more than {LEDGER_IMPORT_ROWS_MAX} rows, which is the most that one transaction takes:"
                " split it, each part is imported as a whole",
            )
            break
        rows.append(row)
    if not rows and not faults.found:
        faults.add(None, "file", "has no rows")
    return rows


def _text(content: bytes, faults: Faults) -> str:
    """The file's text with every line ended by a newline, whatever wrote it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.add(line, "file", "is not UTF-8: save it as CSV UTF-8 and try again")
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Lines(io.BufferedIOBase):
    """A file handed over a line at a time, without the blank ones before the first."""

    def __init__(self, text: str) -> None:
        blank = _BLANK_LINES.match(text)
        self.skipped = blank.end() if blank else 0
        self.read_so_far = text.count("\n", 0, self.skipped)
        lines = text[self.skipped :].removesuffix("\n").split("\n")
        self._lines = iter([f"{line}\n".encode() for line in lines])

    def readable(self) -> bool:
        return True

    def read1(self, _size: int = -1, /) -> bytes:
        line = next(self._lines, b"")
        self.read_so_far += bool(line)
        return line


def _csv_rows(text: str, columns: frozenset[str], faults: Faults) -> Iterator[Row]:
    lines = _Lines(text)
    dialect, header = _dialect(text[lines.skipped :], columns)
    if not _header_is_right(header, lines.read_so_far + 1, columns, faults):
        return
    try:
        file = cast("BinaryIO", lines)
        rows, _format = rows_from_file(file, Format.CSV, dialect=dialect, encoding="utf-8", extras_key=_REST)
        for number, values in enumerate(cast("Iterable[Json]", rows), start=1):
            given = [cell for cell in (*values.values(), *values.pop(_REST, ())) if isinstance(cell, str)]
            line = lines.read_so_far - sum(cell.count("\n") for cell in given)
            if not any(cell.strip() for cell in given):
                continue
            if len(given) != len(header):
                faults.add(line, "row", f"has {len(given)} cells, the header has {len(header)}")
                continue
            named = zip((name.strip() for name in header), (cell.strip() for cell in given), strict=True)
            yield Row(number, line, dict(named))
    except csv.Error as error:
        faults.add(lines.read_so_far, "row", f"is not CSV: {error}; what follows was not read")


def _dialect(text: str, columns: frozenset[str]) -> tuple[type[csv.Dialect], list[str]]:
    """The delimiter under which the header has the most known columns, and the header."""
    best: tuple[int, type[csv.Dialect], list[str]] | None = None
    for delimiter in _DELIMITERS:
        dialect = type("_Dialect", (csv.excel,), {"delimiter": delimiter, "strict": True})
        try:
            header = next(csv.reader(io.StringIO(text), dialect), [])
        except csv.Error:
            header = []
        known = len(columns & {name.strip() for name in header})
        if best is None or known > best[0]:
            best = (known, dialect, header)
    assert best is not None, "there are delimiters"
    return best[1], best[2]


def _header_is_right(header: list[str], line: int, columns: frozenset[str], faults: Faults) -> bool:
    names = [name.strip() for name in header]
    if not columns & set(names):
        faults.add(line, "header", f"is missing: the first line must name columns, such as {_SAMPLE}")
        return False
    before = len(faults.found)
    for name in dict.fromkeys(names):
        if name not in columns:
            faults.add(
                line, name or "(empty)", f"is no column of an import: use {', '.join(sorted(columns))}"
            )
        elif names.count(name) > 1:
            faults.add(line, name, "is there twice")
    return len(faults.found) == before


_SAMPLE = "sku_id,quantity,bin"


def _json_rows(text: str, faults: Faults) -> Iterator[Row]:
    number = 0
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        number += 1
        try:
            value = json.loads(content, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            faults.add(line, "row", f"is not JSON: {error}"[:200])
            continue
        if isinstance(value, dict):
            yield Row(number, line, value)
        else:
            faults.add(line, "row", "must be a JSON object, one on each line")


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"'{next(name for name in names if names.count(name) > 1)}' is there twice")
    return found
