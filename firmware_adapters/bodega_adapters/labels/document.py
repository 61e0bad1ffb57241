"""What a print job is about, and what a printer is sent for it.

A document is what the ledger keeps: the values that stand on a label and the name of its layout, or a finished label
of somebody else. It names no printer. `render` makes the bytes when the job is sent, for the printer that is there
then; `preflight` says what of the document that printer can not show.

`preflight` names everything, `render` refuses what must not be printed (a barcode that can not be read or says
something wrong, nothing that fits the paper) and prints the rest with its loss (a text that was cut, a letter that no
font has): a parcel with a long address has to leave.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.errors import BodegaError, FieldFault, InvalidInput
from bodega.limits import CARRIER_LABEL_BYTES_MAX, LABEL_BYTES_MAX
from bodega_adapters.labels import escpos, pdf, pictures, raster, zpl
from bodega_adapters.labels.font0 import Font0
from bodega_adapters.labels.fonts import Fonts, usual_fonts
from bodega_adapters.labels.layout import Layout, parse, shipped
from bodega_adapters.labels.placing import place
from bodega_adapters.labels.sheet import Finding, Sheet, Symbol, Typeface
from bodega_adapters.ports import DOTS_PER_MM, PrinterAbilities

ZPL = "zpl"
IMAGE = "image"
PARCEL = "parcel"
PARCEL_MM = (101.6, 152.4)

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """One label, in nobody's language yet.

    `kind` is the name of a layout, such as `parcel`, or `image` (`content` is a PNG or a PDF) or `zpl` (`content` is a
    finished label for a ZPL printer). `values` are the lines of each field that the layout binds. `layout` is the text
    of a node's own layout, so that a job in the queue stays what it was when the node's file changes; empty: a shipped
    one.
    """

    kind: str
    values: Values = field(default_factory=dict)
    content: bytes = b""
    layout: str = ""

    def to_bytes(self) -> bytes:
        """As the ledger keeps it: JSON, the content in base64."""
        body: dict[str, object] = {"kind": self.kind}
        if self.values:
            body["values"] = {name: list(lines) for name, lines in self.values.items()}
        if self.content:
            body["content"] = base64.b64encode(self.content).decode("ascii")
        if self.layout:
            body["layout"] = self.layout
        return json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "backslashreplace")

    @classmethod
    def from_bytes(cls, kept: bytes) -> LabelDocument:
        """The document of `to_bytes`; what is no JSON object is ZPL, as ledgers of older versions keep it.

        Raises `InvalidInput` for anything else.
        """
        if not kept.startswith(b"{"):
            return cls(ZPL, content=bytes(kept))
        try:
            body = json.loads(kept)
            values = {str(name): tuple(map(str, lines)) for name, lines in body.get("values", {}).items()}
            content = base64.b64decode(body.get("content", ""), validate=True)
            return cls(str(body["kind"]), values, content, str(body.get("layout", "")))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise InvalidInput(
                f"the print job holds no label that can be read: {error}",
                hint="make the label again: reprint it",
            ) from error

    def line(self, name: str) -> str:
        """The first line of a value, empty if there is none."""
        return next(iter(self.values.get(name, ())), "")


def parcel(
    *, sscc: str, order_id: str, ship_to: tuple[str, ...], ship_from: tuple[str, ...], service: str
) -> LabelDocument:
    """The label of a parcel. `sscc`: 18 digits; `ship_to`, `ship_from`: address lines, top to bottom."""
    values = {
        "sscc": (sscc,),
        "order_id": (order_id,),
        "ship_to": ship_to,
        "ship_from": ship_from,
        "service": (service,),
    }
    return LabelDocument(PARCEL, values)


def of_layout(layout: Layout | str, values: Values) -> LabelDocument:
    """A document of a shipped layout (its name) or of a node's own (the text of its file).

    Raises NotFound or ConfigInvalid for a layout that is none.
    """
    if isinstance(layout, Layout):
        return LabelDocument(layout.name, values)
    if "\n" not in layout:
        return LabelDocument(shipped(layout).name, values)
    return LabelDocument(parse(layout).name, values, layout=layout)


def image(content: bytes, medium_mm: tuple[float, float] = PARCEL_MM) -> LabelDocument:
    """The label of a carrier, PNG or PDF, for a medium of that width and height.

    Raises `InvalidInput` for a file that is none, or too large.
    """
    if len(content) > CARRIER_LABEL_BYTES_MAX:
        raise InvalidInput(
            f"the carrier's label has {len(content)} bytes, at most {CARRIER_LABEL_BYTES_MAX} are taken",
            hint="ask the carrier for a smaller one: 203 dpi, black and white",
        )
    pictures.check_kind(content)
    return LabelDocument(IMAGE, {"medium_mm": tuple(f"{side:g}" for side in medium_mm)}, content)


def render(document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None) -> bytes:
    """The bytes that print one copy of `document` on such a printer.

    Raises `InvalidInput`, with every fault, if it must not be printed there. Takes up to seconds for the PDF of a
    carrier: call it in a thread.
    """
    data, findings = _made(document, abilities, fonts or usual_fonts())
    faults = tuple(finding.fault for finding in findings if finding.fatal)
    if faults:
        raise InvalidInput(
            f"the label {document.kind} can not be printed: {faults[0]}",
            hint="bodega labels show names every fault",
            faults=faults,
        )
    return data


def preflight(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None
) -> list[FieldFault]:
    """What of `document` such a printer can not show; empty if all is well. Raises nothing."""
    return [finding.fault for finding in findings_of(document, abilities, fonts)]


def findings_of(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts | None = None
) -> list[Finding]:
    """Like `preflight`, with what is fatal and what is a loss."""
    try:
        return _made(document, abilities, fonts or usual_fonts(), look=True)[1]
    except BodegaError as error:
        faults = error.faults or (FieldFault(document.kind, error.message),)
        return [Finding(fault, fatal=True) for fault in faults]


def _made(
    document: LabelDocument, abilities: PrinterAbilities, fonts: Fonts, *, look: bool = False
) -> tuple[bytes, list[Finding]]:
    """The bytes and what was found. `look`: also read the barcodes of a carrier's label back."""
    findings: list[Finding] = []
    if document.kind == ZPL:
        data = document.content
        if abilities.language != "zpl":
            raise InvalidInput(
                f"a finished ZPL label can not be printed in {abilities.language}",
                hint="print it on a ZPL printer",
            )
    elif abilities.dots_per_mm not in DOTS_PER_MM:
        raise InvalidInput(
            f"no label for a printer of {abilities.dots_per_mm} dots/mm",
            hint="use 8 (203 dpi) or 12 (300 dpi)",
        )
    elif document.kind == IMAGE:
        data, findings = _image(document, abilities, fonts, look)
    else:
        sheet = sheet_of(document, abilities, fonts)
        data, findings = _written(sheet, abilities, fonts), list(sheet.findings)
    if not 0 < len(data) <= LABEL_BYTES_MAX:
        size = f"has {len(data)} bytes, a printer takes 1 to {LABEL_BYTES_MAX}"
        findings.append(Finding(FieldFault(document.kind, size), fatal=True))
    return data, findings


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
    try:
        width, height = (float(side) for side in document.values.get("medium_mm", ()))
    except ValueError:
        width, height = PARCEL_MM
    width = min(width, abilities.width_mm)
    dots = abilities.dots_per_mm
    room = (int(width * dots), int(height * dots))
    drawing, findings = pictures.convert(document.content, room, dots, look=look)
    if abilities.language == "pdf":
        page = raster.bitmap(raster.draw(Sheet(*room, dots, (drawing,)), fonts))
        return pdf.page_of(page, dots), findings
    if abilities.language == "escpos":
        return escpos.write(Sheet(*room, dots, (drawing,)), fonts), findings
    return zpl.write(Sheet(*room, dots, (drawing,)), fonts), findings
