"""Barcodes of a layout: content, size in whole dots, quiet zones and limits.

The X-dimension that a layout wishes for becomes whole dots of the printer, and as many fewer as the area demands; below
the least that the use allows the label is not printed. Sources of the limits: GS1 General Specifications, symbol
specification tables 2 and 5 (logistic labels: GS1-128 with X 0.495 to 0.940 mm, 31.75 mm high), and table 1 addendum 1
(trade items: GS1 DataMatrix with X 0.396 to 0.990 mm); ISO/IEC 15417, 16022 and 18004 for quiet zones; for a node's own
use what its scanners and a thermal head manage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from bodega.errors import InvalidInput
from bodega_adapters.framing import code128, datamatrix, qr
from bodega_adapters.framing.gs1 import Fault, parse_element_string
from bodega_adapters.labels.layout import Code
from bodega_adapters.labels.sheet import Symbology

GS = code128.GS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a use demands, in millimetres; `quiet` in modules (linear: left and right; else on all sides)."""

    module_min: float
    module_max: float
    height_min: float
    quiet: int


# (use, symbology) -> limits.
LIMITS: dict[tuple[str, str], Limits] = {
    ("logistic", "gs1-128"): Limits(0.495, 0.940, 31.75, 10),
    ("logistic", "gs1-datamatrix"): Limits(0.495, 1.500, 0.0, 1),
    ("trade", "gs1-128"): Limits(0.250, 1.016, 12.7, 10),
    ("trade", "gs1-datamatrix"): Limits(0.396, 0.990, 0.0, 1),
    ("internal", "code-128"): Limits(0.250, 1.016, 5.0, 10),
    ("internal", "gs1-128"): Limits(0.250, 1.016, 5.0, 10),
    ("internal", "datamatrix"): Limits(0.250, 1.500, 0.0, 1),
    ("internal", "gs1-datamatrix"): Limits(0.250, 1.500, 0.0, 1),
    ("internal", "qr"): Limits(0.250, 2.000, 0.0, 4),
}

_ELEMENT = re.compile(r"\((\d{2,4})\)([^(]*)")
# Elements of predefined length need no FNC1 behind them (GS1 General Specifications, figure 7.8.5-2).
_PREDEFINED = {"00", "01", "02", "03", "04", "20", "23", "41"} | {
    str(number) for number in (*range(11, 20), *range(31, 37))
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a barcode says: `data` for the encoder, `line` for people."""

    data: str
    line: str
    gs1: bool


def content_of(code: Code, bind: Callable[[str], str]) -> Content:
    """Fill in the values. Raises `InvalidInput` when they make no valid content."""
    if not code.symbology.startswith("gs1-"):
        data = bind(code.data)
        return Content(data, data, gs1=False)
    parts = [(ai, bind(template)) for ai, template in _ELEMENT.findall(code.data)]
    kept = [(ai, value) for ai, value in parts if value]
    if not kept or _ELEMENT.sub("", code.data):
        raise InvalidInput("is not made of GS1 elements", hint="write them as (01){gtin}(10){lot}")
    ends = [GS if ai[:2] not in _PREDEFINED else "" for ai, _ in kept]
    data = "".join(ai + value + end for (ai, value), end in zip(kept, ends, strict=True)).rstrip(GS)
    read = parse_element_string(data)
    if isinstance(read, Fault):
        raise InvalidInput(
            f"({read.ai}) {dict(kept).get(read.ai, '')!r}: {read.problem}", hint="give it another value"
        )
    if [(one.ai, one.value) for one in read.elements] != kept:
        raise InvalidInput(
            f"would be read as other elements than {kept}", hint="put one element in each bracket"
        )
    return Content(data, " ".join(f"({ai}) {value}" for ai, value in kept), gs1=True)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Modules of a symbol without its quiet zone; `values` for a linear one."""

    modules: tuple[tuple[bool, ...], ...]
    values: tuple[int, ...] = ()


def encode(symbology: str, content: Content, correction: str = "M") -> Encoded:
    """Raises `InvalidInput` for what the symbology can not say."""
    if symbology in ("code-128", "gs1-128"):
        values = code128.encode(content.data, gs1=content.gs1)
        return Encoded((tuple(code128.bars(values)),), tuple(values))
    if symbology == "qr":
        grid = qr.modules_of(content.data, cast("Literal['L', 'M', 'Q', 'H']", correction))
    else:
        grid = datamatrix.modules_of(content.data, gs1=content.gs1)
    return Encoded(tuple(map(tuple, grid)))


@dataclass(frozen=True, slots=True)
class Size:
    """A symbol in dots: one module, the whole, the bars' height, the quiet zone at its sides."""

    module: int
    width: int
    height: int
    quiet: int


def size_of(code: Code, encoded: Encoded, room: tuple[int, int], dots_per_mm: int) -> Size:
    """The size nearest to the wished one that fits `room` (dots). Raises `InvalidInput` if none that is legal does."""
    limits = LIMITS.get((code.use, code.symbology))
    if limits is None:
        uses = ", ".join(sorted(use for use, symbology in LIMITS if symbology == code.symbology))
        raise InvalidInput(f"{code.symbology} has no use {code.use}", hint=f"its uses are {uses}")
    across, linear = len(encoded.modules[0]), len(encoded.modules) == 1
    least = max(1, -(-int(limits.module_min * dots_per_mm * 1000) // 1000))
    most = max(least, int(limits.module_max * dots_per_mm))
    wished = min(max(round(code.module_mm * dots_per_mm), least), most)
    for module in range(wished, least - 1, -1):
        quiet = limits.quiet * module
        width, height = across * module, room[1] if linear else len(encoded.modules) * module
        if width + 2 * quiet <= room[0] and (linear or height + 2 * quiet <= room[1]):
            break
    else:
        needs = (across + 2 * limits.quiet) * least / dots_per_mm
        raise InvalidInput(
            f"is too wide: {across} modules and quiet zones of {limits.quiet} need {needs:.1f} mm at the smallest legal"
            f" X-dimension of {least} dots ({least / dots_per_mm:.3f} mm), there are {room[0] / dots_per_mm:.1f} mm",
            hint="give it more room, or less content",
        )
    if linear and height < limits.height_min * dots_per_mm:
        raise InvalidInput(
            f"is too low: {height / dots_per_mm:.2f} mm, {code.use} use needs {limits.height_min:g} mm",
            hint="give it more room",
        )
    return Size(module, width, height, quiet)


def bound_names(template: str, values: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Values of the fields that a barcode's template binds, for the search for a human-readable line."""
    return [line for name in re.findall(r"\{(\w+)", template) for line in values.get(name, ()) if line]


def symbology_of(code: Code) -> Symbology:
    """The layout's word as the sheet's type."""
    return cast("Symbology", code.symbology)
