"""The same documents for other printers: a PDF page read by PDFium and zxing-cpp, a receipt read command by command."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pypdfium2
import pytest
from PIL import Image

from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import LabelDocument, of_layout, preflight, render
from bodega_adapters.labels.escpos import CODE_PAGES
from bodega_adapters.labels.layout import shipped, shipped_names
from bodega_adapters.ports import PrinterAbilities
from support.printed_zpl import read_back

SSCC = make_sscc(3, "9501101", 5)
OFFICE = {dots: PrinterAbilities("pdf", dots, 210, says_status=False, confirms=False) for dots in (8, 12)}
RECEIPTS = PrinterAbilities("escpos", 8, 72, says_status=False, confirms=False)
PAGES = dict(CODE_PAGES)


def sample(name: str) -> LabelDocument:
    return LabelDocument(name, {name: tuple(lines) for name, lines in shipped(name).sample.items()})


def page_of(pdf: bytes, dots_per_mm: int) -> tuple[Image.Image, tuple[float, float]]:
    """The one page as a picture, and its size in millimetres."""
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) == 1
        width, height = document[0].get_size()
        picture = document[0].render(scale=dots_per_mm * 25.4 / 72).to_pil().convert("L")
    return picture, (width / 72 * 25.4, height / 72 * 25.4)


@pytest.mark.parametrize("dots_per_mm", [8, 12])
@pytest.mark.parametrize("name", shipped_names())
def test_every_layout_is_a_pdf_of_its_size_whose_barcodes_read(name, dots_per_mm):
    pdf = render(sample(name), OFFICE[dots_per_mm])
    assert preflight(sample(name), OFFICE[dots_per_mm]) == []
    picture, (width, height) = page_of(pdf, 24)
    layout = shipped(name)
    assert width == pytest.approx(layout.width_mm, abs=0.2)
    assert not layout.height_mm or height == pytest.approx(layout.height_mm, abs=0.2)
    expected = {"parcel": {f"00{SSCC}"}, "tote": {f"00{SSCC}"}, "packing-slip": {f"00{SSCC}"}}.get(name)
    found = {content.decode() for content in read_back(picture)}
    assert found == expected if expected else len(found) == len(layout.code)


def test_the_same_label_gives_the_same_pdf():
    assert render(sample("parcel"), OFFICE[12]) == render(sample("parcel"), OFFICE[12])


class Receipt:
    """ESC/POS read as a printer reads it: lines of text, barcodes, pictures, cuts."""

    def __init__(self, data: bytes) -> None:
        self.lines: list[tuple[str, int]] = []
        self.barcodes: list[bytes] = []
        self.qr: list[bytes] = []
        self.pictures: list[Image.Image] = []
        self.cuts = 0
        self._page, self._times, self._line = 0, 1, b""
        assert data.startswith(b"\x1b@")
        at = 0
        while at < len(data):
            at += self._take(data, at)

    def _take(self, data: bytes, at: int) -> int:
        """Obey what is at this place; how many bytes it has."""
        for start, obey in self._COMMANDS.items():
            if data.startswith(start, at):
                return obey(self, data[at:])
        assert data[at] >= 32 or data[at] == 10, f"no command: {data[at : at + 8]!r}"
        if data[at] == 10:
            self.lines.append((self._line.decode(PAGES[self._page]), self._times))
            self._line = b""
        else:
            self._line += data[at : at + 1]
        return 1

    def _set_page(self, data: bytes) -> int:
        self._page = data[2]
        return 3

    def _set_size(self, data: bytes) -> int:
        self._times = (data[2] & 15) + 1
        return 3

    def _cut(self, data: bytes) -> int:
        self.cuts += 1
        return 4

    def _barcode(self, data: bytes) -> int:
        self.barcodes.append(data[4 : 4 + data[3]])
        return 4 + data[3]

    def _matrix(self, data: bytes) -> int:
        size = int.from_bytes(data[3:5], "little")
        if data[5:8] == b"1P0":
            self.qr.append(data[8 : 5 + size])
        return 5 + size

    def _dots(self, data: bytes) -> int:
        width, height = (int.from_bytes(data[place : place + 2], "little") for place in (4, 6))
        dots = bytes(255 - byte for byte in data[8 : 8 + width * height])
        self.pictures.append(Image.frombytes("1", (width * 8, height), dots))
        return 8 + width * height

    _COMMANDS: ClassVar[dict[bytes, Callable[[Receipt, bytes], int]]] = {
        b"\x1b@": lambda _self, _data: 2,
        **dict.fromkeys((b"\x1ba", b"\x1bJ", b"\x1dh", b"\x1dw", b"\x1dH"), lambda _self, _data: 3),
        b"\x1bt": _set_page,
        b"\x1d!": _set_size,
        b"\x1dVB": _cut,
        b"\x1dkI": _barcode,
        b"\x1d(k": _matrix,
        b"\x1dv0\x00": _dots,
    }

    def picture(self) -> Image.Image:
        """All strips, one below the other."""
        whole = Image.new(
            "L", (max(one.width for one in self.pictures), sum(one.height for one in self.pictures)), 255
        )
        below = 0
        for one in self.pictures:
            whole.paste(one.convert("L"), (0, below))
            below += one.height
        return whole


def test_a_packing_slip_is_text_in_the_printers_letters_a_barcode_of_its_own_and_a_cut():
    receipt = Receipt(render(sample("packing-slip"), RECEIPTS))
    texts = [line.strip() for line, _ in receipt.lines]
    assert texts == [
        "Bodega Lisbon 01", "Order ord-1", "Ana Example", "1 High Street", "London SW1A 1AA GB",
        "2 x TEA-100 Green tea, loose, 100 g", "1 x CUP-W Cup, white", f"(00) {SSCC}", "Thank you for your order.",
    ]  # fmt: skip
    assert receipt.lines[0][1] == 2, "the head is large"
    assert all(len(line) * times <= 48 for line, times in receipt.lines)
    digits = bytes(int(f"00{SSCC}"[at : at + 2]) for at in range(0, 20, 2))
    assert receipt.barcodes == [b"{C{1" + digits]
    assert receipt.cuts == 1
    assert preflight(sample("packing-slip"), RECEIPTS) == []


def test_each_line_of_a_receipt_takes_a_code_page_that_has_it_and_is_drawn_where_none_does():
    lines = ("Café für 5 €", "Łódź", "Привет", "東京都", "plain")
    document = LabelDocument("packing-slip", {"items": lines, "order_id": ("1",), "site": ("S",)})
    receipt = Receipt(render(document, RECEIPTS))
    assert {"Café für 5 €", "Łódź", "Привет", "plain"} <= {line.strip() for line, _ in receipt.lines}
    assert len([picture for picture in receipt.pictures if picture.height > 10]) == 1
    assert receipt.barcodes == []


def test_long_lines_of_a_receipt_wrap_and_push_the_rest_down():
    document = LabelDocument("packing-slip", {"items": ("a long name " * 20,) * 30, "sscc": (SSCC,)})
    receipt = Receipt(render(document, RECEIPTS))
    assert all(len(line) * times <= 48 for line, times in receipt.lines)
    assert sum(line.count("name") for line, _ in receipt.lines) == 600
    assert len(receipt.barcodes) == 1


def test_a_label_with_places_goes_to_a_receipt_printer_as_one_picture_that_reads():
    document = sample("item")
    receipt = Receipt(render(document, RECEIPTS))
    assert receipt.lines == []
    assert all(picture.width <= 576 for picture in receipt.pictures)
    assert list(read_back(receipt.picture()).values()) == ["]d2"]


def test_qr_is_the_printers_own_and_datamatrix_is_drawn():
    text = 'name = "own"\ntitle = ""\nwidth_mm = 72\nheight_mm = 0\n[sample]\nurl = [""]\n' + "".join(
        f'[[code]]\nat_mm = [0, {down}]\nsize_mm = [72, 40]\nsymbology = "{symbology}"\ndata = "{{url}}"\n'
        for down, symbology in ((0, "qr"), (50, "datamatrix"))
    )
    receipt = Receipt(render(of_layout(text, {"url": ("https://x.test/1",)}), RECEIPTS))
    assert receipt.qr == [b"https://x.test/1"]
    assert list(read_back(_framed(receipt.picture()))) == [b"https://x.test/1"]


def _framed(picture: Image.Image) -> Image.Image:
    framed = Image.new("L", (picture.width + 20, picture.height + 20), 255)
    framed.paste(picture, (10, 10))
    return framed
