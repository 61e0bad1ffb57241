"""Parcel labels: the right barcode, and no address that turns into a printer command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import InvalidInput
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.framing.zpl import LabelData, escape_field, parcel_label, wrap_lines

SSCC = make_sscc(3, "9501101", 5)
EVERY_COMMAND = {"XA", "CI", "LH", "PW", "LL", "FO", "A0", "FH", "FD", "FS", "GB", "BY", "BC", "PQ", "XZ"}
HARD_TEXT = st.text(max_size=120) | st.text("^~_\\XAZJ,FD\n é中", max_size=120)


def label_with(**changes) -> bytes:
    fields = {
        "sscc": SSCC,
        "order_id": "ord-1",
        "ship_to": ("Ana Example", "1 High Street"),
        "ship_from": ("Bodega 7",),
        "service": "NEXT DAY",
    }
    return parcel_label(LabelData(**(fields | changes)))


def commands_of(zpl: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"[\^~](..)", zpl)]


def texts_of(zpl: bytes) -> list[str]:
    """The printed texts, read back as a printer reads them: `_XX` after `^FH` is a byte of UTF-8."""
    fields = re.findall(rb"\^FH\^FD([^\^~]*)\^FS", zpl)
    return [re.sub(rb"_(..)", lambda found: bytes([int(found.group(1), 16)]), f).decode() for f in fields]


@pytest.mark.parametrize(("dots_per_mm", "module", "width"), [(8, 4, 812), (12, 6, 1218)])
def test_the_barcode_is_gs1_128_of_the_sscc_within_gs1_sizes(dots_per_mm, module, width):
    zpl = label_with(dots_per_mm=dots_per_mm)
    found = re.search(rb"\^BY(\d+),3,(\d+)\^FO(\d+),\d+\^BCN,(\d+),N,N,N,N\^FD(.*?)\^FS", zpl)
    assert found is not None
    narrow, height, left = int(found[1]), int(found[2]), int(found[3])
    assert found[5] == b">;>800" + SSCC.encode()
    assert narrow == module
    assert narrow / dots_per_mm >= 0.495
    assert height / dots_per_mm >= 31.75
    quiet = 10 * module
    assert left >= quiet
    assert left + 156 * module + quiet <= width


def test_everything_that_a_person_needs_is_on_the_label():
    texts = texts_of(label_with())
    people_read = ["FROM", "Bodega 7", "SHIP TO", "Ana Example", "1 High Street", "NEXT DAY", "Order ord-1"]
    assert texts == [*people_read, "SSCC", f"(00) {SSCC}"]


def test_accents_and_other_scripts_come_back_as_they_were():
    lines = ("José Núñez", "Straße 5", "東京都千代田区1-1")
    assert [text for text in texts_of(label_with(ship_to=lines)) if text in lines] == list(lines)


@given(name=HARD_TEXT, street=HARD_TEXT, sender=HARD_TEXT, order_id=HARD_TEXT, service=HARD_TEXT)
def test_no_text_ever_becomes_a_command(name, street, sender, order_id, service):
    zpl = label_with(ship_to=(name, street), ship_from=(sender,), order_id=order_id, service=service)
    commands = commands_of(zpl)
    assert set(commands) <= EVERY_COMMAND
    assert b"~" not in zpl
    assert commands[0] == "XA"
    assert commands[-1] == "XZ"
    assert commands.count("XA") == commands.count("XZ") == commands.count("PQ") == commands.count("BC") == 1
    assert commands.count("FD") == len(texts_of(zpl)) + 1
    assert commands.count("A0") == commands.count("FH") == len(texts_of(zpl))


@given(text=st.text())
def test_escaped_text_is_plain_ascii_and_reads_back(text):
    escaped = escape_field(text)
    assert escaped.isascii()
    assert not set("^~\\\r\n\x00") & set(escaped)
    read_back = re.sub(rb"_(..)", lambda found: bytes([int(found.group(1), 16)]), escaped.encode()).decode()
    assert len(read_back) == len(text)
    assert all(there in (character, " ") for there, character in zip(read_back, text, strict=True))


@given(lines=st.lists(st.text(max_size=200), max_size=6), columns=st.integers(1, 50), rows=st.integers(1, 8))
def test_wrapped_lines_always_fit(lines, columns, rows):
    wrapped = wrap_lines(lines, columns, rows)
    assert len(wrapped) <= rows
    # One wide character alone is two columns, whatever the width.
    assert all(len(line) <= columns for line in wrapped)


def test_long_lines_wrap_at_words_and_what_does_not_fit_ends_in_an_ellipsis():
    assert wrap_lines(["12 Long Winding Road"], 12, 3) == ("12 Long", "Winding Road")
    assert wrap_lines(["one two three"], 5, 2) == ("one", "two…")
    assert wrap_lines(["abcdefghij"], 4, 2) == ("abcd", "efg…")
    assert wrap_lines(["東京都千代田区"], 6, 3) == ("東京都", "千代田", "区")
    assert wrap_lines(["", "  ", "a"], 5, 2) == ("a",)


def test_a_wrong_sscc_or_resolution_is_refused():
    with pytest.raises(InvalidInput, match="not an SSCC"):
        label_with(sscc=SSCC[:-1] + str((int(SSCC[-1]) + 1) % 10))
    with pytest.raises(InvalidInput, match="6 dots/mm"):
        label_with(dots_per_mm=6)


def test_the_longest_address_is_far_below_the_bound():
    everything = ("\N{GRINNING FACE}" * 500,) * 50
    zpl = label_with(ship_to=everything, ship_from=everything, order_id="x" * 500, service="x" * 500)
    assert len(zpl) < LABEL_BYTES_MAX / 50
