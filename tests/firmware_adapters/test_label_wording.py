"""Text on labels: it fits, it breaks where people would, and what is cut is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega_adapters.labels.wording import ELLIPSIS, clean, fit, pitch, rows_in, wrap


def width(text: str, letter: int) -> int:
    """Letters as wide as half their height; ideographs as their height."""
    return sum(letter if ord(one) > 0x2E80 else letter // 2 for one in text)


LINES = st.lists(st.text(max_size=80) | st.text("abc 中\u200d\n", max_size=80), max_size=6)


@given(lines=LINES, room=st.tuples(st.integers(60, 800), st.integers(20, 400)), largest=st.integers(10, 60))
def test_text_always_fits_its_room_in_letters_that_are_allowed(lines, room, largest):
    least = max(4, largest // 2)
    found = fit(lines, room, (largest, least), width)
    assert least <= found.letter <= largest
    assert len(found.lines) <= max(0, rows_in(room[1], found.letter))
    assert all(width(line, found.letter) <= room[0] for line in found.lines if line != ELLIPSIS)
    if not found.cut:
        assert "".join(found.lines).replace(" ", "") == "".join(map(clean, lines)).replace(" ", "")


@given(lines=LINES)
def test_what_is_cut_is_counted(lines):
    found = fit(lines, (100, 22), (20, 20), width)
    kept = sum(len(line.replace(" ", "")) for line in found.lines) - (1 if found.cut else 0)
    whole = sum(len(clean(line).replace(" ", "")) for line in lines)
    assert whole - kept <= found.cut <= whole - kept + 80 * 6
    assert bool(found.cut) == (whole > kept)


def test_lines_break_at_spaces_and_ideographs_anywhere():
    def broken(text: str, room: int) -> tuple[list[str], bool]:
        return wrap([text], room, lambda line: width(line, 20))

    assert broken("12 Long Winding Road", 120) == (["12 Long", "Winding Road"], False)
    assert broken("東京都千代田区", 60) == (["東京都", "千代田", "区"], False)
    assert broken("abcdefghij", 40) == (["abcd", "efgh", "ij"], True)


def test_letters_shrink_before_a_word_is_broken_and_a_word_is_broken_before_text_is_cut():
    assert fit(["Weikersheim"], (200, 40), (40, 20), width).lines == ("Weikersheim",)
    assert fit(["x" * 30], (200, 100), (40, 20), width).cut == 0
    assert fit(["x" * 300], (200, 40), (40, 20), width).cut > 0


def test_as_many_rows_fit_as_letters_and_gaps_leave_room_for():
    assert rows_in(20, 20) == 1
    assert rows_in(20 + pitch(20), 20) == 2
    assert rows_in(19 + pitch(20), 20) == 1
    assert rows_in(19, 20) == 0


def test_control_characters_are_spaces_and_invisible_ones_are_gone():
    assert clean("a\x00b\tc\u200dd\u202ee\u2028f  g\ufe0f") == "a b cde f g"
    assert clean("e\u0301") == "é"
