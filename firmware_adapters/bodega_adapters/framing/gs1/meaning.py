"""What a scanned text means on the floor: item, case, parcel, control word, plain label, or a bad code.

Rules:
- A text is a GS1 element string only if the symbology says so (GS1-128, DataBar, GS1 DataMatrix, GS1 QR),
  or if it starts with FNC1 (sent as GS). A bin label is never guessed into GS1.
- Lossy wedge scanners send no AIM identifier. Without one, digits in the shape of a GTIN (8, 12, 13, 14) or
  of an SSCC label (00 and 18 digits) are taken as that if the check digit is right, and are a bad code if
  not: a wrong check digit must not turn into some other identity.
- Sources: GS1 General Specifications, sections 3 (application identifiers), 4.14 (pairings), 7.8 (element
  strings and FNC1), 7.9 (check digits); ISO/IEC 15424 (symbology identifiers).

biip does the element strings. It costs 12 MB and 150 ms to load, and reads today's year to find the century
of a two-digit year (section 7.12); that is the one fact here that comes from outside the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import biip
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from bodega.core.gtin import GTIN_LENGTHS, all_digits
from bodega.limits import QUANTITY_MAX
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.check_digit import is_valid_gtin, is_valid_sscc
from bodega_adapters.framing.gs1.element import Element

GS = "\x1d"
ELEMENT_STRING_SYMBOLOGIES = frozenset({"]C1", "]e0", "]d2", "]Q3"})
EAN_UPC_SYMBOLOGIES = frozenset({"]E0", "]E4", "]E3"})
ITF_CHECKED_SYMBOLOGY = "]I1"
EAN_13_DIGITS = 13
CONTROL_PREFIX = "CMD-"
_CONTROL_WORD = re.compile(r"CMD-[A-Z0-9]+(-[A-Z0-9]+)*")
_SSCC_LABEL = re.compile(r"00([0-9]{18})")
_HINT_SCAN_AGAIN = "scan again; if it stays, the label is damaged or was printed wrong"


@dataclass(frozen=True, slots=True)
class ItemCode:
    """A trade item. `gtin14` is zero-padded to 14 digits; `quantity` is AI 30 (variable count), in units."""

    gtin14: str
    lot: str | None = None
    serial: str | None = None
    expiry: date | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class CaseCode:
    """A case with known content: `quantity` units of `gtin14` (AI 02 with 37)."""

    gtin14: str
    lot: str | None
    quantity: int
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class SsccCode:
    """A parcel or another logistic unit: 18 digits."""

    sscc: str


@dataclass(frozen=True, slots=True)
class ControlCode:
    """A control barcode of the floor, the whole word, such as "CMD-RECEIVE"."""

    word: str


@dataclass(frozen=True, slots=True)
class PlainCode:
    """Any other label: a bin, a tote, a badge. Who reads it knows which."""

    text: str


@dataclass(frozen=True, slots=True)
class BadCode:
    """A code that can not mean anything: what is wrong with it, and what the person can do."""

    text: str
    problem: str
    hint: str


Decoded: TypeAlias = ItemCode | CaseCode | SsccCode | ControlCode | PlainCode | BadCode


def decode(text: str, symbology: str | None) -> Decoded:
    """Say what `text` means; never raises. An AIM identifier still in front of `text` is understood."""
    if symbology is None:
        symbology, text = split_aim(text)
    text = text.strip(" \t\r\n")
    if symbology in ELEMENT_STRING_SYMBOLOGIES or text.startswith(GS):
        return _decode_element_string(text.strip(GS))
    if not text:
        return _bad(text, "the code is empty")
    if text.startswith(CONTROL_PREFIX):
        return _decode_control(text)
    if symbology in EAN_UPC_SYMBOLOGIES:
        return _decode_gtin(text[:EAN_13_DIGITS] if symbology == "]E3" else text)
    if symbology == ITF_CHECKED_SYMBOLOGY:
        return _decode_gtin(text) if len(text) in GTIN_LENGTHS else PlainCode(text)
    return _decode_by_shape(text) if symbology is None else PlainCode(text)


def elements_in(text: str, symbology: str | None) -> tuple[Element, ...]:
    """The GS1 elements that a scanned text carries, in their order; empty if it is malformed or not GS1's."""
    if symbology in ELEMENT_STRING_SYMBOLOGIES or text.startswith(GS):
        try:
            message = GS1Message.parse(text.strip(GS))
        except (biip.ParseError, ValueError, ArithmeticError, LookupError):
            return ()
        return tuple(Element(element.ai.ai, element.value) for element in message.element_strings)
    match decode(text, symbology):
        case ItemCode(gtin14):
            return (Element("01", gtin14),)
        case SsccCode(sscc):
            return (Element("00", sscc),)
        case _:
            return ()


def _decode_by_shape(text: str) -> Decoded:
    if all_digits(text) and len(text) in GTIN_LENGTHS:
        return _decode_gtin(text)
    sscc_label = _SSCC_LABEL.fullmatch(text)
    if sscc_label is not None:
        return _decode_sscc(text, sscc_label.group(1))
    return PlainCode(text)


