"""What a scanned text means: the table of the floor, and no text that crashes it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.limits import QUANTITY_MAX
from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.check_digit import gs1_check_digit, make_sscc
from bodega_adapters.framing.gs1 import (
    BadCode,
    CaseCode,
    ControlCode,
    Decoded,
    ItemCode,
    PlainCode,
    SsccCode,
    decode,
)

GTIN = "09501101530003"
SSCC = make_sscc(3, "9501101", 77)
GS = "\x1d"


@pytest.mark.parametrize(
    ("text", "symbology", "meaning"),
    [
        ("9501101530003", "]E0", ItemCode(GTIN)),
        ("9501101530003", None, ItemCode(GTIN)),
        ("]E09501101530003", None, ItemCode(GTIN)),
        ("950110153000312", "]E3", ItemCode(GTIN)),
        ("614141000036", None, ItemCode("00614141000036")),
        ("96385074", "]E4", ItemCode("00000096385074")),
        (GTIN, "]I1", ItemCode(GTIN)),
        (f"01{GTIN}", "]C1", ItemCode(GTIN)),
        (f"01{GTIN}", "]e0", ItemCode(GTIN)),
        (f"01{GTIN}", "]Q3", ItemCode(GTIN)),
        (f"{GS}01{GTIN}", None, ItemCode(GTIN)),
        (
            f"01{GTIN}1728022910L-1{GS}21S-9{GS}3012",
            "]d2",
            ItemCode(GTIN, "L-1", "S-9", date(2028, 2, 29), 12),
        ),
        (f"01{GTIN}17280200", "]d2", ItemCode(GTIN, expiry=date(2028, 2, 29))),
        (f"02{GTIN}3724{GS}10L-1", "]C1", CaseCode(GTIN, "L-1", 24)),
        (f"02{GTIN}172802293724", "]C1", CaseCode(GTIN, None, 24, date(2028, 2, 29))),
        (f"00{SSCC}02{GTIN}3724", "]C1", CaseCode(GTIN, None, 24)),
        (f"00{SSCC}", "]C1", SsccCode(SSCC)),
        (f"00{SSCC}", None, SsccCode(SSCC)),
        ("CMD-RECEIVE", "]C0", ControlCode("CMD-RECEIVE")),
        ("CMD-PICK", None, ControlCode("CMD-PICK")),
        ("A-01-02", "]C0", PlainCode("A-01-02")),
        ("A-01-02", None, PlainCode("A-01-02")),
        ("10LOT", None, PlainCode("10LOT")),
        ("9501101530003", "]C0", PlainCode("9501101530003")),
        ("12345", "]I1", PlainCode("12345")),
    ],
)
def test_a_code_means_what_its_symbology_and_shape_say(text: str, symbology: str | None, meaning: Decoded):
    assert decode(text, symbology) == meaning


@pytest.mark.parametrize(
    ("text", "symbology", "problem"),
    [
        ("9501101530004", None, "check digit"),
        ("9501101530004", "]E0", "check digit"),
        ("A-01-02", "]E0", "8, 12, 13 or 14 digits"),
        ("0109501101530004", "]C1", "check digit"),
        ("0209501101530004371", "]C1", "check digit"),
        (f"00{SSCC[:-1]}{(int(SSCC[-1]) + 1) % 10}", "]C1", "check digit"),
        (f"00{SSCC[:-1]}{(int(SSCC[-1]) + 1) % 10}", None, "check digit"),
        ("A-01-02", "]C1", "malformed"),
        (f"01{GTIN}17281301", "]C1", "no month 13"),
        (f"02{GTIN}", "]C1", "needs a count"),
        (f"02{GTIN}01{GTIN}375", "]C1", "exclude"),
        (f"02{GTIN}370", "]C1", "not between"),
        (f"01{GTIN}30{QUANTITY_MAX + 1}", "]C1", "not between"),
        (f"01{GTIN}10{'A' * 20}21S-9", "]C1", "too long"),
        (f"01{GTIN}10A{GS}10B", "]C1", "twice"),
        ("10LOT", "]C1", "names no product"),
        (f"01{GTIN}10\N{BULLET}", "]C1", "character set"),
        ("0195\u06601101530003", "]C1", "character set"),
        ("", None, "empty"),
        (GS, None, "empty"),
        ("CMD-", None, "no readable word"),
        ("CMD-rm -rf", "]C0", "no readable word"),
    ],
)
def test_a_code_that_can_not_be_right_is_bad_with_a_reason_and_a_hint(text, symbology, problem):
    bad = decode(text, symbology)
    assert isinstance(bad, BadCode)
    assert problem in bad.problem
    assert bad.hint


def test_the_largest_quantity_passes():
    assert decode(f"02{GTIN}37{QUANTITY_MAX}", "]C1") == CaseCode(GTIN, None, QUANTITY_MAX)


SYMBOLOGIES = st.sampled_from([None, "]C0", "]C1", "]E0", "]E3", "]E4", "]I1", "]Q3", "]d2", "]e0", "]zz"])
NEARLY_GS1 = st.lists(
    st.sampled_from(
        ["00", "01", "02", "10", "17", "21", "30", "37", "3103", "3929", "7007", "8008", GTIN, SSCC, GS, "9"]
    )
    | st.text("0123456789A-", max_size=6),
    max_size=8,
).map("".join)


@given(text=st.text() | NEARLY_GS1, symbology=SYMBOLOGIES)
def test_no_text_crashes_the_decoder(text, symbology):
    meaning = decode(text, symbology)
    if isinstance(meaning, ItemCode | CaseCode):
        assert len(meaning.gtin14) == 14
        assert gs1_check_digit(meaning.gtin14[:-1]) == int(meaning.gtin14[-1])


@given(
    letters=st.from_regex(r"[A-Z]{1,3}-[0-9]{2}-[0-9]{2}", fullmatch=True).filter(lambda t: t[:4] != "CMD-")
)
def test_a_bin_label_of_letters_is_never_gs1(letters):
    assert decode(letters, None) == decode(letters, "]C0") == PlainCode(letters)


@given(
    lot=st.text("ABCXYZ0123456789-", min_size=1, max_size=20),
    serial=st.text("ABCXYZ0123456789-", min_size=1, max_size=20),
    quantity=st.integers(1, QUANTITY_MAX),
)
def test_what_is_encoded_is_what_is_decoded(lot, serial, quantity):
    text = f"01{GTIN}10{lot}{GS}21{serial}{GS}30{quantity}"
    assert decode(text, "]C1") == ItemCode(GTIN, lot, serial, None, quantity)


def test_aim_identifiers_come_off_whole():
    assert split_aim("]C1ABC") == ("]C1", "ABC")
    assert split_aim("]d2") == ("]d2", "")
    assert split_aim("]C") == (None, "]C")
    assert split_aim("A]C1") == (None, "A]C1")
