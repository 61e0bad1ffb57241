"""Our labels judged by others: drawn by zpl-renderer-js, read by zxing-cpp, at both resolutions.

What comes back must be the number that was sent, whatever stands beside it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.framing.zpl import escape_field, lint
from bodega_adapters.labels.document import LabelDocument, parcel, preflight, render, sheet_of
from bodega_adapters.labels.font0 import Font0
from bodega_adapters.labels.fonts import usual_fonts
from bodega_adapters.labels.layout import shipped, shipped_names
from bodega_adapters.labels.sheet import Symbol
from bodega_adapters.ports import PrinterAbilities
from support.printed_zpl import ZplRenderer, ink_outside, read_back

SSCC = make_sscc(3, "9501101", 5)
AIM = {"code-128": "]C0", "gs1-128": "]C1", "datamatrix": "]d1", "gs1-datamatrix": "]d2", "qr": "]Q1"}
SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ADDRESSES = {
    "accents": (
        "José Núñez Ávila",
        "Straße des 17. Juni 135",
        "Čapkova 12, Łódź",
        "Ødegårdsvägen 7",
        "Île-de-France",
    ),
    "chinese, japanese": ("王小明", "東京都千代田区丸の内1-1", "上海市浦东新区世纪大道100号", "100-0005 JP"),
    "sixty": (
        "Maximiliane-Charlotte von und zu Hohenlohe-Langenburg-Weikersheim",
        "W" * 60,
        "m " * 30,
        "x" * 60,
    ),
    "commands": ("^XA^FDx^FS^XZ ~HS ~JA", "_5E \\& >5 >8", "a^b~c{d}", "\n\r\t\x00\x1d"),
    "right to left": ("שלום עולם", "מרחבא 12", "شارع الملك فهد \u0667", "Ana שלום Example 中文"),
    "emoji": ("Ana 😀 Example 🏠", "🚚" * 20, "👩‍👩‍👧", "1 High Street"),
    "nothing": ("", " ", "\u200b"),
    "much": tuple(f"line {number} of an address that never ends" for number in range(50)),
}
TEXT = st.text(max_size=120) | st.text("^~_\\XAZJ,FD>;:&\n é中ש😀", max_size=60)


def zebra(dots_per_mm: int) -> PrinterAbilities:
    return PrinterAbilities("zpl", dots_per_mm, 102, says_status=True, confirms=True)


def printed(renderer: ZplRenderer, document: LabelDocument, dots_per_mm: int) -> Image.Image:
    zpl = render(document, zebra(dots_per_mm))
    assert lint(zpl) == []
    sheet = sheet_of(document, zebra(dots_per_mm))
    size_mm = (sheet.width / dots_per_mm, sheet.height / dots_per_mm)
    return renderer.draw(zpl, size_mm, dots_per_mm)


@pytest.mark.parametrize("dots_per_mm", [8, 12])
@pytest.mark.parametrize("name", shipped_names())
def test_every_layout_prints_and_each_of_its_barcodes_says_what_was_sent(zpl_renderer, name, dots_per_mm):
    sample = {name: tuple(lines) for name, lines in shipped(name).sample.items()}
    document = LabelDocument(name, sample)
    sheet = sheet_of(document, zebra(dots_per_mm))
    sent = {mark.data.encode(): AIM[mark.symbology] for mark in sheet.marks if isinstance(mark, Symbol)}
    assert sent
    assert preflight(document, zebra(dots_per_mm)) == []
    assert read_back(printed(zpl_renderer, document, dots_per_mm)) == sent


@pytest.mark.parametrize("dots_per_mm", [8, 12])
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_awkward_address_never_spoils_the_barcode_and_stays_in_its_block(
    zpl_renderer, address, dots_per_mm
):
    lines = ADDRESSES[address]
    document = parcel(sscc=SSCC, order_id=lines[0] * 3, ship_to=lines, ship_from=lines, service=lines[-1])
    label = printed(zpl_renderer, document, dots_per_mm)
    assert read_back(label) == {f"00{SSCC}".encode(): "]C1"}
    edge = 4 * dots_per_mm
    assert (
        ink_outside(label, (edge, 2 * dots_per_mm, label.width - edge, label.height - 2 * dots_per_mm)) == 0
    )
    # The rules between the blocks are white on both sides: no text hangs over them.
    for top in (25.2, 84.3, 97.8):
        row = label.crop((0, int(top * dots_per_mm), label.width, int(top * dots_per_mm) + 1))
        assert row.getextrema()[0] > 128, f"text at {top} mm"


@SETTINGS
@given(
    lines=st.lists(TEXT, max_size=8),
    order_id=TEXT,
    service=TEXT,
    serial=st.integers(0, 10**9 - 1),
    dots_per_mm=st.sampled_from([8, 12]),
)
def test_whatever_an_order_says_the_barcode_is_the_parcels_own(
    zpl_renderer, lines, order_id, service, serial, dots_per_mm
):
    sscc = make_sscc(3, "9501101", serial)
    document = parcel(
        sscc=sscc, order_id=order_id, ship_to=tuple(lines), ship_from=tuple(lines), service=service
    )
    label = printed(zpl_renderer, document, dots_per_mm)
    assert read_back(label) == {f"00{sscc}".encode(): "]C1"}


@SETTINGS
@given(
    bin_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12),
    dots_per_mm=st.sampled_from([8, 12]),
)
def test_any_name_of_a_bin_is_read_from_its_label(zpl_renderer, bin_id, dots_per_mm):
    document = LabelDocument("bin", {"bin_id": (bin_id,), "note": ("",)})
    assert read_back(printed(zpl_renderer, document, dots_per_mm)) == {bin_id.encode(): "]C0"}


@SETTINGS
@given(
    lot=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/._+*", max_size=20),
    dots_per_mm=st.sampled_from([8, 12]),
    with_expiry=st.booleans(),
)
def test_gtin_expiry_and_lot_are_read_from_an_items_label(zpl_renderer, lot, dots_per_mm, with_expiry):
    values = {"name": ("Tea",), "gtin": ("09501101530003",), "lot": (lot,)}
    if with_expiry:
        values["expiry"] = ("2028-02-29",)
    expected = "0109501101530003" + "17280229" * with_expiry + f"10{lot}" * bool(lot)
    label = printed(zpl_renderer, LabelDocument("item", values), dots_per_mm)
    assert read_back(label) == {expected.encode(): "]d2"}


@pytest.mark.parametrize("letter", [20, 43, 90])
@pytest.mark.parametrize(
    "text", ["Wwmm@% MMM", "illi.,: jtf", "0123456789", "ÅÄÖ åäö ß € œ", "Maximiliane von Hohenlohe"]
)
def test_the_printers_own_letters_are_never_wider_than_we_reckon(zpl_renderer, text, letter):
    zpl = f"^XA^CI28^FO10,10^A0N,{letter},{letter}^FH^FD{escape_field(text)}^FS^XZ".encode()
    ink = zpl_renderer.draw(zpl, (200, 20), 8).point(lambda value: 255 - value).getbbox()
    reckoned = Font0(usual_fonts()).width(text, letter)
    assert reckoned * 0.8 < ink[2] - 10 <= reckoned
