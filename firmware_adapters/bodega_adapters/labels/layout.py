"""Layouts of labels: TOML in, a typed value out, every fault named at once with its line and key.

A layout says in millimetres what stands where, and binds fields of a document by name: "{ship_to}". It is data: the
shipped ones lie in `layouts/`, a node may bring its own file, and the same layout serves every printer.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from attrs import Attribute, field, frozen, validators

from bodega.errors import FieldFault, NotFound
from bodega.host import config as toml
from bodega.limits import (
    LAYOUT_BYTES_MAX,
    LAYOUT_ELEMENTS_MAX,
    LAYOUT_HEIGHT_MM_MAX,
    LAYOUT_WIDTH_MM_MAX,
    TEXT_CHARS_MAX,
)

BUILT_IN = frozenset({"dpi", "dots_per_mm", "size_mm"})
BINDING = re.compile(r"\{(\w+)(?::(\w+))?\}")
FILTERS = frozenset({"", "yymmdd"})
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SHIPPED = files("bodega_adapters.labels") / "layouts"
T = TypeVar("T")


def _check(words: str, legal: Any) -> Any:
    def check(_self: Any, attribute: Attribute[Any], value: Any) -> None:
        if not legal(value):
            raise ValueError(f"'{attribute.name}' must be {words}, is {value!r}")

    return check


def _one_of(*legal: str) -> Any:
    return _check(f"one of {', '.join(legal)}", lambda value: value in legal)


def _template(_self: Any, attribute: Attribute[str], value: str) -> None:
    if len(value) > TEXT_CHARS_MAX:
        raise ValueError(f"'{attribute.name}' must have at most {TEXT_CHARS_MAX} characters")
    unknown = sorted({kind for _, kind in BINDING.findall(value)} - FILTERS)
    if unknown:
        raise ValueError(f"'{attribute.name}' must bind with :yymmdd or nothing, has :{unknown[0]}")


def _png(_self: Any, attribute: Attribute[str], value: str) -> None:
    try:
        is_png = base64.b64decode(value, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
    except binascii.Error:
        is_png = False
    if not is_png:
        raise ValueError(f"'{attribute.name}' must be a PNG picture in base64")


_PAIR = _check(
    "two numbers of millimetres, [across, down]",
    lambda value: len(value) == 2 and all(0 <= part <= LAYOUT_HEIGHT_MM_MAX for part in value),
)
_LENGTH = _check("millimetres above 0", lambda value: 0 < value <= LAYOUT_HEIGHT_MM_MAX)
_NONE_OR_LENGTH = _check("millimetres, or 0", lambda value: 0 <= value <= LAYOUT_HEIGHT_MM_MAX)
_ALIGN = _one_of("left", "center", "right")


@frozen(kw_only=True)
class Text:
    """A block of text. `letter_mm` is the height of its font, which may shrink to `shrink_to_mm` to fit.

    `inverse`: white on black. `grows`: it is as high as its content, and what lies below moves. `when`: it is there
    only if this field is not empty.
    """

    at_mm: list[float] = field(validator=_PAIR)
    size_mm: list[float] = field(validator=_PAIR)
    text: str = field(validator=_template)
    letter_mm: float = field(validator=_LENGTH)
    shrink_to_mm: float = field(default=0.0, validator=_NONE_OR_LENGTH)
    align: str = field(default="left", validator=_ALIGN)
    inverse: bool = False
    grows: bool = False
    when: str = ""


@frozen(kw_only=True)
class Rule:
    """A line across, or downwards if it is `upright`."""

    at_mm: list[float] = field(validator=_PAIR)
    length_mm: float = field(validator=_LENGTH)
    thick_mm: float = field(default=0.25, validator=_LENGTH)
    upright: bool = False


@frozen(kw_only=True)
class Box:
    """A frame."""

    at_mm: list[float] = field(validator=_PAIR)
    size_mm: list[float] = field(validator=_PAIR)
    thick_mm: float = field(default=0.25, validator=_LENGTH)


@frozen(kw_only=True)
class Code:
    """A barcode inside its area, quiet zones and human-readable line included.

    `data` of a GS1 symbology is written with brackets: "(01){gtin}(10){lot}"; elements whose value is empty are left
    out. `module_mm` is the X-dimension that is wished; the printer's whole dots come as near as they can, and fewer are
    taken when the symbol is too wide. `use` says whose limits hold: see `symbols.LIMITS`.
    """

    at_mm: list[float] = field(validator=_PAIR)
    size_mm: list[float] = field(validator=_PAIR)
    symbology: str = field(validator=_one_of("code-128", "gs1-128", "datamatrix", "gs1-datamatrix", "qr"))
    data: str = field(validator=_template)
    use: str = field(default="internal", validator=_one_of("internal", "logistic", "trade"))
    module_mm: float = field(default=0.5, validator=_LENGTH)
    line: str = field(default="below", validator=_one_of("below", "none"))
    letter_mm: float = field(default=3.0, validator=_LENGTH)
    align: str = field(default="center", validator=_ALIGN)
    correction: str = field(default="M", validator=_one_of("L", "M", "Q", "H"))
    when: str = ""


@frozen(kw_only=True)
class Picture:
    """A small picture, such as a logo, scaled to its area."""

    at_mm: list[float] = field(validator=_PAIR)
    size_mm: list[float] = field(validator=_PAIR)
    png: str = field(validator=_png)


@frozen(kw_only=True)
class Ruler:
    """Millimetres to hold a real ruler against."""

    at_mm: list[float] = field(validator=_PAIR)
    length_mm: int = field(validator=validators.in_(range(10, 201)))


@frozen(kw_only=True)
class Layout:
    """One kind of label. `height_mm` 0: as long as its content, for paper from a roll.

    `sample` names every field that may be bound, with what it may look like.
    """

    name: str = field(validator=_check("a-z, 0-9 and -, at most 32", _NAME.fullmatch))
    title: str
    width_mm: float = field(
        validator=_check(f"1 to {LAYOUT_WIDTH_MM_MAX}", lambda value: 1 <= value <= LAYOUT_WIDTH_MM_MAX)
    )
    height_mm: float = field(
        validator=_check(f"0 to {LAYOUT_HEIGHT_MM_MAX}", lambda value: 0 <= value <= LAYOUT_HEIGHT_MM_MAX)
    )
    sample: dict[str, list[str]] = field(factory=dict)
    text: list[Text] = field(factory=list)
    rule: list[Rule] = field(factory=list)
    box: list[Box] = field(factory=list)
    code: list[Code] = field(factory=list)
    picture: list[Picture] = field(factory=list)
    ruler: list[Ruler] = field(factory=list)


def parse(text: str, *, source: str = "layout") -> Layout:
    """A layout from TOML; raises ConfigInvalid with every fault, each with its key and line."""
    if len(text.encode("utf-8", "replace")) > LAYOUT_BYTES_MAX:
        raise toml.invalid(source, (FieldFault("file", f"is larger than {LAYOUT_BYTES_MAX} bytes"),))
    layout = toml.parse(text, Layout, source=source)
    faults = [
        FieldFault(".".join(keys), problem, toml.line_of(text, keys)) for keys, problem in _across(layout)
    ]
    if faults:
        raise toml.invalid(source, tuple(sorted(faults, key=lambda fault: fault.line or 0)))
    return layout


def _across(layout: Layout) -> list[tuple[list[str], str]]:
    """What no single key can know: names that are bound, places on the label, how many elements."""
    faults: list[tuple[list[str], str]] = []
    known = set(layout.sample) | BUILT_IN
    for kind, number, element in elements(layout):
        keys = [kind, str(number)]
        for key in ("text", "data"):
            bound = {name for name, _ in BINDING.findall(getattr(element, key, ""))}
            faults += [
                ([*keys, key], f"binds {name}, which [sample] does not name")
                for name in sorted(bound - known)
            ]
        when = getattr(element, "when", "")
        if when and when not in known:
            faults.append(([*keys, "when"], f"names {when}, which [sample] does not name"))
        right, bottom = extent(element)
        if right > layout.width_mm + 1e-6:
            faults.append(
                ([*keys, "at_mm"], f"ends at {right:g} mm, the label is {layout.width_mm:g} mm wide")
            )
        if layout.height_mm and bottom > layout.height_mm + 1e-6:
            faults.append(
                ([*keys, "at_mm"], f"ends at {bottom:g} mm, the label is {layout.height_mm:g} mm high")
            )
    count = len(elements(layout))
    if not 0 < count <= LAYOUT_ELEMENTS_MAX:
        faults.append((["name"], f"has {count} elements, a layout has 1 to {LAYOUT_ELEMENTS_MAX}"))
    return faults


Element = Text | Rule | Box | Code | Picture | Ruler
RULER_HEIGHT_MM = 6.0


def elements(layout: Layout) -> list[tuple[str, int, Element]]:
    """Everything on a layout as (kind, number from 0, element)."""
    kinds: dict[str, list[Any]] = {
        "rule": layout.rule,
        "box": layout.box,
        "picture": layout.picture,
        "ruler": layout.ruler,
        "text": layout.text,
        "code": layout.code,
    }
    return [(kind, number, element) for kind, given in kinds.items() for number, element in enumerate(given)]


def extent(element: Element) -> tuple[float, float]:
    """Where an element ends, in millimetres from the left and from the top."""
    across, down = element.at_mm
    if isinstance(element, Rule):
        width, height = element.length_mm, element.thick_mm
        return (across + height, down + width) if element.upright else (across + width, down + height)
    if isinstance(element, Ruler):
        return across + element.length_mm, down + RULER_HEIGHT_MM
    return across + element.size_mm[0], down + element.size_mm[1]


def load(path: Path) -> str:
    """The text of a node's own layout file, checked. Raises ConfigInvalid with every fault, or NotFound."""
    text = toml.read(path)
    parse(text, source=str(path))
    return text


def shipped_names() -> tuple[str, ...]:
    """The names of the layouts that come with Bodega."""
    return tuple(
        sorted(one.name.removesuffix(".toml") for one in _SHIPPED.iterdir() if one.name.endswith(".toml"))
    )


@lru_cache(maxsize=32)
def shipped(name: str) -> Layout:
    """A layout that comes with Bodega; raises NotFound, naming those that there are."""
    file = _SHIPPED / f"{name}.toml"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise NotFound(f"there is no label layout {name!r}", hint=f"there are {', '.join(shipped_names())}")
    return parse(file.read_text(encoding="utf-8"), source=f"layout {name}")
