"""Tracking numbers: right by their standards, in their range, and each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.framing.check_digit import has_valid_check_digit
from bodega_agent.rules.tracking import Series, TrackingRange, next_number, s10_check_digit, used_up

S10 = TrackingRange("northpost", "s10", "RA", "PT", 47_312_482, 47_312_484, 8)
MOD10 = TrackingRange("southpost", "mod10", "94", "", 1, 2, 9)


@pytest.mark.parametrize(
    ("digits", "check"), [("47312482", 9), ("00000000", 5), ("12345678", 5), ("00000001", 4)]
)
def test_s10_check_digits_are_those_of_the_standard(digits: str, check: int) -> None:
    """The first one is the example of UPU S10 itself."""
    assert s10_check_digit(digits) == check


def test_a_remainder_of_one_is_written_as_zero() -> None:
    tens = [
        f"{n:08d}"
        for n in range(200)
        if sum(w * int(d) for w, d in zip((8, 6, 4, 2, 3, 5, 9, 7), f"{n:08d}", strict=True)) % 11 == 1
    ]
    assert tens
    assert {s10_check_digit(digits) for digits in tens} == {0}


def test_numbers_of_a_range_look_like_their_scheme() -> None:
    assert S10.number(47_312_482) == "RA473124829PT"
    assert MOD10.number(1) == "940000000016"
    assert has_valid_check_digit(MOD10.number(1))


@given(st.integers(0, 99_999_999))
def test_a_number_tells_its_serial_and_any_other_check_digit_tells_none(serial: int) -> None:
    number = S10.number(serial)
    assert S10.serial(number) == serial
    wrong = number[:10] + str((int(number[10]) + 1) % 10) + number[11:]
    assert S10.serial(wrong) is None
    assert MOD10.serial(number) is None


def test_each_number_is_given_once_and_then_the_range_is_used_up() -> None:
    last: dict[Series, int] = {}
    given_out = []
    while (one := next_number((MOD10, S10), "northpost", last)) is not None:
        given_out.append(one.number)
        last[one.series] = one.serial
    assert given_out == ["RA473124829PT", "RA473124832PT", "RA473124846PT"]
    assert used_up((MOD10, S10), last) == {"northpost"}


def test_a_second_range_of_a_series_goes_on_after_the_first_and_never_gives_a_number_again() -> None:
    first = TrackingRange("c", "mod10", "1", "", 1, 2, 5)
    overlapping = TrackingRange("c", "mod10", "1", "", 2, 4, 5)
    last: dict[Series, int] = {}
    serials = []
    while (one := next_number((first, overlapping), "c", last)) is not None:
        serials.append(one.serial)
        last[one.series] = one.serial
    assert serials == [1, 2, 3, 4]


def test_a_carrier_that_gave_no_range_has_no_number_and_is_not_used_up() -> None:
    assert next_number((S10,), "southpost", {}) is None
    assert used_up((S10,), {}) == frozenset()
