"""ZPL that we write: no text ever becomes a command, graphics unpack to the dots they were, the linter knows us."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.framing import code128
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.framing.zpl import escape_field, graphic_field, lint
from bodega_adapters.labels.document import parcel
from bodega_adapters.labels.making import render
from bodega_adapters.ports import PrinterAbilities

ZEBRA = PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)
SSCC = make_sscc(3, "9501101", 5)
HARD_TEXT = st.text(max_size=120) | st.text("^~_\\XAZJ,FD\n é中", max_size=120)
GOOD = b"^XA^CI28^LH0,0^PW80^LL80\n^FO1,1^A0N,20,20^FH^FDa^FS\n^PQ1^XZ\n"


def label(*lines: str) -> bytes:
    return render(
        parcel(sscc=SSCC, order_id="ord-1", ship_to=lines, ship_from=("B",), service="NEXT DAY"), ZEBRA
    )


def texts_of(zpl: bytes) -> list[str]:
    """The printed texts, read back as a printer reads them: `_XX` after `^FH` is a byte of UTF-8."""
    fields = re.findall(rb"\^FH\^FD([^\^~]*)\^FS", zpl)
    return [re.sub(rb"_(..)", lambda found: bytes([int(found.group(1), 16)]), f).decode() for f in fields]


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_is_plain_ascii_and_reads_back(text):
    escaped = escape_field(text)
    assert escaped.isascii()
    assert not set("^~\\\r\n\x00") & set(escaped)
    assert re.sub(rb"_(..)", lambda f: bytes([int(f.group(1), 16)]), escaped.encode()).decode() == text


@given(lines=st.lists(HARD_TEXT, max_size=4))
def test_no_text_ever_becomes_a_command(lines):
    zpl = label(*lines)
    assert lint(zpl) == []
    assert b"~" not in zpl
    assert zpl.count(b"^BC") == zpl.count(b"^XA") == zpl.count(b"^PQ") == 1


def test_everything_that_a_person_needs_is_on_the_label():
    people_read = [
        "NEXT",
        "DAY",
        "FROM",
        "B",
        "SHIP TO",
        "Ana Example",
        "1 High St",
        "ORDER",
        "ord-1",
        "SSCC",
    ]
    assert sorted(texts_of(label("Ana Example", "1 High St"))) == sorted([*people_read, f"(00) {SSCC}"])


def test_what_the_printers_font_has_is_text_and_everything_else_is_drawn():
    zpl = label("José Núñez", "Straße 5", "東京都千代田区1-1")
    assert {"José Núñez", "Straße 5"} <= set(texts_of(zpl))
    assert "東京都千代田区1-1" not in texts_of(zpl)
    assert zpl.count(b"^GFA") == 1


def test_the_longest_address_is_far_below_the_bound():
    line = "東京都千代田区丸の内" * 50
    zpl = render(
        parcel(sscc=SSCC, order_id=line, ship_to=(line,) * 50, ship_from=(line,) * 50, service=line), ZEBRA
    )
    assert len(zpl) < LABEL_BYTES_MAX / 8


def unpacked(field: str) -> bytes:
    """A graphic as a printer unpacks it: ZPL II Programming Guide, "Alternative Data Compression Scheme"."""
    total, again, row_bytes, data = re.fullmatch(r"\^GFA,(\d+),(\d+),(\d+),(.*)", field, re.DOTALL).groups()
    assert total == again
    if data.startswith(":Z64:"):
        packed, crc = data[5:].split(":")
        assert int(crc, 16) == binascii.crc_hqx(packed.encode(), 0)
        return zlib.decompress(base64.b64decode(packed))
    digits, rows, row, count = int(row_bytes) * 2, [], "", 0
    for sign in data:
        if sign in ",!":
            row = row.ljust(digits, "0" if sign == "," else "F")
        elif sign == ":":
            rows.append(rows[-1])
        elif sign in "0123456789ABCDEF":
            row, count = row + sign * (count or 1), 0
        else:
            count += (ord(sign) - ord("f")) * 20 if sign.islower() else ord(sign) - ord("F")
        if len(row) == digits:
            rows.append(row)
            row = ""
    assert not row
    return bytes.fromhex("".join(rows))


SPARSE = st.builds(lambda parts: b"".join(bytes([b]) * n for b, n in parts), st.lists(st.tuples(
    st.sampled_from([0, 255, 0x0F, 0xA5]), st.integers(1, 300))))  # fmt: skip


@given(data=st.binary(min_size=1, max_size=200) | SPARSE, row_bytes=st.integers(1, 60))
def test_a_graphic_unpacks_to_the_dots_it_was(data, row_bytes):
    rows = data.ljust(-(-max(1, len(data)) // row_bytes) * row_bytes, b"\0")
    assert unpacked(graphic_field(rows, row_bytes)) == rows


def test_a_graphic_takes_the_shorter_of_the_two_forms():
    noise = bytes(number * 97 % 251 for number in range(4000))
    assert ":Z64:" in graphic_field(noise * 3, 40)
    ruler = bytes([0xFF, 0, 0, 0]) * 9
    assert graphic_field(ruler, 4) == f"^GFA,36,36,4,FF,{':' * 8}"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ((b"^FH", b"^FX"), "^FX"),
        ((b"^PQ1", b"^PQ2"), "^PQ"),
        ((b"^PQ1", b"~HS^PQ1"), "~HS"),
        ((b"^A0N,20,20", b"^A0N,20"), "^A0"),
        ((b"^FDa", b""), "content"),
        ((b"^FDa", b"^FDa^FDb"), "content"),
        ((b"^FDa", b"^FD\xc3\xa9"), "^FD"),
        ((b"^XZ\n", b"^XZ\n^XA^XZ\n"), "^XZ"),
        ((b"^CI28", b"^CI27"), "^CI"),
        ((b"^XA", b"x^XA"), "outside"),
    ],
)
def test_the_linter_finds_every_slip(change, named):
    assert lint(GOOD) == []
    found = lint(GOOD.replace(*change, 1))
    assert any(named in fault for fault in found)


def test_text_in_white_on_black_is_drawn_reversed():
    assert b"^FR^A0N" in label("a")


@pytest.mark.parametrize("pair", range(100))
def test_every_pair_of_digits_is_native_in_subset_c(pair: int) -> None:
    """98 is the shift of the other subsets, and 99 to 102 are codes: in C all pairs are digits."""
    text = f"00095212340001{pair:02d}{pair:02d}"
    assert code128.zpl_data(code128.encode(text, gs1=True)) == f">;>8{text}"
