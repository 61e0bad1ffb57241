"""The two barcode readers as one: pictures in, weighed readings out (weights: `agreement.py`).

zxing-cpp reads everything; zbar, where it is installed, EAN and UPC, and sees other ones than zxing-cpp does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import zxingcpp

from bodega.host.log import get_logger
from bodega_adapters.framing.gs1 import ItemCode, decode
from bodega_agent.vision.agreement import FIRM_HEIGHT_OF_WIDTH, FIRM_LINES, Reader, Reading, Symbol
from bodega_agent.vision.zbar import Zbar, ZbarSymbol

log = get_logger(__name__)

Grey = np.ndarray[Any, Any]

_Format = zxingcpp.BarcodeFormat
RETAIL = zxingcpp.BarcodeFormats((_Format.EANUPC,))
# The symbologies in which GS1 carries a GTIN (General Specifications, section 5), and no others: each one
# more costs time and is one more way to read a code where there is none.
ALL = zxingcpp.BarcodeFormats(
    (_Format.EANUPC, _Format.Code128, _Format.ITF, _Format.DataBar, _Format.DataMatrix, _Format.QRCode)
)
_BY_HEIGHT = frozenset(
    {_Format.EAN13, _Format.EAN8, _Format.UPCA, _Format.UPCE, _Format.ISBN, _Format.ITF, _Format.ITF14}
)
_FIRM = 1.0


class Readers:
    """Both readers, ready. For one thread."""

    def __init__(self, *, zbar: bool = True) -> None:
        """Without zbar's library, or with `zbar=False`, zxing-cpp reads alone, and the log says so once."""
        self._zbar: Zbar | None = None
        if zbar:
            try:
                self._zbar = Zbar()
            except OSError as error:
                log.info("barcode_reader_absent", reader="zbar", error=str(error), package="libzbar0")

    def zxing(self, picture: Grey, formats: zxingcpp.BarcodeFormats, scale: float) -> list[Reading]:
        """What zxing-cpp reads in a picture that is `scale` times as large as the frame."""
        found = zxingcpp.read_barcodes(picture, formats=formats, text_mode=zxingcpp.TextMode.Plain)
        return [_of_zxing(barcode, scale) for barcode in found]

    def zbar(self, picture: Grey, scale: float, step: int) -> list[Reading]:
        """What zbar reads in it, looking at each `step`-th row and column."""
        if self._zbar is None:
            return []
        return [_of_zbar(symbol, scale, step) for symbol in self._zbar.read(picture, step=step)]


def _of_zxing(barcode: zxingcpp.Barcode, scale: float) -> Reading:
    at = barcode.position
    corners = [
        (corner.x, corner.y) for corner in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    ]
    a, b, c, d = corners
    width = (math.dist(a, b) + math.dist(d, c)) / 2
    height = (math.dist(a, d) + math.dist(b, c)) / 2
    weight = _FIRM
    if barcode.format in _BY_HEIGHT:
        weight = height / max(width, 1.0) / FIRM_HEIGHT_OF_WIDTH
        weight /= 2 if barcode.format == _Format.UPCE else 1
    symbol = _symbol(barcode.bytes, barcode.text, barcode.symbology_identifier)
    return _reading(symbol, "zxing", weight, corners, scale)


def _of_zbar(symbol: ZbarSymbol, scale: float, step: int) -> Reading:
    weight = symbol.hits * step / (FIRM_LINES * scale) / (2 if symbol.is_upc_e else 1)
    read = _symbol(symbol.digits.encode(), symbol.digits, symbol.symbology)
    return _reading(read, "zbar", weight, symbol.corners, scale)


def _symbol(content: bytes, text: str, symbology: str) -> Symbol:
    decoded = decode(text, symbology)
    return Symbol(content, text, symbology, decoded.gtin14 if isinstance(decoded, ItemCode) else "")


def _reading(
    symbol: Symbol, reader: Reader, weight: float, corners: Sequence[tuple[float, float]], scale: float
) -> Reading:
    xs, ys = ([corner[axis] / scale for corner in corners] or [0.0] for axis in (0, 1))
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    reach = max(max(xs) - min(xs), max(ys) - min(ys)) / 2
    return Reading(symbol, reader, weight, x, y, reach)
