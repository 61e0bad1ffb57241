"""GS1 codes: what a scanned text carries (`elements_in`), and what it means on the floor (`decode`)."""

from __future__ import annotations

from bodega_adapters.framing.gs1.element import Element
from bodega_adapters.framing.gs1.meaning import (
    GS,
    BadCode,
    CaseCode,
    ControlCode,
    Decoded,
    ItemCode,
    PlainCode,
    SsccCode,
    decode,
    elements_in,
)

__all__ = [
    "GS",
    "BadCode",
    "CaseCode",
    "ControlCode",
    "Decoded",
    "Element",
    "ItemCode",
    "PlainCode",
    "SsccCode",
    "decode",
    "elements_in",
]
