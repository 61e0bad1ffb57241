"""Barcodes in photographs: how many are read, how many wrong, and how long it takes; zxing-cpp alone, and ours.

The photographs are ZXing's black-box set (zxing/zxing, core/src/test/resources/blackbox), or a part of it: folders of
PNG files, the truth in a .txt of the same stem; in `falsepositives*` there is nothing to read. BODEGA_BARCODE_IMAGES
names the folder; without it this benchmark says so and has nothing to measure.

`images.read` is the share of photographs of retail codes (EAN-13, EAN-8, UPC-A, UPC-E) whose code was read, its limit
what zxing-cpp alone reads; `images.misread` the share in which anything else was read as well or instead, its limit
zxing-cpp's own; `images.time` the mean of ours in ms, its limit the time of zxing-cpp alone. Both are told again for
each half of the photographs, drawn by chance (`half_a`, `half_b`): no rule may owe its success to single pictures. The
table by folder goes to standard error. Bars: read >= 0.84, misread <= 0.01, time <= 20 ms.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from benchmarks.result import Result
from bodega_adapters.framing.gs1 import ItemCode, decode
from bodega_agent.vision.codes import CodeReader
from bodega_agent.vision.readers import ALL
from bodega_agent.vision.zbar import upc_a

NAME = "devices.images"
SOURCE = "BODEGA_BARCODE_IMAGES"
RETAIL = ("ean13", "ean8", "upca", "upce", "upcean")
NOTHING = "falsepositives"
SEED = 5

Pixels = np.ndarray
Reader = Callable[[Pixels], set[str]]


@dataclass(frozen=True)
class Photograph:
    """`truth` is a GTIN of 14 digits; "" where there is nothing to read."""

    folder: str
    pixels: Pixels
    truth: str


@dataclass
class Score:
    """Of `of` photographs; `milliseconds` each."""

    of: int = 0
    read: int = 0
    misread: int = 0
    milliseconds: float = 0.0

    def add(self, photograph: Photograph, seen: set[str], milliseconds: float) -> None:
        """What was seen in one more."""
        self.milliseconds = (self.milliseconds * self.of + milliseconds) / (self.of + 1)
        self.of += 1
        self.read += photograph.truth in seen
        self.misread += bool(seen - {photograph.truth})


def run() -> Iterator[Result]:
    """That there are no photographs, with a word why, where they are not."""
    source = Path(os.environ.get(SOURCE, ""))
    if not os.environ.get(SOURCE) or not source.is_dir():
        print(f"bench: {NAME}: skipped: {SOURCE} names no folder of barcode photographs", file=sys.stderr)
        yield Result("images.photographs", 0, "photographs")
        return
    photographs = list(load(source))
    yield Result("images.photographs", len(photographs), "photographs")
    alone, ours = zxing_alone, CodeReader()
    theirs = [(each, *timed(alone, each.pixels)) for each in photographs]
    own = [(each, *timed(lambda pixels: gtins(ours, pixels), each.pixels)) for each in photographs]
    tell_by_folder(theirs, own)
    retail = [number for number, each in enumerate(photographs) if each.truth]
    drawn = random.Random(SEED).sample(retail, len(retail))
    halves = {"": retail, ".half_a": drawn[::2], ".half_b": drawn[1::2]}
    for name, numbers in halves.items():
        before = score(theirs[number] for number in numbers)
        after = score(own[number] for number in numbers)
        yield Result.against(f"images.read{name}", after.read / after.of, "share", before.read / before.of)
        yield Result(f"images.misread{name}", after.misread / after.of, "share", before.misread / before.of)
        yield Result.against(f"images.time{name}", after.milliseconds, "ms", before.milliseconds)
    none = score(each for each in own if not each[0].truth)
    if none.of:
        yield Result("images.false_positives", float(none.misread), "photographs", float(none.of))
        yield Result("images.time.nothing_to_read", none.milliseconds, "ms")


def _picture(path: Path) -> Pixels:
    pixels = cv2.imread(str(path))
    if pixels is None:
        raise ValueError(f"{path} is no picture")
    return np.asarray(pixels, np.uint8)


def load(source: Path) -> Iterator[Photograph]:
    """The retail photographs and those of nothing, by folder and name."""
    for path in sorted([*source.glob("*/*.png"), *source.glob("*/*.jpg")]):
        folder, text = path.parent.name, path.with_suffix(".txt")
        if folder.startswith(RETAIL) and text.exists():
            digits = text.read_text().strip()
            yield Photograph(
                folder, _picture(path), (upc_a(digits) if "upce-" in folder else digits).zfill(14)
            )
        elif folder.startswith(NOTHING):
            yield Photograph(folder, _picture(path), "")


def gtins(reader: CodeReader, pixels: Pixels) -> set[str]:
    """What ours reads: GTINs, and the text of what is none."""
    return {symbol.gtin14 or symbol.text for symbol in reader.symbols_in(pixels)}


def zxing_alone(pixels: Pixels) -> set[str]:
    """The same of zxing-cpp, with the same symbologies and its own defaults."""
    found = zxingcpp.read_barcodes(pixels, formats=ALL, text_mode=zxingcpp.TextMode.Plain)
    meanings = [(decode(each.text, each.symbology_identifier), each.text) for each in found]
    return {meaning.gtin14 if isinstance(meaning, ItemCode) else text for meaning, text in meanings}


def timed(reader: Reader, pixels: Pixels) -> tuple[set[str], float]:
    """What it reads, and the milliseconds that takes."""
    began_s = time.perf_counter()
    seen = reader(pixels)
    return seen, 1000 * (time.perf_counter() - began_s)


Look = tuple[Photograph, set[str], float]


def score(looks: Iterator[Look]) -> Score:
    """The sum of some looks."""
    total = Score()
    for look in looks:
        total.add(*look)
    return total


def tell_by_folder(theirs: list[Look], own: list[Look]) -> None:
    """One line a folder: read and misread of zxing-cpp alone, then ours."""
    print(f"{'folder':<20} {'of':>3}  zxing: read wrong    ms  ours: read wrong    ms", file=sys.stderr)
    for folder in sorted({photograph.folder for photograph, *_ in own}):
        cells = ""
        for looks in (theirs, own):
            part = score(look for look in looks if look[0].folder == folder)
            cells += f" {part.read:>11} {part.misread:>5} {part.milliseconds:>5.1f}"
        print(f"{folder:<20} {part.of:>3} {cells}", file=sys.stderr)
