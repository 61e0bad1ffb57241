"""One GS1 element: an application identifier and its value."""

from __future__ import annotations

from typing import NamedTuple


class Element(NamedTuple):
    """An application identifier such as "01" or "3103", and its value as the barcode has it."""

    ai: str
    value: str
