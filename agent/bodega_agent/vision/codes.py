"""Reads the barcodes in a frame and says which GTINs they hold.

zxing-cpp reads the symbols, 1D and 2D; the meaning of a text is the same rule that serves the hand scanners
(`bodega_adapters.framing.gs1`), check digits and all, so a camera and a scanner can not disagree on one
label.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import zxingcpp

from bodega.limits import FRAME_CODES_MAX, IDENTIFIER_CHARS_MAX
from bodega_adapters.framing.gs1 import ItemCode, decode
from bodega_agent.vision.judge import NOT_A_GTIN

# The symbologies in which GS1 carries a GTIN (General Specifications, section 5), and no others: each one
# more costs time and is one more way to read a code where there is none.
_FORMATS = zxingcpp.BarcodeFormats(
    (
        zxingcpp.BarcodeFormat.EANUPC,
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.ITF,
        zxingcpp.BarcodeFormat.DataBar,
        zxingcpp.BarcodeFormat.DataMatrix,
        zxingcpp.BarcodeFormat.QRCode,
    )
)


def codes_in(pixels: np.ndarray[Any, Any]) -> tuple[str, ...]:
    """Each code in the frame (height x width x 3, uint8, BGR) once, sorted, at most `FRAME_CODES_MAX`.

    A trade item gives its GTIN, 14 digits. Any other code, a case label with its content among them, gives
    `?` and its text: it does not say what lies in the tray.
    """
    found = zxingcpp.read_barcodes(pixels, formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain)
    meanings = {_meaning(symbol.text, symbol.symbology_identifier) for symbol in found}
    # GTINs sort before `?`, so the bound drops what matters least.
    return tuple(sorted(meanings)[:FRAME_CODES_MAX])


def _meaning(text: str, symbology: str) -> str:
    decoded = decode(text, symbology)
    if isinstance(decoded, ItemCode):
        return decoded.gtin14
    # A 2D symbol may hold kilobytes of anything; the record keeps a printable start of it.
    printable = "".join(character if character.isprintable() else "." for character in text)
    return f"{NOT_A_GTIN}{printable}"[:IDENTIFIER_CHARS_MAX]
