"""A layout and values become a sheet: every element gets its dots, and what does not fit is found and named."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import LABEL_LINES_MAX, PICTURE_PIXELS_MAX
from bodega_adapters.labels import symbols, wording
from bodega_adapters.labels.fonts import bitmap_of, is_right_to_left, keeps_order, package_for
from bodega_adapters.labels.layout import (
    BINDING,
    RULER_HEIGHT_MM,
    Box,
    Code,
    Element,
    Layout,
    Picture,
    Rule,
    Ruler,
    Text,
    elements,
)
from bodega_adapters.labels.pictures import from_png
from bodega_adapters.labels.sheet import (
    Align,
    Drawing,
    Finding,
    Frame,
    Mark,
    Place,
    Sheet,
    Symbol,
    Typeface,
    Words,
)

Values = Mapping[str, tuple[str, ...]]
_FOOT_MM = 3.0
_LINE_GAP_MM = 0.8


@dataclass
class _Desk:
    """What is being laid out: the one place that knows millimetres from dots."""

    layout: Layout
    values: Values
    dots_per_mm: int
    face: Typeface
    marks: list[Mark] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    quiet: list[tuple[str, Place, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def dots(self, millimetres: float) -> int:
        return int(millimetres * self.dots_per_mm + 1e-6)

    def place(self, element: Text | Box | Code | Picture, shift: int) -> Place:
        (across, down), (width, height) = element.at_mm, element.size_mm
        return Place(self.dots(across), self.dots(down) + shift, self.dots(width), self.dots(height))

    def lines(self, template: str) -> list[str]:
        """The lines of a template: all of a field's that is bound alone, else one with commas between them."""
        alone = BINDING.fullmatch(template)
        if alone and not alone[2] and alone[1] in self.values:
            return list(self.values[alone[1]])[:LABEL_LINES_MAX]
        return [self.bind(template)]

    def bind(self, template: str) -> str:
        built_in = {
            "dpi": {6: "152", 8: "203", 12: "300", 24: "600"}.get(
                self.dots_per_mm, str(self.dots_per_mm * 25)
            ),
            "dots_per_mm": str(self.dots_per_mm),
            "size_mm": f"{self.layout.width_mm:g} x {self.layout.height_mm:g}",
        }
        return BINDING.sub(
            lambda found: _filtered(
                ", ".join(self.values.get(found[1], (built_in.get(found[1], ""),))), found[2]
            ),
            template,
        )

    def note(self, where: str, problem: str, *, fatal: bool) -> None:
        finding = Finding(FieldFault(where, problem), fatal)
        if finding not in self.findings:
            self.findings.append(finding)


def _filtered(value: str, wanted: str | None) -> str:
    """`:yymmdd`: an ISO date as barcodes have it."""
    if wanted == "yymmdd" and len(value) == 10 and value[4] == value[7] == "-":
        return value[2:4] + value[5:7] + value[8:10]
    return value


def place(layout: Layout, values: Values, dots_per_mm: int, face: Typeface) -> Sheet:
    """Put everything in its place. Nothing raises: what is wrong is among the sheet's findings."""
    desk = _Desk(layout, values, dots_per_mm, face)
    # Elements that grow push what is below them: so from top to bottom, and texts before barcodes at the same height.
    pushed: list[tuple[float, int]] = []
    for _, _, element in sorted(elements(layout), key=lambda one: one[2].at_mm[1]):
        when = getattr(element, "when", "")
        shift = sum(by for below, by in pushed if element.at_mm[1] >= below)
        present = not when or any(line.strip() for line in values.get(when, ()))
        used = _put(desk, element, shift) if present else 0
        if isinstance(element, Text) and element.grows:
            below = element.at_mm[1] + element.size_mm[1]
            pushed.append((below - 1e-6, used - desk.dots(element.size_mm[1])))
    height = desk.dots(layout.height_mm)
    if not layout.height_mm:
        height = max((mark.place.bottom for mark in desk.marks), default=0) + desk.dots(_FOOT_MM)
    width = desk.dots(layout.width_mm)
    for where, zone, _ in desk.quiet:
        _check_quiet(desk, where, zone, Place(0, 0, width, height))
    return Sheet(width, height, dots_per_mm, tuple(desk.marks), tuple(desk.findings), not layout.height_mm)


