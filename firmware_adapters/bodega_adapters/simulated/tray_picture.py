"""Pictures of a packing tray: what the bench camera would see with one item under it.

The EAN-13 symbol is drawn by zxing-cpp, so it is a real one; tray, item and light are arithmetic. The PNG is
written with zlib alone: there is no other use for an image library here. Imports are late, for boxes without them.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Any

WIDTH_PX = 640
HEIGHT_PX = 480
_MODULE_PX = 3
_TRAY_LUMINANCE = 96
_ITEM_LUMINANCE = 214
_GRAIN = 12


@lru_cache(maxsize=512)
def tray_picture(ean13: str) -> bytes:
    """A PNG, 640 x 480, grey: the item with this EAN-13 (13 digits with check digit) on a dark tray."""
    import numpy as np  # noqa: PLC0415 (see the module's docstring)
    import zxingcpp  # noqa: PLC0415 (see the module's docstring)

    # Grain as every sensor has it, the same for the same item, so that a run can be repeated.
    grain = np.random.default_rng(int(ean13)).integers(-_GRAIN, _GRAIN + 1, (HEIGHT_PX, WIDTH_PX))
    picture = np.full((HEIGHT_PX, WIDTH_PX), _TRAY_LUMINANCE, dtype=np.int16)
    picture[60:420, 90:550] = _ITEM_LUMINANCE
    symbol = np.array(
        zxingcpp.create_barcode(ean13, zxingcpp.BarcodeFormat.EAN13).to_image(scale=_MODULE_PX, add_hrt=False)
    )
    top, left = (HEIGHT_PX - symbol.shape[0]) // 2, (WIDTH_PX - symbol.shape[1]) // 2
    picture[top : top + symbol.shape[0], left : left + symbol.shape[1]] = symbol
    return png(np.clip(picture + grain, 0, 255).astype(np.uint8))


def png(grey: Any) -> bytes:
    """A PNG (ISO/IEC 15948) of a (height, width) array of uint8: signature, IHDR, one IDAT, IEND."""
    height, width = grey.shape
    # Each row starts with its filter type; 0 means none.
    rows = b"".join(b"\x00" + row.tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
