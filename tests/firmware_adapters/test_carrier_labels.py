"""Labels of carriers, PNG or PDF: they fit our paper, whichever way they lie, and their barcodes still read.

And a stranger's file is refused with its reason, whatever is wrong with it.
"""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from bodega.errors import InvalidInput
from bodega.limits import CARRIER_LABEL_BYTES_MAX, CARRIER_LABEL_PIXELS_MAX, LABEL_BYTES_MAX
from bodega_adapters.framing import qr
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.framing.zpl import lint
from bodega_adapters.labels import pictures, raster
from bodega_adapters.labels.document import (
    LabelDocument,
    findings_of,
    image,
    parcel,
    preflight,
    render,
    sheet_of,
)
from bodega_adapters.labels.fonts import usual_fonts
from bodega_adapters.labels.pdf import page_of
from bodega_adapters.ports import PrinterAbilities
from support.printed_zpl import read_back

SSCC = make_sscc(3, "9501101", 5)
SENT = {f"00{SSCC}".encode(): "]C1"}
PARCEL = parcel(sscc=SSCC, order_id="ord-1", ship_to=("Ana", "Paris"), ship_from=("B",), service="EXPRESS")


def zebra(dots_per_mm: int = 8) -> PrinterAbilities:
    return PrinterAbilities("zpl", dots_per_mm, 102, says_status=True, confirms=True)


def carrier_page(dots_per_mm: int) -> Image.Image:
    """A good label of somebody else's: ours, drawn."""
    sheet = sheet_of(PARCEL, PrinterAbilities("pdf", dots_per_mm, 210, says_status=False, confirms=False))
    return raster.draw(sheet, usual_fonts()).point(lambda value: 255 - value)


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def on_paper(picture: Image.Image, margin: int) -> Image.Image:
    page = Image.new("L", (picture.width + 2 * margin, picture.height + 3 * margin), 255)
    page.paste(picture, (margin, margin))
    return page


