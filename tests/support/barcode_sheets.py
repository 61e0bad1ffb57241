"""Sheets of drawn barcodes, one under another, for cameras that scan."""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp

_MARGIN_PX = 40
_WIDTH_PX = 480


def codes_sheet(*codes: bytes) -> bytes:
    """A PNG of the codes as a hand scanner sends them: `]C0` and `]C1` as Code 128, `]E0` as EAN-13, others as QR."""
    images = [_image(code) for code in codes]
    sheet = np.full((sum(len(image) + _MARGIN_PX for image in images) + _MARGIN_PX, _WIDTH_PX), 255, np.uint8)
    top = _MARGIN_PX
    for image in images:
        height, width = image.shape
        sheet[top : top + height, _MARGIN_PX : _MARGIN_PX + width] = image
        top += height + _MARGIN_PX
    return cv2.imencode(".png", sheet)[1].tobytes()


def _image(code: bytes) -> np.ndarray:
    aim, content = code[:3], code[3:]
    if aim == b"]C1":
        hri = "".join(f"({part[:2]}){part[2:]}" for part in content.decode().split("\x1d"))
        symbol = zxingcpp.create_barcode(hri, zxingcpp.BarcodeFormat.Code128, gs1=True)
    elif aim == b"]C0":
        symbol = zxingcpp.create_barcode(content.decode(), zxingcpp.BarcodeFormat.Code128)
    elif aim == b"]E0":
        symbol = zxingcpp.create_barcode(content.decode(), zxingcpp.BarcodeFormat.EAN13)
    else:
        symbol = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode)
    return np.array(symbol.to_image(scale=2))
