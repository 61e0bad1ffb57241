"""GS1 check digits and SSCCs; the fixed numbers are examples published by GS1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import InvalidInput
from bodega_adapters.framing.check_digit import gs1_check_digit, is_valid_gtin, is_valid_sscc, make_sscc

DIGITS = st.text("0123456789", min_size=1, max_size=30)


@pytest.mark.parametrize(
    "gtin", ["9501101530003", "09501101530003", "614141000036", "96385074", "4006381333931"]
)
def test_published_gtins_are_valid(gtin):
    assert is_valid_gtin(gtin)


def test_the_published_sscc_is_valid():
    assert is_valid_sscc("106141412345678908")


@given(digits=DIGITS)
def test_zero_padding_never_changes_the_check_digit(digits):
    assert gs1_check_digit(digits) == gs1_check_digit(digits.zfill(40))


@given(
    body=st.text("0123456789", min_size=12, max_size=12), place=st.integers(0, 12), change=st.integers(1, 9)
)
def test_one_misread_digit_never_passes(body, place, change):
    gtin = f"{body}{gs1_check_digit(body)}"
    misread = str((int(gtin[place]) + change) % 10)
    assert is_valid_gtin(gtin)
    assert not is_valid_gtin(gtin[:place] + misread + gtin[place + 1 :])


@given(
    extension=st.integers(0, 9),
    prefix=st.text("0123456789", min_size=4, max_size=12),
    share=st.floats(0, 1, exclude_max=True),
)
def test_every_sscc_made_is_valid_and_carries_its_parts(extension, prefix, share):
    serial_digits = 16 - len(prefix)
    serial = int(share * 10**serial_digits)
    sscc = make_sscc(extension, prefix, serial)
    assert is_valid_sscc(sscc)
    assert sscc[:-1] == f"{extension}{prefix}{serial:0{serial_digits}d}"


@pytest.mark.parametrize(
    ("extension", "prefix", "serial", "problem"),
    [
        (10, "9501101", 1, "extension digit"),
        (-1, "9501101", 1, "extension digit"),
        (3, "950", 1, "company prefix"),
        (3, "9501101abc", 1, "company prefix"),
        (3, "٩٥٠١١٠١", 1, "company prefix"),
        (3, "9501101", 10**9, "does not fit"),
        (3, "9501101", -1, "does not fit"),
    ],
)
def test_a_wrong_part_of_an_sscc_is_named(extension, prefix, serial, problem):
    with pytest.raises(InvalidInput, match=problem) as caught:
        make_sscc(extension, prefix, serial)
    assert caught.value.hint


def test_the_last_serial_of_a_prefix_fits():
    assert is_valid_sscc(make_sscc(9, "9501101", 10**9 - 1))


@pytest.mark.parametrize("text", ["", "12a", "١٢٣", "-1", " 1"])
def test_a_check_digit_of_anything_but_digits_is_refused(text):
    with pytest.raises(InvalidInput):
        gs1_check_digit(text)
    assert not is_valid_gtin(text)
