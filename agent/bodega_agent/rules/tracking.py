"""Tracking numbers out of a range that the node holds, so that a label needs no network.

Sources: Universal Postal Union standard S10 (two letters, eight digits, check digit by the weights 8 6 4 2 3 5 9 7,
country); "mod10": digits with the check digit of GS1 General Specifications, section 7.9.1, as many carriers use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bodega_adapters.framing.check_digit import gs1_check_digit

S10, MOD10 = "s10", "mod10"
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10_DIGITS = 8
_S10_SPECIAL = {10: 0, 11: 5}


class Series(NamedTuple):
    """Numbers that differ in their digits alone: what must never be given twice."""

    carrier: str
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class TrackingRange:
    """As NodeProfile.tracking_ranges; both numbers inclusive."""

    carrier: str
    scheme: str
    prefix: str
    suffix: str
    first_number: int
    last_number: int
    digits: int

    @property
    def series(self) -> Series:
        """What its last number is remembered by."""
        return Series(self.carrier, self.prefix, self.suffix)

    def number(self, serial: int) -> str:
        """The tracking number of one serial."""
        if self.scheme == S10:
            digits = f"{serial:0{_S10_DIGITS}d}"
            return f"{self.prefix}{digits}{s10_check_digit(digits)}{self.suffix}"
        body = f"{self.prefix}{serial:0{self.digits}d}"
        return f"{body}{gs1_check_digit(body)}{self.suffix}"

    def serial(self, number: str) -> int | None:
        """The serial of a tracking number of this range, whether in its bounds or not; None if it is none of it."""
        digits = _S10_DIGITS if self.scheme == S10 else self.digits
        body = number[len(self.prefix) : len(number) - len(self.suffix)][:digits]
        if not (body.isascii() and body.isdigit()):
            return None
        return int(body) if self.number(int(body)) == number else None


def s10_check_digit(digits: str) -> int:
    """The check digit of eight digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, digits, strict=True))
    rest = 11 - total % 11
    return _S10_SPECIAL.get(rest, rest)


class Given(NamedTuple):
    """The number that a parcel gets, and the serial that is used up with it."""

    number: str
    series: Series
    serial: int


def next_number(
    ranges: Sequence[TrackingRange], carrier: str, last_serials: Mapping[Series, int]
) -> Given | None:
    """The next number of a carrier's ranges, in their order; None if they are used up or there is none."""
    for one in ranges:
        serial = max(one.first_number, last_serials.get(one.series, -1) + 1)
        if one.carrier == carrier and serial <= one.last_number:
            return Given(one.number(serial), one.series, serial)
    return None


def used_up(ranges: Sequence[TrackingRange], last_serials: Mapping[Series, int]) -> frozenset[str]:
    """Carriers whose ranges have no number left; one that gave the node no range is none of them."""
    carriers = {one.carrier for one in ranges}
    return frozenset(carrier for carrier in carriers if next_number(ranges, carrier, last_serials) is None)
