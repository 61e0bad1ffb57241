"""Letters that we draw: each script in a font that has it, right-to-left text in its order, and a box for the rest."""

from __future__ import annotations

import pytest

from bodega_adapters.labels.fonts import Fonts, keeps_order, package_for, usual_fonts
from bodega_adapters.labels.sheet import Bitmap

LETTER = 40


def drawn(text: str) -> Bitmap:
    return usual_fonts().line(text, LETTER)[0]


def columns(bitmap: Bitmap) -> list[int]:
    """How many dots of each column are black."""
    rows = [bitmap.rows[at : at + bitmap.row_bytes] for at in range(0, len(bitmap.rows), bitmap.row_bytes)]
    return [sum(row[x // 8] >> (7 - x % 8) & 1 for row in rows) for x in range(bitmap.width)]


def begins_like(text: str, other: str) -> bool:
    """Whether the left end of one line looks like another line."""
    size = usual_fonts().width(other, LETTER) // 2
    return columns(drawn(text))[:size] == columns(drawn(other))[:size]


@pytest.mark.parametrize("text", ["Łódź", "Ωμέγα", "Москва", "שלום", "مرحبا", "東京都", "上海市", "😀"])
def test_the_scripts_that_we_promise_are_drawn_here(text):
    assert usual_fonts().missing(text) == []
    assert sum(columns(drawn(text))) > 100


def test_right_to_left_text_stands_in_its_order_alone_and_beside_other_scripts():
    assert keeps_order()
    assert begins_like("中文 שלום", "中文")
    assert begins_like("שלום 中文", "中文")
    assert not begins_like("ab", "b")
    assert columns(drawn("אב")) != columns(drawn("בא"))
    assert begins_like("אב", "ב"), "the second letter stands on the left"


def test_arabic_letters_are_joined():
    apart = sum(usual_fonts().width(letter, LETTER) for letter in "سلام")
    assert usual_fonts().width("سلام", LETTER) < apart


def test_what_no_font_has_is_a_box_of_its_own_width_and_named():
    fonts = usual_fonts()
    assert fonts.missing("a\U000103a0b") == ["\U000103a0"] or fonts.missing("\U00010900") == ["\U00010900"]
    assert fonts.width("\U00010900", LETTER) > LETTER // 4


def test_without_any_font_ascii_is_drawn_all_the_same():
    bare = Fonts([])
    assert bare.missing("Ana 12") == []
    assert bare.missing("é") == ["é"]
    assert bare.line("Ana 12", LETTER)[0].width > LETTER


def test_the_package_that_brings_a_script_is_named():
    assert [package_for(one) for one in "éЖשع中の한क"] == [
        *["fonts-dejavu-core"] * 4, "fonts-droid-fallback", "fonts-droid-fallback", "fonts-noto-cjk", "fonts-noto-core",
    ]  # fmt: skip


def test_nothing_visible_is_no_ink():
    assert drawn("  ").rows == b"\0"
