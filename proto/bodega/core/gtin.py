"""GS1 check digits and GTINs: 8, 12, 13 or 14 digits (GS1 General Specifications, section 7.9)."""

from __future__ import annotations

GTIN_LENGTHS = frozenset({8, 12, 13, 14})
SSCC_DIGITS = 18


def all_digits(text: str) -> bool:
    """Whether text is one or more ASCII digits (`str.isdigit` would let other scripts' digits in)."""
    return text.isascii() and text.isdigit()


def check_digit(digits: str) -> int:
    """The digit that follows `digits`: weights 3 and 1 from the right, filled up to the next ten."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return -total % 10


def fault_in(text: str) -> str | None:
    """What is wrong with a GTIN, as half a sentence; None if it is one."""
    if not (all_digits(text) and len(text) in GTIN_LENGTHS):
        return f"must be 8, 12, 13 or 14 digits, is {text[:20]!r}"
    if int(text) == 0:
        return "must not be all zeros"
    return _wrong_check_digit(text)


def fault_in_sscc(text: str) -> str | None:
    """What is wrong with an SSCC, as half a sentence; None if it is one."""
    if not (all_digits(text) and len(text) == SSCC_DIGITS):
        return f"must be {SSCC_DIGITS} digits, is {text[:20]!r}"
    return _wrong_check_digit(text)


def _wrong_check_digit(text: str) -> str | None:
    right = check_digit(text[:-1])
    if int(text[-1]) != right:
        return f"has the check digit {text[-1]}, which should be {right}: {text}"
    return None


def as_gtin14(text: str) -> str:
    """The form kept everywhere inside: 14 digits, zeros in front."""
    return text.zfill(14)
