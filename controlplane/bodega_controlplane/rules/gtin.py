"""GTINs: 8, 12, 13 or 14 digits with a right check digit (GS1 General Specifications, section 7.9)."""

from __future__ import annotations

_LENGTHS = (8, 12, 13, 14)


def fault_in(text: str) -> str | None:
    """What is wrong with it, as half a sentence; None if it is a GTIN."""
    if not (text.isascii() and text.isdigit() and len(text) in _LENGTHS):
        return f"must be 8, 12, 13 or 14 digits, is {text[:20]!r}"
    if int(text) == 0:
        return "must not be all zeros"
    right = check_digit(text[:-1])
    if int(text[-1]) != right:
        return f"has the check digit {text[-1]}, which should be {right}: {text}"
    return None


def check_digit(digits: str) -> int:
    """The digit that follows `digits`: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def as_gtin14(text: str) -> str:
    """The form kept everywhere inside: 14 digits, zeros in front."""
    return text.zfill(14)
