"""What a value says, as Python values: dates, moments, weights, prices, counts, places.

Sources: GS1 General Specifications 3 (the AIs) and 7.12 (the century of a two-digit year: never more than 49 years
back, nor more than 50 ahead). A barcode says nothing of time zones: moments are naive, in the printer's local time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from bodega_adapters.framing.gs1.message import Element
from bodega_adapters.framing.gs1.percent import percent_decoded
from bodega_adapters.framing.gs1.specs import spec_of

YEARS_BACK_MAX = 49
YEARS_AHEAD_MAX = 50
_CENTURY = 100
_DEGREES_SCALE = 7


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its unit as GS1 names it ("kg", "m³", "%", "°C")."""

    number: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Money:
    """An amount; `currency` is the ISO 4217 number ("978"), or empty: the one of the place where it is scanned."""

    amount: Decimal
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees: latitude -90 to 90, longitude -180 to 180."""

    latitude: Decimal
    longitude: Decimal


Value: TypeAlias = (
    str | int | bool | date | datetime | Measure | Money | Place | tuple[date, date] | tuple[str, ...]
)


def value_of(element: Element, *, year: int) -> Value:
    """What a value that has been parsed says; text where there is no more to it. `year` is that of today."""
    ai, value = element
    reader = _READERS.get(ai) or _READERS_BY_START.get(ai[:3]) or _READERS_BY_START.get(ai[:2])
    return value if reader is None else reader(ai, value, year)


def date_of(value: str, *, year: int) -> date:
    """A date YYMMDD that has been checked; day 00 is the last of its month. `year` is that of today."""
    full_year, month, day = year_of(int(value[:2]), year), int(value[2:4]), int(value[4:6])
    if day and (month, day) != (2, 29):
        return date(full_year, month, day)
    # Day 00; or 29 February, which a year 00 that turns out to be 2100 does not have.
    return date(full_year, month, monthrange(full_year, month)[1])


def year_of(two_digits: int, year: int) -> int:
    """The full year that two digits stand for when it is `year` now."""
    full_year = year - year % _CENTURY + two_digits
    if full_year - year > YEARS_AHEAD_MAX:
        return full_year - _CENTURY
    return full_year + _CENTURY if year - full_year > YEARS_BACK_MAX else full_year


_Reader: TypeAlias = Callable[[str, str, int], Value]


def _date(_ai: str, value: str, year: int) -> Value:
    return date_of(value, year=year)


def _period(_ai: str, value: str, year: int) -> Value:
    first = date_of(value[:6], year=year)
    return first, date_of(value[6:], year=year) if value[6:] else first


def _moment(_ai: str, value: str, year: int) -> Value:
    """A date and, where it is there, a time HH, HHMM or HHMMSS."""
    return _with_time(date_of(value[:6], year=year), value[6:])


def _birth(_ai: str, value: str, _year: int) -> Value:
    return _with_time(date(int(value[:4]), int(value[4:6]), int(value[6:8])), value[8:])


def _with_time(day: date, digits: str) -> date | datetime:
    if not digits:
        return day
    hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
    return datetime.combine(day, time(hours, minutes, seconds))


def _count(_ai: str, value: str, _year: int) -> Value:
    return int(value)


def _measure(ai: str, value: str, _year: int) -> Value:
    return Measure(_decimal(value, int(ai[-1])), _unit(ai))


def _money(ai: str, value: str, _year: int) -> Value:
    return Money(_decimal(value, int(ai[-1])))


def _money_of_currency(ai: str, value: str, _year: int) -> Value:
    return Money(_decimal(value[3:], int(ai[-1])), value[:3])


def _temperature(ai: str, value: str, _year: int) -> Value:
    degrees = _decimal(value[:6], 2)
    return Measure(-degrees if value.endswith("-") else degrees, _unit(ai))


def _place(_ai: str, value: str, _year: int) -> Value:
    latitude = _decimal(value[:10], _DEGREES_SCALE) - 90
    longitude = _decimal(value[10:], _DEGREES_SCALE)
    return Place(latitude, longitude - 360 if longitude > 180 else longitude)


def _answer(_ai: str, value: str, _year: int) -> Value:
    return value == "1"


def _countries(_ai: str, value: str, _year: int) -> Value:
    return tuple(value[at : at + 3] for at in range(0, len(value), 3))


def _encoded_text(_ai: str, value: str, _year: int) -> Value:
    return percent_decoded(value.replace("+", " "))


def _decimal(digits: str, decimals: int) -> Decimal:
    return Decimal(digits).scaleb(-decimals)


def _unit(ai: str) -> str:
    spec = spec_of(ai)
    return spec.unit if spec is not None else ""


_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("11", "12", "13", "15", "16", "17", "4326", "7006"), _date),
    **dict.fromkeys(("4324", "4325", "7003", "7011", "8008"), _moment),
    **dict.fromkeys(("7250", "7251"), _birth),
    **dict.fromkeys(("30", "37"), _count),
    **dict.fromkeys(("4321", "4322", "4323"), _answer),
    **dict.fromkeys(("423", "425"), _countries),
    **dict.fromkeys(("4300", "4301", "4302", "4303", "4304", "4305", "4306"), _encoded_text),
    **dict.fromkeys(("4310", "4311", "4312", "4313", "4314", "4315", "4316", "4320"), _encoded_text),
    **dict.fromkeys(("7253", "7254", "7256", "7257", "7259"), _encoded_text),
    "4309": _place,
    "7007": _period,
}
_READERS_BY_START: dict[str, _Reader] = {
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "394"), _measure),
    **dict.fromkeys(("390", "392", "395"), _money),
    **dict.fromkeys(("391", "393"), _money_of_currency),
    "433": _temperature,
}
