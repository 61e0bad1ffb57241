"""Reads the barcodes in a frame and says which GTINs they hold.

zxing-cpp looks first and mostly that is all. Where no code is believed yet (`agreement.py`), zbar and mended pictures
follow, the cheapest and most fruitful first, until one is, or the time for it is over (`FRAME_RESCUE_MS`). The
meaning of a text is the same rule that serves the hand scanners (`bodega_adapters.framing.gs1`), check digits and
all, so a camera and a scanner can not disagree on one label.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from bodega.limits import FRAME_CODES_MAX, FRAME_RESCUE_MS, IDENTIFIER_CHARS_MAX
from bodega_agent.vision.agreement import Ballot, Reading, Symbol
from bodega_agent.vision.judge import NOT_A_GTIN
from bodega_agent.vision.pictures import Pictures
from bodega_agent.vision.readers import ALL, RETAIL, Readers

Look = Callable[[Readers, Pictures], list[Reading]]

_FIRST: Look = lambda readers, of: readers.zxing(of.frame, ALL, 1.0)  # noqa: E731  a row of the table below
# Rescue reads retail codes only, but for the last look: zxing-cpp's first look finds the others where they are.
LOOKS: tuple[Look, ...] = (
    _FIRST,
    lambda readers, of: readers.zbar(of.frame, 1.0, step=2),
    lambda readers, of: readers.zxing(of.level, RETAIL, of.scale),
    lambda readers, of: readers.zbar(of.level, of.scale, step=4),
    lambda readers, of: readers.zbar(of.smooth(), of.scale, step=4),
    lambda readers, of: readers.zxing(of.fine(), RETAIL, of.scale),
    lambda readers, of: readers.zxing(of.sharp(4, 3), RETAIL, of.scale),
    lambda readers, of: readers.zxing(of.sharp(2, 3), RETAIL, of.scale),
    lambda readers, of: readers.zbar(of.sharp(6, 6), of.scale, step=4),
    lambda readers, of: readers.zxing(of.sharp(4, 3, level=True), RETAIL, of.scale),
    lambda readers, of: readers.zxing(of.large, ALL, of.scale),
)


class CodeReader:
    """Reads frames. For one thread."""

    def __init__(
        self,
        readers: Readers | None = None,
        *,
        rescue_ms: float = FRAME_RESCUE_MS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """No look begins later than `rescue_ms` after the first; `clock` gives seconds."""
        self._rescue_s = rescue_ms / 1000
        self._readers = readers or Readers()
        self._clock = clock

    def symbols_in(self, pixels: np.ndarray[Any, Any]) -> tuple[Symbol, ...]:
        """Each code in the frame (height x width x 3, uint8, BGR) once, the trade items first, each kind sorted, at
        most `FRAME_CODES_MAX`.
        """
        ends_s = self._clock() + self._rescue_s
        pictures = Pictures(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
        ballot = Ballot()
        for number, look in enumerate(LOOKS):
            ballot.add(look(self._readers, pictures))
            # What the first look leaves in doubt beside a code gets one more; after that it is not worth the time.
            if ballot.settled() or (number and ballot.believed()) or self._clock() >= ends_s:
                break
        found = sorted(ballot.believed(), key=lambda symbol: (not symbol.gtin14, symbol.gtin14, symbol.text))
        return tuple(found[:FRAME_CODES_MAX])

    def codes_in(self, pixels: np.ndarray[Any, Any]) -> tuple[str, ...]:
        """What the codes in the frame name, each once, sorted.

        A trade item gives its GTIN, 14 digits. Any other code, a case label with its content among them, gives
        `?` and its text: it does not say what lies in the tray.
        """
        return tuple(sorted({symbol.gtin14 or _other(symbol.text) for symbol in self.symbols_in(pixels)}))


def _other(text: str) -> str:
    # A 2D symbol may hold kilobytes of anything; the record keeps a printable start of it.
    printable = "".join(character if character.isprintable() else "." for character in text)
    return f"{NOT_A_GTIN}{printable}"[:IDENTIFIER_CHARS_MAX]
