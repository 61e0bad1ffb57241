"""Pictures of a packing tray, drawn for tests: a textured ground, printed barcodes, and bad light."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import zxingcpp

WIDTH_PX = 640
HEIGHT_PX = 480
_TRAY_GREY = 120
_GRAIN = 6


def tray(seed: int = 0) -> np.ndarray:
    """An empty tray: 480 x 640 x 3, uint8, mid grey with the grain of a real one."""
    grain = np.random.default_rng(seed).normal(_TRAY_GREY, _GRAIN, (HEIGHT_PX, WIDTH_PX, 3))
    return grain.clip(0, 255).astype(np.uint8)


def with_item(
    frame: np.ndarray,
    content: str,
    *,
    at: tuple[int, int] = (60, 60),
    symbology: str = "EAN13",
    gs1: bool = False,
) -> np.ndarray:
    """The frame with one barcode printed on it, its top left corner at (x, y)."""
    options = {"gs1": True} if gs1 else {}
    code = zxingcpp.create_barcode(content, getattr(zxingcpp.BarcodeFormat, symbology), **options)
    label = cv2.cvtColor(np.array(code.to_image(scale=2)), cv2.COLOR_GRAY2BGR)
    x, y = at
    seen = frame.copy()
    seen[y : y + label.shape[0], x : x + label.shape[1]] = label
    return seen


def dark(frame: np.ndarray) -> np.ndarray:
    """The same tray with the light off."""
    return (frame * 0.05).astype(np.uint8)


def overexposed(frame: np.ndarray) -> np.ndarray:
    """The same tray under a lamp that shines into the lens."""
    return np.clip(frame.astype(np.int32) + 180, 0, 255).astype(np.uint8)


def blurred(frame: np.ndarray) -> np.ndarray:
    """The same tray out of focus."""
    return cv2.GaussianBlur(frame, (0, 0), 9)


def save(frame: np.ndarray, path: Path) -> Path:
    """Write the frame without loss, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), frame)
    return path
