"""What a scanned text means on the floor: item, case, parcel, control word, plain label, or a bad code.

The content is read in `symbols.py`; this file says what it is for the people who hold it. Needs that one barcode leaves
unmet (a count without a parcel number) do not make it bad: GS1 judges them over all barcodes on the same item. AIs that
exclude each other do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from bodega.limits import QUANTITY_MAX
from bodega_adapters.framing.gs1.message import Element, Fault, Message
from bodega_adapters.framing.gs1.symbols import ELEMENT_STRING_SYMBOLOGIES, read_symbol, split_symbol
from bodega_adapters.framing.gs1.values import date_of

CONTROL_PREFIX = "CMD-"
# A clock that stands before the year of this release is wrong; centuries are not told by it (`values.year_of`).
RELEASE_YEAR = 2026
_CONTROL_WORD = re.compile(r"CMD-[A-Z0-9]+(-[A-Z0-9]+)*")
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


def elements_in(text: str, symbology: str | None) -> tuple[Element, ...]:
    """The GS1 elements that a scanned text carries, in their order; empty if it is malformed or not GS1's."""
    parsed = read_symbol(text, symbology)
    return parsed.elements if isinstance(parsed, Message) else ()


def decode(text: str, symbology: str | None, *, year: int = RELEASE_YEAR) -> Decoded:
    """Say what `text` means; never raises. An AIM identifier still in front of `text` is understood.

    `year` is that of today, for the century of expiry dates.
    """
    symbology, text = split_symbol(text, symbology)
    if symbology not in ELEMENT_STRING_SYMBOLOGIES and text.startswith(CONTROL_PREFIX):
        return _decode_control(text)
    parsed = read_symbol(text, symbology)
    if isinstance(parsed, Fault):
        return BadCode(text, str(parsed), parsed.hint)
    if parsed is not None:
        return _decode_message(text, parsed, max(year, RELEASE_YEAR))
    return PlainCode(text)


def _decode_control(text: str) -> Decoded:
    if _CONTROL_WORD.fullmatch(text) is None:
        return _bad(text, "the control barcode has no readable word after CMD-")
    return ControlCode(text)


def _decode_message(text: str, message: Message, year: int) -> Decoded:
    # A pallet label may carry an SSCC and its content; the content is what the floor can act on, and our own
    # parcel labels carry none.
    for ai, decoder in _BY_LEADING_AI:
        value = message.get(ai)
        if value is not None:
            return decoder(text, value, message, year)
    return _bad(text, "the GS1 code names no product and no parcel (no AI 01, 02 or 00)")


def _decode_case(text: str, gtin14: str, message: Message, year: int) -> Decoded:
    quantity = message.get("37")
    if quantity is None:
        return _bad(text, "AI (02) needs a count in AI (37)")
    if not 1 <= int(quantity) <= QUANTITY_MAX:
        return _bad(text, f"the count {quantity} is not between 1 and {QUANTITY_MAX}")
    return CaseCode(gtin14, message.get("10"), int(quantity), _expiry(message, year))


def _decode_item(text: str, gtin14: str, message: Message, year: int) -> Decoded:
    quantity = message.get("30")
    if quantity is not None and not 1 <= int(quantity) <= QUANTITY_MAX:
        return _bad(text, f"the count {quantity} is not between 1 and {QUANTITY_MAX}")
    return ItemCode(
        gtin14=gtin14,
        lot=message.get("10"),
        serial=message.get("21"),
        expiry=_expiry(message, year),
        quantity=None if quantity is None else int(quantity),
    )


def _decode_logistic_unit(_text: str, sscc: str, _message: Message, _year: int) -> Decoded:
    return SsccCode(sscc)


_MessageDecoder: TypeAlias = Callable[[str, str, Message, int], Decoded]
_BY_LEADING_AI: tuple[tuple[str, _MessageDecoder], ...] = (
    ("02", _decode_case),
    ("01", _decode_item),
    ("00", _decode_logistic_unit),
)


def _expiry(message: Message, year: int) -> date | None:
    """AI 17 (expiration date), or AI 15 (best before) where that is all that the code carries."""
    value = message.get("17") or message.get("15")
    return date_of(value, year=year) if value is not None else None


def _bad(text: str, problem: str) -> BadCode:
    return BadCode(text, problem, _HINT_SCAN_AGAIN)
