"""Which lot goes first: first expired, first out, by dates as ISO 8601 text ("2027-03-31"; empty: unknown).

Goods may be sold up to and on the day that they carry (GS1 General Specifications, 3.4: AI 15 and AI 17 name
the last good day). A person may set the rule aside by an override: "expired" lets one lot be sold after its
day, "fefo" lets one lot go before an earlier one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = "9999-12-31"


def is_date(text: str) -> bool:
    """Whether this is a day of the calendar, written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def day_of(at_ms: int) -> str:
    """The UTC day of a wall clock in milliseconds since 1970."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).date().isoformat()


def is_past(expiry: str, today: str) -> bool:
    """Whether goods of this expiry may not be sold any more; an unknown expiry is never past."""
    return bool(expiry) and expiry < today


def first_out_key(expiry: str, lot: str = "") -> tuple[str, str]:
    """Sorts lots, first out first: the earliest expiry, an unknown one last; ties by lot."""
    return expiry or _NEVER, lot
