"""Whether a scanned number is right by its check digit (`bodega.core.gtin`), and SSCCs made with one.

Source of the rule: GS1 General Specifications, section 7.9.1 (standard check digit calculation for data
structures of fixed length).
"""

from __future__ import annotations

from bodega.core.gtin import GTIN_LENGTHS, SSCC_DIGITS, all_digits, check_digit
from bodega.errors import InvalidInput

COMPANY_PREFIX_DIGITS_MIN = 4
COMPANY_PREFIX_DIGITS_MAX = 12
UPC_E_DIGITS = 8


def gs1_check_digit(digits: str) -> int:
    """The check digit (0 to 9) to append to `digits`; raises `InvalidInput` if they are not ASCII digits."""
    if not all_digits(digits):
        raise InvalidInput(
            f"can not compute a GS1 check digit of {digits!r}", hint="give the digits without the check digit"
        )
    return check_digit(digits)


def has_valid_check_digit(digits: str) -> bool:
    """Whether the last digit is the right check digit of those before it."""
    return len(digits) > 1 and all_digits(digits) and gs1_check_digit(digits[:-1]) == int(digits[-1])


def is_valid_gtin(digits: str) -> bool:
    """Whether this is a GTIN-8, -12, -13 or -14 with a right check digit."""
    return len(digits) in GTIN_LENGTHS and has_valid_check_digit(digits)


def expand_upc_e(digits: str) -> str | None:
    """The 12 digits of a UPC-E (number system 0 or 1, six digits, check digit); None if this is none.

    Source: ISO/IEC 15420, annex on zero suppression: the last of the six digits says where the zeros were.
    """
    if len(digits) != UPC_E_DIGITS or not all_digits(digits) or digits[0] not in "01":
        return None
    system, body, last = digits[0], digits[1:6], digits[6]
    if last in "012":
        payload = f"{body[:2]}{last}0000{body[2:]}"
    elif last == "3":
        payload = f"{body[:3]}00000{body[3:]}"
    elif last == "4":
        payload = f"{body[:4]}00000{body[4:]}"
    else:
        payload = f"{body}0000{last}"
    expanded = f"{system}{payload}{digits[7]}"
    return expanded if has_valid_check_digit(expanded) else None


def is_valid_sscc(digits: str) -> bool:
    """Whether this is an SSCC: 18 digits with a right check digit."""
    return len(digits) == SSCC_DIGITS and has_valid_check_digit(digits)


def make_sscc(extension: int, company_prefix: str, serial: int) -> str:
    """The 18-digit SSCC of extension digit, GS1 company prefix and serial reference.

    Serials may be used again a year after the goods were shipped at the earliest (GS1 General Specifications,
    section 4.3): keeping them unique is the caller's matter. Raises `InvalidInput`, naming the bad part.
    """
    if not 0 <= extension <= 9:
        raise InvalidInput(f"SSCC extension digit {extension} is not one digit", hint="use 0 to 9")
    if not (
        all_digits(company_prefix)
        and COMPANY_PREFIX_DIGITS_MIN <= len(company_prefix) <= COMPANY_PREFIX_DIGITS_MAX
    ):
        raise InvalidInput(
            f"GS1 company prefix {company_prefix!r} is not "
            f"{COMPANY_PREFIX_DIGITS_MIN} to {COMPANY_PREFIX_DIGITS_MAX} digits",
            hint="take it from your GS1 licence certificate",
        )
    serial_digits = SSCC_DIGITS - 2 - len(company_prefix)
    if not 0 <= serial < 10**serial_digits:
        raise InvalidInput(
            f"serial reference {serial} does not fit the {serial_digits} digits that {company_prefix} leaves",
            hint="use another extension digit or a shorter company prefix",
        )
    payload = f"{extension}{company_prefix}{serial:0{serial_digits}d}"
    return f"{payload}{gs1_check_digit(payload)}"
