"""What values say: dates with the century rule and day 00, moments, weights, prices, temperatures, places."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.framing.gs1 import Element, ItemCode, Measure, Money, Place, Value, decode, value_of
from bodega_adapters.framing.gs1.values import date_of, year_of


@pytest.mark.parametrize(
    ("ai", "text", "value"),
    [
        ("17", "280229", date(2028, 2, 29)),
        ("17", "280200", date(2028, 2, 29)),
        ("15", "270200", date(2027, 2, 28)),
        ("11", "991231", date(1999, 12, 31)),
        ("7006", "260131", date(2026, 1, 31)),
        ("7007", "260131", (date(2026, 1, 31), date(2026, 1, 31))),
        ("7007", "260131260205", (date(2026, 1, 31), date(2026, 2, 5))),
        ("7003", "2602281530", datetime.fromisoformat("2026-02-28T15:30:00")),
        ("7011", "260228", date(2026, 2, 28)),
        ("7011", "2602280905", datetime.fromisoformat("2026-02-28T09:05:00")),
        ("8008", "26022815", datetime.fromisoformat("2026-02-28T15:00:00")),
        ("8008", "260228153059", datetime.fromisoformat("2026-02-28T15:30:59")),
        ("4324", "2602001530", datetime.fromisoformat("2026-02-28T15:30:00")),
        ("7250", "19280229", date(1928, 2, 29)),
        ("7251", "192802290001", datetime.fromisoformat("1928-02-29T00:01:00")),
        ("30", "0012", 12),
        ("37", "24", 24),
        ("3103", "000195", Measure(Decimal("0.195"), "kg")),
        ("3100", "000195", Measure(Decimal(195), "kg")),
        ("3105", "123456", Measure(Decimal("1.23456"), "kg")),
        ("3372", "000195", Measure(Decimal("1.95"), "kg/m\u00b2")),
        ("3562", "000195", Measure(Decimal("1.95"), "t oz")),
        ("3161", "000195", Measure(Decimal("19.5"), "m\u00b3")),
        ("3922", "0299", Money(Decimal("2.99"))),
        ("3912", "9780299", Money(Decimal("2.99"), "978")),
        ("3932", "9780299", Money(Decimal("2.99"), "978")),
        ("3941", "0105", Measure(Decimal("10.5"), "%")),
        ("3953", "000195", Money(Decimal("0.195"))),
        ("4331", "000450", Measure(Decimal("4.50"), "\u00b0C")),
        ("4333", "001800-", Measure(Decimal("-18.00"), "\u00b0C")),
        ("4309", "02790858483015297971", Place(Decimal("-62.0914152"), Decimal("-58.4702029"))),
        ("4309", "00000000001805000000", Place(Decimal(-90), Decimal("-179.5"))),
        ("4309", "18000000001800000000", Place(Decimal(90), Decimal(180))),
        ("4321", "1", True),
        ("4321", "0", False),
        ("423", "276840", ("276", "840")),
        ("4302", "H%C3%B6he+7", "H\u00f6he 7"),
        ("4302", "%E9", "\u00e9"),
        ("10", "L-1", "L-1"),
    ],
)
def test_a_value_says(ai: str, text: str, value: Value) -> None:
    assert value_of(Element(ai, text), year=2026) == value


@pytest.mark.parametrize(
    ("two_digits", "year", "full_year"),
    [
        (26, 2026, 2026),
        (76, 2026, 2076),
        (77, 2026, 1977),
        (0, 2049, 2000),
        (0, 2050, 2100),
        (99, 2049, 2099),
        (99, 2048, 1999),
        (50, 2000, 2050),
        (51, 2000, 1951),
        (49, 1999, 2049),
        (50, 1999, 1950),
    ],
)
def test_the_century_is_the_one_that_is_at_most_49_years_back_and_50_ahead(
    two_digits: int, year: int, full_year: int
) -> None:
    assert year_of(two_digits, year) == full_year


@given(two_digits=st.integers(0, 99), year=st.integers(1950, 2150))
def test_every_two_digits_have_one_year_near_by(two_digits: int, year: int) -> None:
    full_year = year_of(two_digits, year)
    assert full_year % 100 == two_digits
    assert -49 <= full_year - year <= 50


def test_a_leap_day_of_a_year_that_has_none_is_the_day_before() -> None:
    assert date_of("000229", year=2060) == date(2100, 2, 28)


def test_the_floor_reads_expiry_by_today_and_no_clock_before_the_release_counts() -> None:
    text = "010950110153000317770131"
    assert decode(text, "]C1") == ItemCode("09501101530003", expiry=date(1977, 1, 31))
    assert decode(text, "]C1", year=2027) == ItemCode("09501101530003", expiry=date(2077, 1, 31))
    text = "010950110153000317280131"
    assert decode(text, "]C1", year=1970) == ItemCode("09501101530003", expiry=date(2028, 1, 31))


def test_the_floor_takes_the_expiry_before_the_best_before_day():
    item = ItemCode("09501101530003", expiry=date(2028, 2, 29))
    assert decode("01095011015300031528013117280229", "]C1") == item
    assert decode("010950110153000315280229", "]C1") == item
