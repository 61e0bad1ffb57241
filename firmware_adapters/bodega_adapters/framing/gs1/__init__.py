"""GS1 codes: what a scanned text carries (`read_symbol`), what its values say, what it means on the floor (`decode`).

Way of a scan: `symbols` knows the symbologies, `element_string` and `digital_link` the two ways of writing, `specs` the
AIs (out of the rows of `ai_table`), `checks` and `dates` the content of values, `pairings` which AIs go together,
`values` what they say in Python's terms, `meaning` what the floor makes of it.
"""

from __future__ import annotations

from bodega_adapters.framing.gs1.digital_link import parse_digital_link
from bodega_adapters.framing.gs1.element_string import parse_element_string
from bodega_adapters.framing.gs1.meaning import (
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
from bodega_adapters.framing.gs1.message import GS, Element, Fault, FaultKind, Message, Need, Parsed
from bodega_adapters.framing.gs1.symbols import read_symbol
from bodega_adapters.framing.gs1.values import Measure, Money, Place, Value, value_of

__all__ = [
    "GS",
    "BadCode",
    "CaseCode",
    "ControlCode",
    "Decoded",
    "Element",
    "Fault",
    "FaultKind",
    "ItemCode",
    "Measure",
    "Message",
    "Money",
    "Need",
    "Parsed",
    "Place",
    "PlainCode",
    "SsccCode",
    "Value",
    "decode",
    "elements_in",
    "parse_digital_link",
    "parse_element_string",
    "read_symbol",
    "value_of",
]
