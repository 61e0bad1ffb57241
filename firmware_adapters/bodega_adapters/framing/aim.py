"""AIM symbology identifiers: the three characters that say what kind of barcode was read.

ISO/IEC 15424: `]`, a letter for the symbology, a modifier (digit or letter). A scanner prefixes them when
told to. They are kept apart from the content, because the same digits mean other things in other
symbologies; what each identifier says of GS1 content is in `gs1/symbols.py`.
"""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")


def split_aim(text: str) -> tuple[str | None, str]:
    """`"]C100..."` -> `("]C1", "00...")`; text without an identifier -> `(None, text)`."""
    found = _IDENTIFIER.match(text)
    if found is None:
        return None, text
    return found.group(), text[found.end() :]
