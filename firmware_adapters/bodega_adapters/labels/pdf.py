"""A label as a PDF of one page, as large as the label: for a printer of an office, over IPP or CUPS.

The page is one image of black and white at about 600 dpi, a whole multiple of the printer's own dots, so that bars stay
sharp whoever rasterises it. The file holds no date and no name: the same label gives the same bytes.
"""

from __future__ import annotations

import zlib

from bodega_adapters.labels.sheet import Bitmap

_POINTS_PER_MM = 72 / 25.4


def page_of(bitmap: Bitmap, dots_per_mm: int) -> bytes:
    """The PDF file of one page."""
    width, height = (size / dots_per_mm * _POINTS_PER_MM for size in (bitmap.width, bitmap.height))
    content = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /L Do Q".encode()
    pixels = zlib.compress(bitmap.rows, 9)
    image = (
        f"/Type /XObject /Subtype /Image /Width {bitmap.width} /Height {bitmap.height} /BitsPerComponent 1"
        " /ColorSpace /DeviceGray /Decode [1 0] /Interpolate false /Filter /FlateDecode"
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents 4 0 R"
        " /Resources << /XObject << /L 5 0 R >> >> >>".encode(),
        _stream("", content),
        _stream(image, pixels),
    )
    file, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = "".join(f"{place:010d} 00000 n \n" for place in places).encode()
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (len(objects) + 1, table, end)


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def scale_for(dots_per_mm: int) -> int:
    """How often each dot of the sheet is repeated on the page."""
    return max(1, 24 // dots_per_mm)
