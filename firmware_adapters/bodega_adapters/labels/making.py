"""A document becomes what a printer is sent: `make`, and `render` and `preflight`, which say one half of it each.

`preflight` names everything that such a printer can not show. `render` refuses what must not be printed (a barcode that
can not be read or says something wrong, nothing that fits the paper) and prints the rest with its loss (a text that was
cut, a letter that no font has): a parcel with a long address has to leave.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import BodegaError, FieldFault, InvalidInput
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.labels import escpos, pdf, pictures, raster, zpl
from bodega_adapters.labels.document import IMAGE, PARCEL_MM, ZPL, LabelDocument, Values
from bodega_adapters.labels.font0 import Font0
from bodega_adapters.labels.fonts import Fonts, usual_fonts
from bodega_adapters.labels.layout import Layout, parse, shipped
from bodega_adapters.labels.placing import place
from bodega_adapters.labels.sheet import Finding, Sheet, Symbol, Typeface
from bodega_adapters.ports import DOTS_PER_MM, PrinterAbilities

TEST, TEST_NARROW = "test", "test-narrow"
_TEST_WIDTH_MM = 98


@dataclass(frozen=True, slots=True)
class Made:
    """A label in a printer's language, and what was found on the way."""

    data: bytes
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[FieldFault, ...]:
        """Why it must not be printed; empty if it may."""
        return tuple(finding.fault for finding in self.findings if finding.fatal)

    @property
    def losses(self) -> tuple[FieldFault, ...]:
        """What is not on the paper as it should be."""
        return tuple(finding.fault for finding in self.findings if not finding.fatal)


def make(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None, *, look: bool = True
) -> Made:
    """One copy of `document` for such a printer. Raises nothing: what is wrong is in the answer.

    `look`: also read the barcodes of a carrier's label back. Takes up to seconds for a carrier's label: call it in a
    thread.
    """
    try:
        data, findings = _made(document, abilities, fonts or usual_fonts(), look)
    except BodegaError as error:
        return refused(document.kind, error)
    if not 0 < len(data) <= LABEL_BYTES_MAX:
        size = f"has {len(data)} bytes, a printer takes 1 to {LABEL_BYTES_MAX}"
        findings.append(Finding(FieldFault(document.kind, size), fatal=True))
    return Made(data, tuple(findings))


def refused(what: str, error: BodegaError) -> Made:
    """No label, and why."""
    faults = error.faults or (FieldFault(what, error.message),)
    return Made(b"", tuple(Finding(fault, fatal=True) for fault in faults))


def render(document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None) -> bytes:
    """The bytes of `make`. Raises `InvalidInput`, with every fault, if the label must not be printed there."""
    made = make(document, abilities, fonts, look=False)
    if made.faults:
        raise InvalidInput(
            f"the label {document.kind} can not be printed: {made.faults[0]}",
            hint="mend what is named, or print it on another printer",
            faults=made.faults,
        )
    return made.data


def preflight(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None
) -> list[FieldFault]:
    """What of `document` such a printer can not show, fatal or not; empty if all is well. Raises nothing."""
    return [finding.fault for finding in make(document, abilities, fonts).findings]


def _made(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts, look: bool
) -> tuple[bytes, list[Finding]]:
    if document.kind == ZPL:
        if abilities.language == "zpl":
            return document.content, []
        raise InvalidInput(
            f"a finished ZPL label can not be printed in {abilities.language}",
            hint="print it on a ZPL printer",
        )
    if abilities.dots_per_mm not in DOTS_PER_MM:
        raise InvalidInput(
            f"no label for a printer of {abilities.dots_per_mm} dots/mm",
            hint="use 8 (203 dpi) or 12 (300 dpi)",
        )
    if document.kind == IMAGE:
        return _image(document, abilities, fonts, look)
    sheet = sheet_of(document, abilities, fonts)
    return _written(sheet, abilities, fonts), list(sheet.findings)


def sheet_of(document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None) -> Sheet:
    """The layout with its values in the printer's dots. Raises NotFound or ConfigInvalid for a layout that is none."""
    fonts = fonts or usual_fonts()
    layout = parse(document.layout) if document.layout else shipped(document.kind)
    sheet = place(layout, document.values, abilities.dots_per_mm, _typeface(abilities, layout, fonts))
    printable = abilities.width_mm * abilities.dots_per_mm
    beyond = [mark for mark in sheet.marks if mark.place.right > printable]
    if not beyond:
        return sheet
    fatal = any(isinstance(mark, Symbol) for mark in beyond)
    fault = FieldFault(
        "width_mm",
        f"{layout.width_mm:g} mm of label do not fit the {abilities.width_mm} mm that the printer prints",
    )
    return Sheet(
        sheet.width,
        sheet.height,
        sheet.dots_per_mm,
        sheet.marks,
        (*sheet.findings, Finding(fault, fatal)),
        sheet.endless,
    )


def _typeface(abilities: PrinterAbilities, layout: Layout, fonts: Fonts) -> Typeface:
    if abilities.language == "zpl":
        return Font0(fonts)
    if abilities.language == "escpos" and not layout.height_mm:
        return escpos.Columns(abilities.dots_per_mm, fonts)
    return fonts


def _written(sheet: Sheet, abilities: PrinterAbilities, fonts: Fonts) -> bytes:
    if abilities.language == "zpl":
        return zpl.write(sheet, fonts)
    if abilities.language == "escpos":
        return escpos.write(sheet, fonts)
    scale = pdf.scale_for(sheet.dots_per_mm)
    return pdf.page_of(raster.bitmap(raster.draw(sheet, fonts, scale)), sheet.dots_per_mm * scale)


def _image(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts, look: bool
) -> tuple[bytes, list[Finding]]:
    sheet = carrier_sheet(document, abilities, look=look)
    return _written(sheet, abilities, fonts), list(sheet.findings)


def carrier_sheet(document: LabelDocument, abilities: PrinterAbilities, *, look: bool = False) -> Sheet:
    """A carrier's label in the printer's dots. Raises `InvalidInput` for a file that can not be drawn."""
    try:
        width, height = (float(side) for side in document.values.get("medium_mm", ()))
    except ValueError:
        width, height = PARCEL_MM
    dots = abilities.dots_per_mm
    room = (int(min(width, abilities.width_mm) * dots), int(height * dots))
    drawing, findings = pictures.convert(document.content, room, dots, look=look)
    return Sheet(*room, dots, (drawing,), tuple(findings))


def trial_label(printer: str, abilities: PrinterAbilities) -> LabelDocument:
    """What a printer prints to show that it can: the layout `test`, or a narrow one where that does not fit."""
    layout = shipped(TEST if abilities.width_mm >= _TEST_WIDTH_MM else TEST_NARROW)
    return LabelDocument(layout.name, {**_sample(layout), "printer": (printer,)})


def _sample(layout: Layout) -> Values:
    return {name: tuple(lines) for name, lines in layout.sample.items()}
