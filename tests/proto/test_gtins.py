"""What a GTIN is (GS1 General Specifications 7.9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.gtin import as_gtin14, check_digit, fault_in


def test_a_gtin_with_a_right_check_digit_is_kept_as_14_digits() -> None:
    # The example of GS1 General Specifications 7.9.1.
    assert fault_in("6291041500213") is None
    assert as_gtin14("6291041500213") == "06291041500213"
    assert fault_in("96385074") is None


@pytest.mark.parametrize("wrong", ["", "12", "6291041500214", "629104150021X", "0" * 13, "٦291041500213"])
def test_anything_else_is_not_a_gtin(wrong: str) -> None:
    assert fault_in(wrong)


@given(st.text("0123456789", min_size=12, max_size=12).filter(lambda digits: int(digits) > 0))
def test_one_wrong_digit_is_always_found(digits: str) -> None:
    right = digits + str(check_digit(digits))
    for place in range(len(right)):
        wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
        assert fault_in(wrong)
