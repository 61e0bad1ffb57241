"""Code 128, DataMatrix and QR as we draw them, read back by zxing-cpp; and no Code 128 longer than it must be."""

from __future__ import annotations

from functools import cache

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bodega.errors import InvalidInput
from bodega_adapters.framing import code128, datamatrix, qr

ASCII = st.characters(max_codepoint=127)
CODE_128 = st.text(st.sampled_from("0123456789") | ASCII, min_size=1, max_size=24)
GS1_DATA = st.text(st.sampled_from("0123456789ABCabc-/" + code128.GS), min_size=1, max_size=30)


def read(modules: list[list[bool]] | list[bool], *, quiet: int, scale: int = 4) -> zxingcpp.Barcode:
    """What zxing-cpp reads of drawn modules; a flat list is a linear symbol."""
    rows = [modules] * 12 if isinstance(modules[0], bool) else modules
    page = Image.new("L", (len(rows[0]) + 2 * quiet, len(rows) + 2 * quiet), 255)
    page.paste(
        0,
        (quiet, quiet),
        Image.frombytes("L", (len(rows[0]), len(rows)), bytes(255 * d for r in rows for d in r)),
    )
    found = zxingcpp.read_barcodes(
        page.resize((page.width * scale, page.height * scale), Image.Resampling.NEAREST)
    )
    assert len(found) == 1
    return found[0]


@settings(deadline=None)
@given(text=CODE_128)
def test_code_128_of_any_ascii_is_read_back(text):
    values = code128.encode(text)
    modules = code128.bars(values)
    assert len(modules) == code128.modules_of(values)
    assert bytes(read(modules, quiet=10).bytes) == text.encode()


@settings(deadline=None)
@given(text=GS1_DATA)
def test_gs1_128_has_fnc1_first_and_for_each_gs(text):
    # FNC1 at the end separates nothing, and readers leave it out.
    text = text.strip(code128.GS) or "0"
    values = code128.encode(text, gs1=True)
    assert values[1] == code128.FNC1
    assert values.count(code128.FNC1) >= 1 + text.count(code128.GS)
    found = read(code128.bars(values), quiet=10)
    assert (bytes(found.bytes), found.symbology_identifier) == (text.encode(), "]C1")


def shortest(text: str) -> int:
    """Symbol characters of the shortest encodation, by trying every way (no shift to C, as there is none)."""

    @cache
    def rest(at: int, subset: str) -> int:
        if at == len(text):
            return 0
        ways = []
        code = ord(text[at])
        in_a, in_b = code < 96, code >= 32
        for other in "ABC":
            switch = int(other != subset)
            if other == "C" and text[at : at + 2].isdigit() and len(text) > at + 1:
                ways.append(switch + 1 + rest(at + 2, "C"))
            if (other == "A" and in_a) or (other == "B" and in_b):
                ways.append(switch + 1 + rest(at + 1, other))
        if subset in "AB":
            ways.append(2 + rest(at + 1, subset))
        return min(ways)

    return 1 + min(rest(0, subset) for subset in "ABC")


@settings(deadline=None)
@given(text=st.text("0123456789aB\x01", min_size=1, max_size=12))
def test_no_encodation_of_code_128_is_shorter(text):
    assert len(code128.encode(text)) == shortest(text)


@pytest.mark.parametrize(
    ("text", "gs1", "field"),
    [
        ("00395011010000000057", True, ">;>800395011010000000057"),
        ("CMD-PICK", False, ">:CMD-PICK"),
        ("a^b>c~d", False, ">:a><b>0c>=d"),
        ("AB123456", False, ">:AB>5123456"),
        ("123456AB", False, ">;123456>6AB"),
        ("a\x01", False, None),
    ],
)
def test_zpl_field_data_says_the_same_symbol_in_zebras_words(text, gs1, field):
    assert code128.zpl_data(code128.encode(text, gs1=gs1)) == field


@settings(deadline=None, max_examples=60)
@given(text=st.text(ASCII, min_size=1, max_size=85) | st.text("0123456789", min_size=1, max_size=340))
def test_datamatrix_of_any_ascii_is_read_back(text):
    assert bytes(read(datamatrix.modules_of(text), quiet=2).bytes) == text.encode()


@pytest.mark.parametrize("size", [1, *range(5, 348, 12), 347, 348])
def test_datamatrix_of_every_size_is_read_back(size):
    text = ("0123456789" * 35)[:size]
    assert read(datamatrix.modules_of(text), quiet=2).text == text


def test_gs1_datamatrix_is_known_as_such():
    text = "01095011015300031728022910AB" + code128.GS + "3712"
    found = read(datamatrix.modules_of(text, gs1=True), quiet=2)
    assert (bytes(found.bytes), found.symbology_identifier) == (text.encode(), "]d2")


@pytest.mark.parametrize("correction", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("alphabet", ["0123456789", "ABC 123:", "aé中😀"])
def test_qr_codes_of_every_version_are_read_back_with_the_correction_asked_for(correction, alphabet):
    versions = set()
    for size in [*range(1, 40, 3), *range(40, 900, 37)]:
        text = (alphabet * size)[:size]
        try:
            modules = qr.modules_of(text, correction)
        except InvalidInput:
            break
        versions.add(len(modules))
        found = read(modules, quiet=4)
        assert (found.text, found.ec_level) == (text, correction)
    assert len(versions) > 8


@settings(deadline=None, max_examples=40)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120))
def test_qr_of_any_text_is_read_back(text):
    assert bytes(read(qr.modules_of(text), quiet=4).bytes) == text.encode()


@pytest.mark.parametrize(
    "encode",
    [
        lambda: code128.encode("é"),
        lambda: code128.encode(""),
        lambda: datamatrix.modules_of("é"),
        lambda: datamatrix.modules_of(""),
        lambda: datamatrix.modules_of("a" * 175),
        lambda: qr.modules_of(""),
        lambda: qr.modules_of("a" * 859, "L"),
    ],
)
def test_what_a_symbology_can_not_say_is_refused_with_a_hint(encode):
    with pytest.raises(InvalidInput) as caught:
        encode()
    assert caught.value.hint


def test_the_most_that_fits_does_fit():
    assert len(datamatrix.modules_of("a" * 174)) == 48
    assert len(qr.modules_of("a" * 858, "L")) == 97
