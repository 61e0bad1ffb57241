"""CSV as spreadsheets write it."""

from __future__ import annotations

_DELIMITERS = ",;\t"


def delimiter_of(text: str) -> str:
    """What stands between the cells, by the header: where people write 0,5 spreadsheets put semicolons there."""
    return max(_DELIMITERS, key=text.partition("\n")[0].count)
