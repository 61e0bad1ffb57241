"""Checks of dates and times in values. GS1 General Specifications 7.12 and the AIs' own sections.

The century of a two-digit year is not known here, and matters for one day only, 29 February: every fourth year is taken
as a leap year, which is right from 1901 to 2099.
"""

from __future__ import annotations

from bodega_adapters.framing.gs1.message import FaultKind, Wrong

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_OF_EVERY_YEAR = frozenset(
    f"{month:02}{day:02}" for month, days in enumerate(_DAYS, 1) for day in range(1, days + 1)
)
_MONTHS = frozenset(f"{month:02}" for month in range(1, 13))
_LEAP_DAY = "0229"


def yymmdd(text: str) -> Wrong | None:
    """A day of the calendar, two-digit year."""
    if text[2:] in _DAYS_OF_EVERY_YEAR or (text[2:] == _LEAP_DAY and int(text[:2]) % 4 == 0):
        return None
    return _wrong_day(text, 2)


def yymmd0(text: str) -> Wrong | None:
    """As `yymmdd`, or day 00: the last day of that month is meant."""
    if text[2:] in _DAYS_OF_EVERY_YEAR or (text[4:] == "00" and text[2:4] in _MONTHS):
        return None
    return yymmdd(text)


def yyyymmdd(text: str) -> Wrong | None:
    """A day of the calendar, four-digit year."""
    year = int(text[:4])
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if text[4:] in _DAYS_OF_EVERY_YEAR or (text[4:] == _LEAP_DAY and is_leap):
        return None
    return _wrong_day(text, 4)


def hh(text: str) -> Wrong | None:
    """Hours, 00 to 23."""
    return None if text < "24" else Wrong(FaultKind.TIME, 0, f"there is no hour {text}")


def mi(text: str) -> Wrong | None:
    """Minutes, 00 to 59."""
    return None if text < "60" else Wrong(FaultKind.TIME, 0, f"there is no minute {text}")


def ss(text: str) -> Wrong | None:
    """Seconds, 00 to 59."""
    return None if text < "60" else Wrong(FaultKind.TIME, 0, f"there is no second {text}")


def hhmi(text: str) -> Wrong | None:
    """Hours and minutes."""
    return hh(text[:2]) or (
        Wrong(FaultKind.TIME, 2, f"there is no minute {text[2:]}") if text[2:] > "59" else None
    )


def _wrong_day(text: str, month_at: int) -> Wrong:
    month, day = text[month_at : month_at + 2], text[month_at + 2 :]
    if month not in _MONTHS:
        return Wrong(FaultKind.DATE, month_at, f"there is no month {month}")
    return Wrong(
        FaultKind.DATE, month_at + 2, f"there is no day {day} in month {month} of year {text[:month_at]}"
    )
