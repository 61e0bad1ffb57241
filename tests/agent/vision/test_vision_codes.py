"""The camera reads the codes that the floor uses, and gives a GTIN only where a trade item is named."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
import zxingcpp
from structlog.testing import capture_logs

from bodega.limits import FRAME_CODES_MAX, IDENTIFIER_CHARS_MAX
from bodega_agent.vision import zbar
from bodega_agent.vision.codes import CodeReader
from bodega_agent.vision.readers import Readers
from bodega_agent.vision.zbar import Zbar, upc_a
from support.tray_frames import tray, with_item

# No machine is so busy that these run out of it.
codes_in = CodeReader(rescue_ms=60_000).codes_in


def zbar_or_skip() -> Zbar:
    """A developer's machine may lack it, as a node may; CI has it."""
    try:
        return Zbar()
    except OSError:
        if os.environ.get("CI"):
            raise
        pytest.skip("libzbar0 is not installed")


def spoilt(frame: np.ndarray, *, blur_px: float, light: float) -> np.ndarray:
    """Out of focus, and lit from the right: on the left only the share `light` of it arrives, and haze."""
    soft = cv2.GaussianBlur(frame, (0, 0), blur_px)
    ramp = np.linspace(light, 1, frame.shape[1])[None, :, None]
    return (soft * ramp + 40 * (1 - ramp)).astype(np.uint8)


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


def test_a_code_that_zxing_alone_does_not_read_is_read_off_mended_pictures():
    frame = spoilt(with_item(tray(), "4006381333931", at=(200, 150)), blur_px=1.5, light=0.2)
    assert zxingcpp.read_barcodes(frame) == []
    for readers in (Readers(), Readers(zbar=False)):
        assert CodeReader(readers, rescue_ms=60_000).codes_in(frame) == ("04006381333931",)


def test_rescue_ends_when_its_time_is_over():
    frame = spoilt(with_item(tray(), "4006381333931", at=(200, 150)), blur_px=1.5, light=0.2)
    seconds = iter(range(100))
    assert CodeReader(rescue_ms=900, clock=lambda: float(next(seconds))).codes_in(frame) == ()
    assert next(seconds) == 2


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (40, 40)])
def test_a_frame_of_any_shape_is_looked_at(shape):
    assert codes_in(np.full((*shape, 3), 127, np.uint8)) == ()


def test_without_zbar_the_log_says_so_once_and_zxing_reads_alone(monkeypatch):
    monkeypatch.setattr(zbar, "_LIBRARY", "libnone.so.0")
    with capture_logs() as logs:
        reader = CodeReader()
        for _ in range(2):
            assert reader.codes_in(with_item(tray(), "4006381333931")) == ("04006381333931",)
    assert [(entry["event"], entry["package"]) for entry in logs] == [("barcode_reader_absent", "libzbar0")]


@pytest.mark.parametrize(
    ("content", "symbology", "digits", "is_upc_e"),
    [
        ("4006381333931", "EAN13", "4006381333931", False),
        ("036000291452", "UPCA", "036000291452", False),
        ("96385074", "EAN8", "96385074", False),
        ("01234565", "UPCE", "012345000065", True),
    ],
)
def test_zbar_reads_retail_codes_and_nothing_else(content, symbology, digits, is_upc_e):
    reader = zbar_or_skip()
    frame = with_item(tray(), content, symbology=symbology, at=(200, 150))
    frame = with_item(frame, "A-01-02", symbology="Code128", at=(200, 320))
    [seen] = reader.read(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
    assert (seen.digits, seen.is_upc_e, seen.symbology) == (
        digits,
        is_upc_e,
        "]E4" if len(digits) == 8 else "]E0",
    )
    assert seen.hits > 10
    xs, ys = zip(*seen.corners, strict=True)
    assert 190 < min(xs) < max(xs) < 500
    assert 150 <= min(ys) < max(ys) < 320


@pytest.mark.parametrize(
    ("upc_e", "expanded"),
    [
        ("0123450", "01200000345"),
        ("0123451", "01210000345"),
        ("0123453", "01230000045"),
        ("0123454", "01234000005"),
        ("0123456", "01234500006"),
    ],
)
def test_a_upc_e_stands_for_the_upc_a_of_its_table(upc_e, expanded):
    """GS1 General Specifications, section 5.2.2.4.2: by its last digit, 0 to 2, 3, 4, 5 to 9."""
    assert upc_a(f"{upc_e}7") == f"{expanded}7"
