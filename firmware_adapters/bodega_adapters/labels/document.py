"""What a print job is about: the values that stand on a label and its layout, or a finished label of somebody else.

A document is what the ledger keeps. It names no printer, and it is light: the daemon and every command read it, so
nothing here loads a font or a picture. `labels.making` makes a printer's bytes of it when the job is sent.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.errors import InvalidInput
from bodega.limits import CARRIER_LABEL_BYTES_MAX
from bodega_adapters.labels.layout import Layout, parse, shipped

ZPL = "zpl"
IMAGE = "image"
PARCEL = "parcel"
CARRIER = "carrier"
PACKING_SLIP = "packing-slip"
PARCEL_MM = (101.6, 152.4)
_PNG, _PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-"
# A PDF may have a few bytes before its header.
_PDF_HEAD_BYTES = 1024

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
    *,
    sscc: str,
    order_id: str,
    ship_to: tuple[str, ...],
    ship_from: tuple[str, ...],
    service: str,
    carrier: str = "",
    tracking_number: str = "",
    weight_g: int = 0,
) -> LabelDocument:
    """The label of a parcel. `sscc`: 18 digits; `ship_to`, `ship_from`: address lines, top to bottom.

    With a tracking number it has the carrier's part too: its name, the number as a barcode, and the weight.
    """
    values = {
        "sscc": (sscc,),
        "order_id": (order_id,),
        "ship_to": ship_to,
        "ship_from": ship_from,
        "service": (service,),
    }
    if not tracking_number:
        return LabelDocument(PARCEL, values)
    values |= {"carrier": (carrier,), "tracking_number": (tracking_number,)}
    if weight_g:
        values["weight"] = (f"{weight_g / 1000:.3f} kg",)
    return LabelDocument(CARRIER, values)


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
    check_kind(content)
    return LabelDocument(IMAGE, {"medium_mm": tuple(f"{side:g}" for side in medium_mm)}, content)


def is_png(content: bytes) -> bool:
    """Whether a file says that it is a PNG."""
    return content.startswith(_PNG)


def check_kind(content: bytes) -> None:
    """Raises `InvalidInput` unless a file says that it is a PNG or a PDF."""
    if not is_png(content) and _PDF not in content[:_PDF_HEAD_BYTES]:
        raise InvalidInput(
            "the carrier's label is neither a PNG nor a PDF", hint="ask the carrier for one of these formats"
        )