def coloured(picture: Image.Image) -> Image.Image:
    """Dark blue on white."""
    return Image.merge("RGB", [picture, picture, picture.point(lambda value: value // 2 + 127)])


def see_through(picture: Image.Image) -> Image.Image:
    """Black on nothing."""
    return Image.merge("LA", [Image.new("L", picture.size, 0), picture.point(lambda value: 255 - value)])


SOURCES = {
    "203 dpi": lambda: png(carrier_page(8)),
    "300 dpi": lambda: png(carrier_page(12)),
    "600 dpi": lambda: png(carrier_page(24)),
    "lying on its side": lambda: png(carrier_page(8).transpose(Image.Transpose.ROTATE_90)),
    "on its head": lambda: png(carrier_page(8).transpose(Image.Transpose.ROTATE_180)),
    "with wide margins": lambda: png(on_paper(carrier_page(8), 150)),
    "in colours": lambda: png(coloured(carrier_page(8))),
    "black and white": lambda: png(carrier_page(8).convert("1")),
    "transparent": lambda: png(see_through(carrier_page(8))),
    "pdf of an image, 203 dpi": lambda: page_of(_bits(carrier_page(8)), 8),
    "pdf of an image, 300 dpi": lambda: page_of(_bits(carrier_page(12)), 12),
    "pdf lying on its side": lambda: page_of(_bits(carrier_page(12).transpose(Image.Transpose.ROTATE_270)), 12),
    "pdf of A4": lambda: page_of(_bits(on_a4(carrier_page(8))), 8),
    "pdf of vectors": lambda: pdf_of(vectors()),
}  # fmt: skip


def _bits(picture: Image.Image):
    return raster.bitmap(picture.point(lambda value: 255 - value))


def on_a4(picture: Image.Image) -> Image.Image:
    page = Image.new("L", (210 * 8, 297 * 8), 255)
    page.paste(picture, (100, 60))
    return page


def pdf_of(
    content: bytes, *, size: tuple[float, float] = (288, 432), pages: int = 1, trailer: bytes = b""
) -> bytes:
    """A PDF by hand: every page with this content stream."""
    kids = " ".join(f"{number} 0 R" for number in range(4, 4 + pages))
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents 3 0 R >>".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        *[page] * pages,
    ]
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % item for item in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R %b >>\n%%%%EOF\n" % trailer


def vectors() -> bytes:
    """The SSCC's bars as rectangles at 2/3 point a module, which is no whole number of anybody's dots."""
    sheet = sheet_of(PARCEL, zebra())
    (symbol,) = (mark for mark in sheet.marks if type(mark).__name__ == "Symbol")
    bars = "".join(
        f"{40 + place * 4 / 3:.3f} 60 {4 / 3:.3f} 90 re f "
        for place, dark in enumerate(symbol.modules[0])
        if dark
    )
    return f"{bars} 10 300 268 1 re f 10 420 268 1 re f 10 10 268 1 re f".encode()


@pytest.mark.parametrize("dots_per_mm", [8, 12])
@pytest.mark.parametrize("source", SOURCES)
def test_a_carriers_label_fits_our_paper_and_its_barcode_reads(zpl_renderer, source, dots_per_mm):
    document = image(SOURCES[source]())
    assert preflight(document, zebra(dots_per_mm)) == []
    zpl = render(document, zebra(dots_per_mm))
    assert lint(zpl) == []
    assert len(zpl) <= LABEL_BYTES_MAX
    label = zpl_renderer.draw(zpl, (101.6, 152.4), dots_per_mm)
    assert read_back(label) == SENT
    width, height = Image.eval(label, lambda value: 255 - value).getbbox()[2:]
    assert width > 60 * dots_per_mm, "it fills the paper"
    assert height > 100 * dots_per_mm, "it stands upright"


def test_a_label_of_our_own_resolution_keeps_every_dot():
    source = carrier_page(8)
    drawing, _ = pictures.convert(png(source), (812, 1219), 8, look=False)
    ink = source.point(lambda value: 255 - value).getbbox()
    assert drawing.bitmap == _bits(source.crop(ink))


def test_a_small_picture_is_enlarged_by_whole_dots():
    modules = Image.new("L", (21, 21), 255)
    for row, line in enumerate(qr.modules_of("A")):
        for column, dark in enumerate(line):
            modules.putpixel((column, row), 0 if dark else 255)
    drawing, _ = pictures.convert(png(modules), (200, 300), 8, look=False)
    assert (drawing.bitmap.width, drawing.bitmap.height) == (189, 189)


def test_other_printers_get_the_same_carriers_label():
    document = image(SOURCES["203 dpi"]())
    office = PrinterAbilities("pdf", 12, 210, says_status=False, confirms=False)
    assert render(document, office).startswith(b"%PDF-1.4")
    assert preflight(document, office) == []
    receipts = PrinterAbilities("escpos", 8, 72, says_status=False, confirms=False)
    assert render(document, receipts).startswith(b"\x1b@\x1dv0")


def test_a_barcode_that_gets_lost_is_found_and_not_printed():
    fine = Image.new("L", (1700, 1700), 255)
    pen = ImageDraw.Draw(fine)
    for row, line in enumerate(qr.modules_of("x" * 800, "L")):
        for column, dark in enumerate(line):
            if dark:
                pen.rectangle((60 + column * 3, 60 + row * 3, 62 + column * 3, 62 + row * 3), fill=0)
    pen.rectangle((0, 1690, 1700, 1699), fill=0)
    document = image(png(fine))
    (finding,) = findings_of(document, zebra())
    assert finding.fatal
    assert "can not be read any more" in str(finding.fault)


def locked() -> bytes:
    """A PDF that asks for a password, and nobody knows it."""
    keys = b"/O <%b> /U <%b>" % (b"5A" * 32, b"A5" * 32)
    return pdf_of(
        b"10 10 100 100 re f",
        trailer=b"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 %b /P -4 >>" % keys,
    )


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has more pixels than a label can."""
    side = int(CARRIER_LABEL_PIXELS_MAX**0.5) + 1

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


HOSTILE = {
    "a picture bomb": (bomb, "too many to be a label"),
    "a cut PNG": (lambda: png(carrier_page(8))[:900], "PNG is broken"),
    "an empty PNG": (lambda: png(Image.new("L", (400, 400), 255)), "is empty"),
    "a PNG of nothing but its name": (lambda: b"\x89PNG\r\n\x1a\n", "PNG is broken"),
    "a PDF of two pages": (lambda: pdf_of(b"10 10 100 100 re f", pages=2), "2 pages, a label has one"),
    "a PDF of no page": (lambda: pdf_of(b"", pages=0), "can not be drawn"),
    "a PDF page as large as a field": (
        lambda: pdf_of(b"1 1 9 9 re f", size=(14400, 14400)),
        "not of a label's size",
    ),
    "a cut PDF": (lambda: page_of(_bits(carrier_page(8)), 8)[:200], "can not be drawn"),
    "an encrypted PDF": (locked, "it is encrypted"),
    "a blank PDF": (lambda: pdf_of(b""), "is empty"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason_and_a_hint(case):
    make, reason = HOSTILE[case]
    with pytest.raises(InvalidInput, match=reason) as caught:
        render(image(make()), zebra())
    assert caught.value.hint
    assert reason in str(preflight(image(make()), zebra())[0])


def test_what_is_neither_png_nor_pdf_or_too_large_is_refused_at_once():
    for content in (b"", b"GIF89a", b"<svg/>", b"^XA^XZ"):
        with pytest.raises(InvalidInput, match="neither a PNG nor a PDF"):
            image(content)
    with pytest.raises(InvalidInput, match="at most"):
        image(b"\x89PNG\r\n\x1a\n".ljust(CARRIER_LABEL_BYTES_MAX + 1))


def test_noise_that_no_compression_helps_is_refused_before_it_chokes_a_printer():
    noise = Image.effect_noise((1219, 1828), 200)
    found = findings_of(image(png(noise)), zebra(24))
    assert [finding.fatal for finding in found] == [True]
    assert "bytes, a printer takes" in str(found[0].fault)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_png_is_drawn_or_refused_and_nothing_else(data):
    whole = bytearray(png(carrier_page(8).resize((120, 180))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    document = LabelDocument("image", content=bytes(whole))
    faults = [finding for finding in findings_of(document, zebra()) if finding.fatal]
    if not faults:
        assert render(document, zebra()).startswith(b"^XA")
    else:
        with pytest.raises(InvalidInput):
            pictures.convert(document.content, (812, 1219), 8, look=False)
