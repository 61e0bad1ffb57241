"""The barcode reader zbar (Debian's libzbar0), where it is installed: a second opinion beside zxing-cpp.

Called through ctypes: the library's interface has not changed in ten years, while its Python packages have rested
since 2022 or longer, search for the library with the help of a compiler, and build a scanner for each picture. It is
asked for EAN and UPC only: it loses the FNC1 of a GS1-128, and so its meaning.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

_LIBRARY = "libzbar.so.0"
# zbar.h
_EVERY_SYMBOLOGY, _ENABLE, _X_DENSITY, _Y_DENSITY = 0, 0, 0x100, 0x101
_EAN8, _UPCE, _UPCA, _EAN13 = 8, 9, 12, 13
_AIM = {_EAN8: "]E4", _UPCE: "]E0", _UPCA: "]E0", _EAN13: "]E0"}
_GREY = int.from_bytes(b"Y800", "little")

_POINTER, _INT, _UINT, _ULONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_ulong
# Name of each function used: its result, its arguments.
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "image_scanner_create": (_POINTER, ()),
    "image_scanner_set_config": (_INT, (_POINTER, _INT, _INT, _INT)),
    "image_create": (_POINTER, ()),
    "image_destroy": (None, (_POINTER,)),
    "image_set_format": (None, (_POINTER, _ULONG)),
    "image_set_size": (None, (_POINTER, _UINT, _UINT)),
    "image_set_data": (None, (_POINTER, _POINTER, _ULONG, _POINTER)),
    "scan_image": (_INT, (_POINTER, _POINTER)),
    "image_first_symbol": (_POINTER, (_POINTER,)),
    "symbol_next": (_POINTER, (_POINTER,)),
    "symbol_get_type": (_INT, (_POINTER,)),
    "symbol_get_quality": (_INT, (_POINTER,)),
    "symbol_get_data": (_POINTER, (_POINTER,)),
    "symbol_get_data_length": (_UINT, (_POINTER,)),
    "symbol_get_loc_size": (_UINT, (_POINTER,)),
    "symbol_get_loc_x": (_INT, (_POINTER, _UINT)),
    "symbol_get_loc_y": (_INT, (_POINTER, _UINT)),
}


@dataclass(frozen=True, slots=True)
class ZbarSymbol:
    """An EAN-13, EAN-8 or UPC-A, or the UPC-A that a UPC-E stands for.

    `symbology` is the AIM identifier; `hits` counts the scan lines that agreed on it, `corners` are where they begin
    and end, (x, y) in pixels.
    """

    digits: str
    symbology: str
    is_upc_e: bool
    hits: int
    corners: tuple[tuple[float, float], ...]


class Zbar:
    """One scanner of the library. For one thread."""

    def __init__(self) -> None:
        """Raises OSError where the library is not installed."""
        self._library: Any = ctypes.CDLL(_LIBRARY)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._library, f"zbar_{name}")
            function.restype, function.argtypes = result, arguments
        self._scanner = self._library.zbar_image_scanner_create()
        self._set(_EVERY_SYMBOLOGY, _ENABLE, 0)
        for symbology in _AIM:
            self._set(symbology, _ENABLE, 1)

    def read(self, grey: np.ndarray[Any, Any], *, step: int = 1) -> list[ZbarSymbol]:
        """The symbols in a grey picture (height x width, uint8), looking at each `step`-th row and column."""
        self._set(_EVERY_SYMBOLOGY, _X_DENSITY, step)
        self._set(_EVERY_SYMBOLOGY, _Y_DENSITY, step)
        pixels = np.ascontiguousarray(grey)
        height, width = pixels.shape
        image = self._library.zbar_image_create()
        try:
            self._library.zbar_image_set_format(image, _GREY)
            self._library.zbar_image_set_size(image, width, height)
            self._library.zbar_image_set_data(image, pixels.ctypes.data, pixels.size, None)
            self._library.zbar_scan_image(self._scanner, image)
            return list(self._symbols(image))
        finally:
            self._library.zbar_image_destroy(image)

    def _set(self, symbology: int, setting: int, value: int) -> None:
        self._library.zbar_image_scanner_set_config(self._scanner, symbology, setting, value)

    def _symbols(self, image: int) -> Iterator[ZbarSymbol]:
        symbol = self._library.zbar_image_first_symbol(image)
        while symbol:
            kind = self._library.zbar_symbol_get_type(symbol)
            if kind in _AIM:
                yield self._symbol(symbol, kind)
            symbol = self._library.zbar_symbol_next(symbol)

    def _symbol(self, symbol: int, kind: int) -> ZbarSymbol:
        of = self._library
        size = of.zbar_symbol_get_data_length(symbol)
        corners = (
            (float(of.zbar_symbol_get_loc_x(symbol, n)), float(of.zbar_symbol_get_loc_y(symbol, n)))
            for n in range(of.zbar_symbol_get_loc_size(symbol))
        )
        digits = ctypes.string_at(of.zbar_symbol_get_data(symbol), size).decode("ascii")
        return ZbarSymbol(
            digits=upc_a(digits) if kind == _UPCE else digits,
            symbology=_AIM[kind],
            is_upc_e=kind == _UPCE,
            hits=of.zbar_symbol_get_quality(symbol),
            corners=tuple(corners),
        )


def upc_a(upc_e: str) -> str:
    """The 12 digits that the 8 of a UPC-E stand for (GS1 General Specifications, section 5.2.2.4.2)."""
    system, body, check = upc_e[0], upc_e[1:7], upc_e[7]
    last = body[5]
    if last in "012":
        body = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        body = body[:3] + "00000" + body[3:5]
    elif last == "4":
        body = body[:4] + "00000" + body[4]
    else:
        body = body[:5] + "0000" + last
    return system + body + check
