"""What a print job is about, and what a printer is sent for it.

A document is what the ledger keeps: the values that stand on a label and the name of its layout, or a finished label
of somebody else. It names no printer. `render` makes the bytes when the job is sent, for the printer that is there
then; `preflight` says before any byte leaves what of the document that printer can not show.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.errors import FieldFault, InvalidInput
from bodega_adapters.framing.zpl import LabelData, parcel_label
from bodega_adapters.ports import PrinterAbilities

ZPL = "zpl"
IMAGE = "image"
PARCEL = "parcel"

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """One label, in nobody's language yet.

    `kind` is the name of a layout, such as `parcel`, or `image` (`content` is a PNG or a PDF) or `zpl` (`content` is a
    finished label for a ZPL printer). `values` are the lines of each field that the layout binds.
    """

    kind: str
    values: Values = field(default_factory=dict)
    content: bytes = b""

    def to_bytes(self) -> bytes:
        """As the ledger keeps it: JSON, the content in base64."""
        body: dict[str, object] = {"kind": self.kind}
        if self.values:
            body["values"] = {name: list(lines) for name, lines in self.values.items()}
        if self.content:
            body["content"] = base64.b64encode(self.content).decode("ascii")
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
            return cls(str(body["kind"]), values, base64.b64decode(body.get("content", ""), validate=True))
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


def render(document: LabelDocument, abilities: PrinterAbilities) -> bytes:
    """The bytes that print one copy of `document` on such a printer.

    Raises `InvalidInput`, naming what is wrong, if the document can not be printed there at all.
    """
    if document.kind == ZPL and abilities.language == "zpl":
        return document.content
    if document.kind == PARCEL and abilities.language == "zpl":
        return parcel_label(
            LabelData(
                document.line("sscc"),
                document.line("order_id"),
                document.values.get("ship_to", ()),
                document.values.get("ship_from", ()),
                document.line("service"),
                abilities.dots_per_mm,
            )
        )
    raise InvalidInput(
        f"a label of kind {document.kind} can not be printed in {abilities.language}",
        hint="print it on a printer for labels",
    )


def preflight(document: LabelDocument, abilities: PrinterAbilities) -> list[FieldFault]:
    """What of `document` such a printer can not show; empty if all is well."""
    try:
        render(document, abilities)
    except InvalidInput as error:
        return list(error.faults) or [FieldFault(document.kind, error.message)]
    return []
