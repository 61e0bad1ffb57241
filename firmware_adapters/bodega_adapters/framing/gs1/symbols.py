"""From what a scanner sends to GS1 elements: which symbologies carry them, and in what form.

Rules:
- Element strings come out of GS1-128, DataBar and composites, GS1 DataMatrix, GS1 QR and GS1 DotCode, or out of any
  symbol whose text starts with FNC1 (sent as GS). A bin label is never guessed into GS1.
- EAN and UPC carry a GTIN; UPC-E is expanded. A composite's second part (`]e0` behind the digits, with `|` or without)
  is read together with them: its lot belongs to their GTIN. ITF carries a GTIN if it has the length of one.
- A web address with a GS1 key in its path is a Digital Link, in whatever symbol.
- Lossy wedge scanners send no AIM identifier. Without one, digits in the shape of a GTIN (8, 12, 13, 14) or of an SSCC
  label (00 and 18 digits) are taken as that if the check digit is right, and are a fault if not: a wrong check digit
  must not turn into some other identity. Eight digits that are right both as GTIN-8 and as UPC-E are a fault too.
- Sources: GS1 General Specifications 5 and 7.8; ISO/IEC 15424 (symbology identifiers), ISO/IEC 15420 (UPC-E).
"""

from __future__ import annotations

import re

from bodega.core.gtin import GTIN_LENGTHS, all_digits, as_gtin14
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.check_digit import UPC_E_DIGITS, expand_upc_e, is_valid_gtin
from bodega_adapters.framing.gs1.checks import csum
from bodega_adapters.framing.gs1.digital_link import carries_key, is_uri, parse_digital_link
from bodega_adapters.framing.gs1.element_string import parse_element_string
from bodega_adapters.framing.gs1.message import GS, Element, Fault, FaultKind, Message, Parsed, fault
from bodega_adapters.framing.gs1.pairings import Clash, judge

ELEMENT_STRING_SYMBOLOGIES = frozenset({"]C1", "]e0", "]e1", "]d2", "]Q3", "]J1"})
EAN_UPC_SYMBOLOGIES = frozenset({"]E0", "]E3", "]E4"})
_EAN_WITH_ADD_ON = "]E3"
_EAN_13_DIGITS = 13
_UPC_E_SYMBOLOGY = "]E0"
_ITF_CHECKED = "]I1"
_SSCC_LABEL = re.compile(r"00([0-9]{18})")
_COMPOSITE = re.compile(r"\|?\]e0")
_HINT_AIM = "scan again; if this is a bin label of digits only, switch on AIM identifiers in the scanner"
_HINT_UPC_E = "switch on AIM identifiers in the scanner, or let it send UPC-E expanded to 12 digits"


def split_symbol(text: str, symbology: str | None) -> tuple[str | None, str]:
    """Symbology and content, without white space around it."""
    text = text.strip(" \t\r\n")
    return split_aim(text) if symbology is None else (symbology, text)


def read_symbol(text: str, symbology: str | None) -> Parsed | None:
    """The GS1 content of a scanned text, what is wrong with it, or None if it is not GS1's. Never raises.

    An AIM identifier still in front of `text` is understood; white space around it does not count.
    """
    symbology, text = split_symbol(text, symbology)
    if symbology in ELEMENT_STRING_SYMBOLOGIES or text.startswith(GS):
        return parse_element_string(text)
    if not text:
        return fault(FaultKind.EMPTY, "", 0, "the code is empty")
    if is_uri(text):
        return parse_digital_link(text) if carries_key(text) else None
    if symbology in EAN_UPC_SYMBOLOGIES:
        return _read_ean_upc(text, symbology)
    if symbology == _ITF_CHECKED and len(text) in GTIN_LENGTHS:
        return _gtin(text)
    return _read_by_shape(text) if symbology is None else None


def _read_ean_upc(text: str, symbology: str | None) -> Parsed:
    composite = _COMPOSITE.search(text)
    digits = text[: composite.start()] if composite else text
    if symbology == _EAN_WITH_ADD_ON:
        digits = digits[:_EAN_13_DIGITS]
    if symbology == _UPC_E_SYMBOLOGY and len(digits) == UPC_E_DIGITS:
        # EAN-8 has an identifier of its own, so this is a UPC-E that the scanner did not expand.
        digits = expand_upc_e(digits) or digits
    linear = _gtin(digits)
    if composite is None or isinstance(linear, Fault):
        return linear
    return _with_composite(linear, text, composite.end())


def _with_composite(linear: Message, text: str, start: int) -> Parsed:
    second = parse_element_string(text[start:])
    if isinstance(second, Fault):
        return second._replace(position=start + second.position)
    elements = (*linear.elements, *second.elements)
    judged = judge(elements)
    if isinstance(judged, Clash):
        return fault(judged.kind, elements[judged.place].ai, start, judged.problem)
    return Message(elements, judged)


def _read_by_shape(text: str) -> Parsed | None:
    if all_digits(text) and len(text) in GTIN_LENGTHS:
        return _gtin_or_upc_e(text)
    sscc = _SSCC_LABEL.fullmatch(text)
    return parse_element_string(text) if sscc is not None else None


def _gtin_or_upc_e(digits: str) -> Parsed:
    expanded = expand_upc_e(digits) if len(digits) == UPC_E_DIGITS else None
    if expanded is None:
        gtin = _gtin(digits)
        return gtin._replace(hint=_HINT_AIM) if isinstance(gtin, Fault) else gtin
    if not is_valid_gtin(digits):
        return _gtin(expanded)
    problem = f"{digits} may be an EAN-8 or the UPC-E of {expanded}"
    return Fault(FaultKind.FORMAT, "01", 0, problem, _HINT_UPC_E)


def _gtin(digits: str) -> Parsed:
    if not (all_digits(digits) and len(digits) in GTIN_LENGTHS):
        problem = f"a product code has 8, 12, 13 or 14 digits, this is {digits!r}"
        return fault(FaultKind.LENGTH, "01", 0, problem)
    if (wrong := csum(digits)) is not None:
        return fault(wrong.kind, "01", wrong.offset, wrong.problem)
    return Message((Element("01", as_gtin14(digits)),))