def _put(desk: _Desk, element: Element, shift: int) -> int:
    """Put one element; the height that it took, in dots."""
    if isinstance(element, Text):
        return _put_text(desk, element, shift)
    if isinstance(element, Code):
        _put_code(desk, element, shift)
    elif isinstance(element, Rule):
        length, thick = desk.dots(element.length_mm), max(1, round(element.thick_mm * desk.dots_per_mm))
        at = (desk.dots(element.at_mm[0]), desk.dots(element.at_mm[1]) + shift)
        size = (thick, length) if element.upright else (length, thick)
        desk.marks.append(Frame(Place(*at, *size), thick))
    elif isinstance(element, Box):
        desk.marks.append(
            Frame(desk.place(element, shift), max(1, round(element.thick_mm * desk.dots_per_mm)))
        )
    elif isinstance(element, Ruler):
        _put_ruler(desk, element, shift)
    else:
        _put_picture(desk, element, shift)
    return 0


def _put_text(desk: _Desk, text: Text, shift: int) -> int:
    area = desk.place(text, shift)
    letter = max(4, desk.dots(text.letter_mm))
    least = max(4, desk.dots(text.shrink_to_mm)) if text.shrink_to_mm else letter
    height = 1 << 20 if text.grows else area.height
    margin = letter // 4 if text.inverse else 0
    room = (area.width - 2 * margin, height)
    found = wording.fit(desk.lines(text.text), room, (letter, min(letter, least)), desk.face.width)
    where = next((name for name, _ in BINDING.findall(text.text)), "text")
    if found.cut:
        desk.note(where, f"does not fit: {found.cut} characters were cut", fatal=False)
    _note_strange(desk, where, found.lines)
    if not found.lines:
        return 0
    pitch, used = wording.pitch(found.letter), wording.pitch(found.letter) * len(found.lines)
    top = area.y
    if text.inverse:
        desk.marks.append(Frame(area, min(area.width, area.height)))
        ink = used - pitch + found.letter * 3 // 4
        top = area.y + max(0, (area.height - ink) // 2)
    for row, line in enumerate(found.lines):
        spot = Place(area.x + margin, top + row * pitch, room[0], found.letter)
        desk.marks.append(Words(spot, line, found.letter, _align(text.align), text.inverse))
        desk.texts.append(line)
    return used


def _align(word: str) -> Align:
    return "center" if word == "center" else "right" if word == "right" else "left"


def _note_strange(desk: _Desk, where: str, lines: tuple[str, ...]) -> None:
    missing = sorted({one for line in lines for one in desk.face.missing(line)})
    if missing:
        named = ", ".join(f"{one} (U+{ord(one):04X})" for one in missing[:5])
        packages = " ".join(sorted({package_for(one) for one in missing}))
        desk.note(where, f"no font has {named}: apt-get install {packages}", fatal=False)
    if is_right_to_left("".join(lines)) and not keeps_order():
        desk.note(where, "right-to-left text needs Pillow with raqm", fatal=False)


def _put_code(desk: _Desk, code: Code, shift: int) -> None:
    where = next((name for name, _ in BINDING.findall(code.data)), "code")
    area = desk.place(code, shift)
    letter, gap = max(4, desk.dots(code.letter_mm)), desk.dots(_LINE_GAP_MM)
    try:
        content = symbols.content_of(code, desk.bind)
        encoded = symbols.encode(code.symbology, content, code.correction)
        with_line = letter + gap if code.line == "below" else 0
        size = symbols.size_of(code, encoded, (area.width, area.height - with_line), desk.dots_per_mm)
    except InvalidInput as error:
        hint = f"; {error.hint}" if error.hint else ""
        desk.note(where, f"barcode {code.symbology}: {error.message}{hint}", fatal=True)
        return
    linear = len(encoded.modules) == 1
    free = area.width - size.width
    left = {"left": size.quiet, "right": free - size.quiet}.get(code.align, free // 2)
    top = area.y + (0 if linear else size.quiet)
    spot = Place(area.x + left, top, size.width, size.height)
    symbol = Symbol(
        spot,
        symbols.symbology_of(code),
        content.data,
        size.module,
        encoded.modules,
        encoded.values,
        code.correction,  # type: ignore[arg-type]  # the layout's validator allows these four letters only
    )
    desk.marks.append(symbol)
    desk.quiet.append((where, spot.widened(size.quiet, 0 if linear else size.quiet), len(desk.marks)))
    if code.line == "below":
        below = spot.bottom + gap + (0 if linear else size.quiet)
        _put_line(desk, where, content.line, Place(area.x, below, area.width, letter), code)
    elif not _is_readable_elsewhere(code, desk):
        desk.note(
            where, f"barcode {code.symbology}: nothing on the label says its content to people", fatal=False
        )


def _put_line(desk: _Desk, where: str, line: str, area: Place, code: Code) -> None:
    """The human-readable line, smaller if it must; only a QR code's may be cut, as it is often a whole link."""
    least = max(4, area.height // 2)
    found = wording.fit([line], (area.width, area.height), (area.height, least), desk.face.width)
    if found.cut and code.symbology != "qr":
        desk.note(
            where, f"the human-readable line does not fit: {found.cut} characters were cut", fatal=False
        )
    for text in found.lines[:1]:
        desk.marks.append(Words(replace(area, height=found.letter), text, found.letter, _align(code.align)))
        desk.texts.append(text)


def _is_readable_elsewhere(code: Code, desk: _Desk) -> bool:
    shown = [text.text for text in desk.layout.text]
    names = {name for name, _ in BINDING.findall(code.data) if any(desk.values.get(name, ()))}
    return all(any(f"{{{name}}}" in template for template in shown) for name in names) and bool(names)


def _put_ruler(desk: _Desk, ruler: Ruler, shift: int) -> None:
    x, y = desk.dots(ruler.at_mm[0]), desk.dots(ruler.at_mm[1]) + shift
    thick = max(1, desk.dots_per_mm // 8)
    letter = desk.dots(2.4)
    for millimetre in range(ruler.length_mm + 1):
        length = 3.0 if millimetre % 10 == 0 else 2.2 if millimetre % 5 == 0 else 1.4
        at = x + millimetre * desk.dots_per_mm - (thick if millimetre == ruler.length_mm else 0)
        desk.marks.append(Frame(Place(at, y, thick, desk.dots(length)), thick))
        if millimetre % 10 == 0 and 0 < millimetre < ruler.length_mm:
            area = Place(at - desk.dots(3), y + desk.dots(RULER_HEIGHT_MM - 2.6), desk.dots(6), letter)
            desk.marks.append(Words(area, str(millimetre), letter, "center"))


def _put_picture(desk: _Desk, picture: Picture, shift: int) -> None:
    area = desk.place(picture, shift)
    try:
        greys = from_png(base64.b64decode(picture.png), PICTURE_PIXELS_MAX)
    except InvalidInput as error:
        desk.note("picture", error.message, fatal=False)
        return
    scale = min(area.width / greys.width, area.height / greys.height)
    size = (max(1, round(greys.width * scale)), max(1, round(greys.height * scale)))
    drawn = bitmap_of(greys.resize(size))
    desk.marks.append(Drawing(Place(area.x, area.y, drawn.width, drawn.height), drawn))


def _check_quiet(desk: _Desk, where: str, zone: Place, page: Place) -> None:
    """Nothing else may stand in a barcode's quiet zone, and the zone must be on the label."""
    if zone.x < 0 or zone.y < 0 or zone.right > page.right or zone.bottom > page.bottom:
        desk.note(where, "the quiet zone of its barcode leaves the label", fatal=True)
    inside = [mark for mark in desk.marks if zone.meets(mark.place) and not _is_own(mark, zone)]
    for mark in inside[:1]:
        what = f"the text {mark.text!r}" if isinstance(mark, Words) else f"a {type(mark).__name__.lower()}"
        desk.note(where, f"the quiet zone of its barcode is broken by {what}", fatal=True)


def _is_own(mark: Mark, zone: Place) -> bool:
    """The symbol that the zone belongs to; a frame around the whole zone does not stand in it."""
    if isinstance(mark, Symbol):
        return mark.place.x >= zone.x and mark.place.right <= zone.right and mark.place.y >= zone.y
    if isinstance(mark, Frame):
        inner = mark.place.widened(-mark.thick, -mark.thick)
        return (
            inner.x <= zone.x
            and inner.y <= zone.y
            and inner.right >= zone.right
            and inner.bottom >= zone.bottom
        )
    return False