def _decode_control(text: str) -> Decoded:
    if _CONTROL_WORD.fullmatch(text) is None:
        return _bad(text, "the control barcode has no readable word after CMD-")
    return ControlCode(text)


def _decode_gtin(digits: str) -> Decoded:
    if not (all_digits(digits) and len(digits) in GTIN_LENGTHS):
        return _bad(digits, f"a product code has 8, 12, 13 or 14 digits, this is {digits!r}")
    if not is_valid_gtin(digits):
        return BadCode(
            digits,
            f"the check digit of product code {digits} is wrong",
            "scan again; if this is a bin label of digits only, switch on AIM identifiers in the scanner",
        )
    return ItemCode(digits.zfill(14))


def _decode_sscc(text: str, sscc: str) -> Decoded:
    if not is_valid_sscc(sscc):
        return _bad(text, f"the check digit of parcel number {sscc} is wrong")
    return SsccCode(sscc)


def _decode_element_string(text: str) -> Decoded:
    if not text:
        return _bad(text, "the GS1 code is empty")
    if not text.isascii():
        return _bad(text, "the GS1 code has characters outside of GS1's character set")
    try:
        elements = list(GS1Message.parse(text).element_strings)
    except (biip.ParseError, ValueError, ArithmeticError, LookupError) as error:
        return _bad(text, f"malformed GS1 element string: {error}")
    problem = _problem_of_sequence(text, elements)
    if problem:
        return _bad(text, problem)
    return _decode_elements(text, {element.ai.ai: element for element in elements})


def _problem_of_sequence(text: str, elements: list[GS1ElementString]) -> str:
    """What biip lets pass: a field that runs on past its length, and one identifier with two values."""
    position = 0
    seen: dict[str, str] = {}
    for element in elements:
        position += len(element)
        rest = text[position:]
        if element.ai.separator_required and rest and not rest.startswith(GS):
            return f"the value of AI ({element.ai.ai}) is too long"
        if seen.setdefault(element.ai.ai, element.value) != element.value:
            return f"AI ({element.ai.ai}) is there twice with two values"
        position += len(rest) - len(rest.lstrip(GS))
    return ""


def _decode_elements(text: str, elements: dict[str, GS1ElementString]) -> Decoded:
    for ai, what in (("00", "parcel number"), ("01", "product code"), ("02", "product code")):
        element = elements.get(ai)
        if element is not None and (element.sscc_error or element.gtin_error):
            return _bad(text, f"the check digit of {what} {element.value} is wrong")
    # A pallet label may carry an SSCC and its content; the content is what the floor can act on, and our own
    # parcel labels carry none.
    for ai, decoder in _BY_LEADING_AI:
        if ai in elements:
            return decoder(text, elements)
    return _bad(text, "the GS1 code names no product and no parcel (no AI 01, 02 or 00)")


def _decode_case(text: str, elements: dict[str, GS1ElementString]) -> Decoded:
    quantity = _quantity(elements, "37")
    if "01" in elements:
        return _bad(text, "AI (01) and AI (02) exclude each other")
    if quantity is None:
        return _bad(text, "AI (02) needs a count in AI (37)")
    if not 1 <= quantity <= QUANTITY_MAX:
        return _bad(text, f"the count {quantity} is not between 1 and {QUANTITY_MAX}")
    return CaseCode(elements["02"].value, _value(elements, "10"), quantity, _expiry(elements))


def _decode_item(text: str, elements: dict[str, GS1ElementString]) -> Decoded:
    quantity = _quantity(elements, "30")
    if quantity is not None and not 1 <= quantity <= QUANTITY_MAX:
        return _bad(text, f"the count {quantity} is not between 1 and {QUANTITY_MAX}")
    return ItemCode(
        gtin14=elements["01"].value,
        lot=_value(elements, "10"),
        serial=_value(elements, "21"),
        expiry=_expiry(elements),
        quantity=quantity,
    )


def _decode_logistic_unit(text: str, elements: dict[str, GS1ElementString]) -> Decoded:
    return _decode_sscc(text, elements["00"].value)


_ElementDecoder: TypeAlias = Callable[[str, dict[str, GS1ElementString]], Decoded]
_BY_LEADING_AI: tuple[tuple[str, _ElementDecoder], ...] = (
    ("02", _decode_case),
    ("01", _decode_item),
    ("00", _decode_logistic_unit),
)


def _value(elements: dict[str, GS1ElementString], ai: str) -> str | None:
    element = elements.get(ai)
    return element.value if element is not None else None


def _quantity(elements: dict[str, GS1ElementString], ai: str) -> int | None:
    value = _value(elements, ai)
    return int(value) if value is not None else None


def _expiry(elements: dict[str, GS1ElementString]) -> date | None:
    """AI 17 (expiration date), or AI 15 (best before) where that is all that the code carries."""
    element = elements.get("17") or elements.get("15")
    return element.date if element is not None else None


def _bad(text: str, problem: str) -> BadCode:
    return BadCode(text, problem, _HINT_SCAN_AGAIN)
