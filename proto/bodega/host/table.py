"""Tables of text that fit a terminal: columns as wide as their words, then folded, then one block for each row.

An id is never cut, so that it can be copied: what folds are sentences, between words. A table that is still too wide
becomes blocks, one `header  value` a line. Only what has no end of its own (JSON, hashes) is broken within a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

_GAP = "  "
# Ids of ours have 28 characters; a longer word may be broken where there is no room for it.
_WORD_KEPT_CHARS_MAX = 36


def table_lines(
    headers: Sequence[str], rows: Sequence[Sequence[object]], columns: int | None = None
) -> list[str]:
    """The lines of a table with at least one row; `columns`: what the terminal has, None for a pipe (no bound)."""
    cells = [[str(cell) for cell in row] for row in rows]
    natural = [_widest(header, [row[place] for row in cells]) for place, header in enumerate(headers)]
    if columns is None or _total(natural) <= columns:
        return _lines(headers, cells, natural)
    least = [
        _widest(header, [word for row in cells for word in _words(row[place])])
        for place, header in enumerate(headers)
    ]
    if _total(least) > columns:
        return _blocks(headers, cells, columns)
    return _lines(headers, cells, _shared(natural, least, columns))


def _widest(header: str, texts: Sequence[str]) -> int:
    return max(len(header), *map(len, texts), 0)


def _words(cell: str) -> list[str]:
    return [word[:_WORD_KEPT_CHARS_MAX] for word in cell.split()]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _shared(natural: Sequence[int], least: Sequence[int], columns: int) -> list[int]:
    """Widths that fit: the widest column gives way first, none below its longest word."""
    widths = list(natural)
    while _total(widths) > columns:
        place = max((n for n, width in enumerate(widths) if width > least[n]), key=lambda n: widths[n])
        widths[place] -= 1
    return widths


def _lines(headers: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    numeric = [all(_is_number(row[column]) for row in cells) for column in range(len(headers))]
    lines = [_line([header.upper() for header in headers], widths, numeric)]
    for row in cells:
        folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, folded))):
            part = [cell[number] if number < len(cell) else "" for cell in folded]
            lines.append(_line(part, widths, numeric))
    return lines


def _folded(cell: str, width: int) -> list[str]:
    return [cell] if len(cell) <= width else wrap(cell, width, break_on_hyphens=False)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return _GAP.join(padded).rstrip()


def _blocks(headers: Sequence[str], cells: Sequence[Sequence[str]], columns: int) -> list[str]:
    label = max(map(len, headers))
    room = max(columns - label - len(_GAP), _WORD_KEPT_CHARS_MAX)
    lines: list[str] = []
    for row in cells:
        lines += [""] if lines else []
        for header, cell in zip(headers, row, strict=True):
            first, *more = _folded(cell, room)
            lines.append(f"{header.ljust(label)}{_GAP}{first}".rstrip())
            lines += [f"{' ' * label}{_GAP}{part}" for part in more]
    return lines


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()
