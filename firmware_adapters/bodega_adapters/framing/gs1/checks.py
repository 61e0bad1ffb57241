"""Checks of the content of a value, beyond length and character set: digits, code lists, coordinates, ...

Each takes one component of a value, which has the right length and character set already, and says what is wrong with
it, or None. They are named as in GS1's syntax dictionary; `CHECKS` is what the rows of `ai_table.py` refer to. Sources:
GS1 General Specifications 7.9 (check digits and check characters) and 3 (the AIs); ISO 13616 (IBAN).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from bodega.core.gtin import check_digit
from bodega_adapters.framing.gs1 import codes, dates
from bodega_adapters.framing.gs1.coupons import couponcode, couponposoffer
from bodega_adapters.framing.gs1.message import FaultKind, Wrong

Check: TypeAlias = Callable[[str], Wrong | None]
COMPANY_PREFIX_DIGITS_MIN = 4
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
SET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_CHECK_CHARACTERS_MODULUS = 1021
_PERCENT_WITHOUT_HEX = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IBAN = re.compile(r"[A-Z]{2}[0-9A-Z]*")
_IBAN_CHARACTERS_MIN = 11
_POSITION_OF_END = re.compile(r"([0-9]+)/([0-9]+)")
_DEGREES = 10**7
_ASCII_ZERO = 48


def csum(text: str) -> Wrong | None:
    """The last digit is the standard check digit of those before it."""
    digits = text.encode()
    threefold, single = digits[-2::-2], digits[-1::-2]
    # The same sum as in `bodega.core.gtin`, over bytes: this runs for every GTIN that is scanned.
    if (3 * sum(threefold) + sum(single) - _ASCII_ZERO * (3 * len(threefold) + len(single))) % 10 == 0:
        return None
    right = check_digit(text[:-1])
    return Wrong(
        FaultKind.CHECK_DIGIT, len(text) - 1, f"the check digit of {text} is wrong, it should be {right}"
    )


def check_characters(text: str) -> str:
    """The two check characters to append to `text`, which is of character set 82 and at most 23 characters."""
    total = sum(
        prime * SET_82.index(character) for prime, character in zip(_PRIMES, reversed(text), strict=False)
    )
    high, low = divmod(total % _CHECK_CHARACTERS_MODULUS, len(SET_32))
    return SET_32[high] + SET_32[low]


def csumalpha(text: str) -> Wrong | None:
    """The last two characters are the check characters of those before them."""
    if len(text) < 2:
        return Wrong(FaultKind.CHECK_DIGIT, 0, f"{text} is too short for its two check characters")
    right = check_characters(text[:-2])
    if text[-2:] == right:
        return None
    problem = f"the check characters of {text} are wrong, they should be {right}"
    return Wrong(FaultKind.CHECK_DIGIT, len(text) - 2, problem)


def cset64(text: str) -> Wrong | None:
    """Padding of base64url is at the end, and fills up to a multiple of three characters, if there is any."""
    content = text.rstrip("=")
    padding = len(text) - len(content)
    if "=" not in content and (padding == 0 or (padding <= 2 and len(text) % 3 == 0)):
        return None
    return Wrong(FaultKind.FORMAT, text.index("="), "the padding with = is wrong")


def key(text: str) -> Wrong | None:
    """It begins with a GS1 Company Prefix; that it has been given out to somebody is not looked up."""
    start = text[:COMPANY_PREFIX_DIGITS_MIN]
    if len(start) == COMPANY_PREFIX_DIGITS_MIN and start.isdigit():
        return None
    return Wrong(FaultKind.FORMAT, 0, f"{text} must begin with a GS1 Company Prefix, at least 4 digits")


def hasnondigit(text: str) -> Wrong | None:
    """It is not digits only."""
    return (
        Wrong(FaultKind.FORMAT, 0, f"{text} must have a character that is no digit")
        if text.isdigit()
        else None
    )


def nonzero(text: str) -> Wrong | None:
    """It is not zero."""
    return None if text.strip("0") else Wrong(FaultKind.FORMAT, 0, "it must not be zero")


def nozeroprefix(text: str) -> Wrong | None:
    """It is zero, or does not begin with one."""
    return Wrong(FaultKind.FORMAT, 0, "it must not begin with 0") if text[0] == "0" and text != "0" else None


def pieceoftotal(text: str) -> Wrong | None:
    """Piece number and total, two digits each."""
    piece, total = text[:2], text[2:]
    if piece == "00":
        return Wrong(FaultKind.FORMAT, 0, "there is no piece 00")
    if total == "00":
        return Wrong(FaultKind.FORMAT, 2, "there can not be 00 pieces in all")
    return Wrong(FaultKind.FORMAT, 0, f"there is no piece {piece} of {total}") if piece > total else None


def posinseqslash(text: str) -> Wrong | None:
    """A position in a sequence, such as 2/3."""
    found = _POSITION_OF_END.fullmatch(text)
    if found is None:
        return Wrong(FaultKind.FORMAT, 0, f"{text} is no position in a sequence, such as 2/3")
    position, end = found.groups()
    if position[0] == "0" or end[0] == "0":
        return Wrong(
            FaultKind.FORMAT, 0 if position[0] == "0" else found.start(2), "it must not begin with 0"
        )
    return (
        Wrong(FaultKind.FORMAT, 0, f"there is no {position} of {end}") if int(position) > int(end) else None
    )


def pcenc(text: str) -> Wrong | None:
    """Each % begins the code of a character."""
    found = _PERCENT_WITHOUT_HEX.search(text)
    return Wrong(FaultKind.FORMAT, found.start(), "% must be followed by two hex digits") if found else None


def iban(text: str) -> Wrong | None:
    """An International Bank Account Number."""
    if text[:2] not in codes.COUNTRIES_ALPHA_2:
        return Wrong(FaultKind.CODE_LIST, 0, f"{text[:2]} is no country of an IBAN")
    if len(text) < _IBAN_CHARACTERS_MIN:
        return Wrong(FaultKind.LENGTH, 0, f"{text} is too short for an IBAN")
    if _IBAN.fullmatch(text) is None:
        return Wrong(FaultKind.CHARACTER, 0, "an IBAN has digits and capital letters only")
    if int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 != 1:
        return Wrong(FaultKind.CHECK_DIGIT, 2, f"the check digits {text[2:4]} of the IBAN are wrong")
    return None


def iso3166list(text: str) -> Wrong | None:
    """Countries, three digits each."""
    for at in range(0, len(text), 3):
        if text[at : at + 3] not in codes.COUNTRIES_NUMERIC:
            return Wrong(FaultKind.CODE_LIST, at, f"{text[at : at + 3]} is no country (ISO 3166)")
    return None


def _member(allowed: frozenset[str], what: str) -> Check:
    def check(text: str) -> Wrong | None:
        return None if text in allowed else Wrong(FaultKind.CODE_LIST, 0, f"{text} is no {what}")

    return check


def _degrees(largest: int, what: str) -> Check:
    def check(text: str) -> Wrong | None:
        return None if int(text) <= largest * _DEGREES else Wrong(FaultKind.FORMAT, 0, f"{text} is no {what}")

    return check


_INDEX = frozenset("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
CHECKS: dict[str, Check] = {
    "couponcode": couponcode,
    "couponposoffer": couponposoffer,
    "cset64": cset64,
    "csum": csum,
    "csumalpha": csumalpha,
    "hasnondigit": hasnondigit,
    "hh": dates.hh,
    "hhmi": dates.hhmi,
    "hyphen": _member(frozenset("-"), "minus sign"),
    "iban": iban,
    "importeridx": _member(_INDEX, "importer index (letters, digits, - and _)"),
    "iso3166": _member(codes.COUNTRIES_NUMERIC, "country (ISO 3166)"),
    "iso3166999": _member(codes.COUNTRIES_NUMERIC | {"999"}, "country (ISO 3166), and not 999 either"),
    "iso3166alpha2": _member(codes.COUNTRIES_ALPHA_2, "country (ISO 3166)"),
    "iso4217": _member(codes.CURRENCIES_NUMERIC, "currency (ISO 4217)"),
    "iso5218": _member(frozenset("0129"), "code of a biological sex (ISO 5218)"),
    "key": key,
    "latitude": _degrees(180, "latitude"),
    "longitude": _degrees(360, "longitude"),
    "mediatype": _member(codes.MEDIA_TYPES, "AIDC media type"),
    "mi": dates.mi,
    "nonzero": nonzero,
    "nozeroprefix": nozeroprefix,
    "packagetype": _member(codes.PACKAGE_TYPES, "package type (UN/ECE Recommendation 21)"),
    "pcenc": pcenc,
    "pieceoftotal": pieceoftotal,
    "posinseqslash": posinseqslash,
    "ss": dates.ss,
    "winding": _member(frozenset("019"), "winding direction (0, 1 or 9)"),
    "yesno": _member(frozenset("01"), "answer (0 is no, 1 is yes)"),
    "yymmd0": dates.yymmd0,
    "yymmdd": dates.yymmdd,
    "yyyymmdd": dates.yyyymmdd,
    "zero": _member(frozenset("0"), "zero"),
}
