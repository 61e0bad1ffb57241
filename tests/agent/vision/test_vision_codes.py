"""The camera reads the codes that the floor uses, and gives a GTIN only where a trade item is named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bodega.limits import FRAME_CODES_MAX, IDENTIFIER_CHARS_MAX
from bodega_agent.vision.codes import CodeReader
from support.tray_frames import tray, with_item

codes_in = CodeReader().codes_in


@pytest.mark.parametrize(
    ("content", "symbology", "gs1", "seen"),
    [
        ("4006381333931", "EAN13", False, "04006381333931"),
        ("036000291452", "UPCA", False, "00036000291452"),
        ("01234565", "UPCE", False, "00012345000065"),
        ("96385074", "EAN8", False, "00000096385074"),
        ("14006381333938", "ITF14", False, "14006381333938"),
        ("(01)04006381333931(10)LOT7", "Code128", True, "04006381333931"),
        ("(01)04006381333931(17)271231(10)LOT7", "DataMatrix", True, "04006381333931"),
        ("(01)04006381333931", "DataBarExp", True, "04006381333931"),
        # Content of a case, a parcel, a bin: none of them says what lies in the tray.
        ("(02)04006381333931(37)12", "Code128", True, "?02040063813339313712"),
        ("(00)340123450000000014", "Code128", True, "?00340123450000000014"),
        ("A-01-02", "Code128", False, "?A-01-02"),
        ("a\nb", "QRCode", False, "?a.b"),
    ],
)
def test_a_code_on_the_tray_is_read_for_what_it_names(content, symbology, gs1, seen):
    assert codes_in(with_item(tray(), content, symbology=symbology, gs1=gs1)) == (seen,)


def test_the_item_may_lie_any_way_round():
    lying = with_item(tray(), "4006381333931")
    for turn in (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE):
        assert codes_in(cv2.rotate(lying, turn)) == ("04006381333931",)


def test_two_items_are_both_seen_and_one_item_with_two_labels_once():
    one = with_item(tray(), "4006381333931")
    assert codes_in(with_item(one, "5901234123457", at=(60, 260))) == ("04006381333931", "05901234123457")
    assert codes_in(with_item(one, "4006381333931", at=(60, 260))) == ("04006381333931",)


def test_an_empty_tray_and_mere_noise_hold_no_code():
    assert codes_in(tray()) == ()
    assert codes_in(np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)) == ()


def test_a_symbol_full_of_text_is_cut_to_its_start():
    [code] = codes_in(with_item(tray(), "x" * 300, symbology="QRCode"))
    assert code == "?" + "x" * (IDENTIFIER_CHARS_MAX - 1)


def test_a_frame_full_of_codes_is_bounded_and_keeps_the_items():
    sheet = np.full((1800, 1200, 3), 255, np.uint8)
    for row in range(10):
        for column in range(4):
            sheet = with_item(
                sheet, f"L-{row}-{column}", at=(20 + 290 * column, 150 * row), symbology="Code128"
            )
    codes = codes_in(with_item(sheet, "4006381333931", at=(20, 1600)))
    assert len(codes) == FRAME_CODES_MAX
    assert codes[0] == "04006381333931"
