"""Values that are right for an AI, made at random from the AI's own row of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from bodega.core.gtin import check_digit
from bodega_adapters.framing.gs1 import Element, checks, codes, coupons, dates
from bodega_adapters.framing.gs1.specs import Component, spec_of

CHARACTERS = {
    "N": "0123456789",
    "X": checks.SET_82,
    "Y": "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
}
IBANS = ("DE91100000000123456789", "BE71096123456769", "MU43BOMM0101123456789101000MUR")
COUPONS = ("012345612345611110123", "0123456123456111101231011012301234563261231426010150123456")
OFFERS = ("001234561234560123456", "061234567890121234569123456789012345")
_Maker = Callable[[Random, int], str]


def _one_of(choices: Iterable[str]) -> _Maker:
    ordered = sorted(choices)
    return lambda random, _length: random.choice(ordered)


def _digits(random: Random, length: int) -> str:
    return "".join(random.choices("0123456789", k=length))


def _with_check_digit(random: Random, length: int) -> str:
    payload = _digits(random, length - 1)
    return f"{payload}{check_digit(payload)}"


def _with_check_characters(random: Random, length: int) -> str:
    payload = _digits(random, 4) + "".join(random.choices(CHARACTERS["X"], k=max(length - 6, 1)))
    payload = payload[:4] + "x" + payload[5:]
    return payload + checks.check_characters(payload)


def _pieces(random: Random, _length: int) -> str:
    total = random.randint(1, 99)
    return f"{random.randint(1, total):02}{total:02}"


def _date(random: Random, _length: int) -> str:
    return f"{random.randint(0, 99):02}{random.randint(1, 12):02}{random.randint(1, 28):02}"


def _time(random: Random, length: int) -> str:
    return f"{random.randint(0, 23):02}{random.randint(0, 59):02}"[:length]


MAKERS: dict[checks.Check, _Maker] = {
    checks.csum: _with_check_digit,
    checks.csumalpha: _with_check_characters,
    checks.cset64: lambda random, length: "".join(random.choices(CHARACTERS["Z"], k=length)),
    checks.key: lambda random, length: _digits(random, max(length, 4)),
    checks.pieceoftotal: _pieces,
    checks.pcenc: lambda random, length: "".join(random.choices("ABCxyz019.,-", k=length)),
    checks.posinseqslash: _one_of(["1/2", "2/2", "9/9"]),
    checks.nonzero: lambda random, length: "1" + _digits(random, length - 1),
    checks.nozeroprefix: lambda random, length: "7" + _digits(random, length - 1),
    checks.iban: _one_of(IBANS),
    coupons.couponcode: _one_of(COUPONS),
    coupons.couponposoffer: _one_of(OFFERS),
    dates.yymmdd: _date,
    dates.yymmd0: _date,
    dates.yyyymmdd: lambda random, length: "19" + _date(random, length),
    dates.hh: _time,
    dates.mi: _time,
    dates.ss: _time,
    dates.hhmi: _time,
    checks.CHECKS["hyphen"]: _one_of("-"),
    checks.CHECKS["importeridx"]: _one_of("-09AZ_az"),
    checks.CHECKS["iso3166"]: _one_of(codes.COUNTRIES_NUMERIC),
    checks.CHECKS["iso3166999"]: _one_of(["999", "276", "840"]),
    checks.CHECKS["iso3166alpha2"]: _one_of(codes.COUNTRIES_ALPHA_2),
    checks.CHECKS["iso4217"]: _one_of(codes.CURRENCIES_NUMERIC),
    checks.CHECKS["iso5218"]: _one_of("0129"),
    checks.CHECKS["latitude"]: lambda random, _length: f"{random.randint(0, 180 * 10**7):010}",
    checks.CHECKS["longitude"]: lambda random, _length: f"{random.randint(0, 360 * 10**7):010}",
    checks.CHECKS["mediatype"]: _one_of(codes.MEDIA_TYPES),
    checks.CHECKS["packagetype"]: _one_of(codes.PACKAGE_TYPES),
    checks.CHECKS["winding"]: _one_of("019"),
    checks.CHECKS["yesno"]: _one_of("01"),
    checks.CHECKS["zero"]: _one_of("0"),
}


def right_value(ai: str, random: Random) -> str:
    """A value that the AI may have."""
    spec = spec_of(ai)
    assert spec is not None
    value = ""
    for part in spec.components:
        if part.optional and random.random() < 0.5:
            break
        value += _part(part, random)
    return value


def right_element(ai: str, random: Random) -> Element:
    """The AI with a value that it may have."""
    return Element(ai, right_value(ai, random))


def _part(part: Component, random: Random) -> str:
    length = random.randint(part.chars_min, part.chars_max)
    for check in part.checks:
        if check in MAKERS:
            return MAKERS[check](random, length)
    return "".join(random.choices(CHARACTERS[part.charset], k=length))
