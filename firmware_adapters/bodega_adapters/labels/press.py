"""What a node makes its labels with: its fonts, and the layouts that it prefers to the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bodega.errors import FieldFault, InvalidInput
from bodega_adapters.labels.document import LabelDocument, Made, make
from bodega_adapters.labels.fonts import Fonts, usual_fonts
from bodega_adapters.labels.layout import load, parse
from bodega_adapters.labels.sheet import Finding
from bodega_adapters.ports import PrinterAbilities


class Press:
    """Documents in, printers' bytes out. `layouts`: the text of a layout for each kind of label that it replaces."""

    def __init__(self, fonts: Fonts | None = None, layouts: Mapping[str, str] | None = None) -> None:
        self._fonts = fonts or usual_fonts()
        self._layouts = dict(layouts or {})

    @classmethod
    def of(cls, fonts: Sequence[Path], layouts: Sequence[Path]) -> Press:
        """With files of the node; a layout replaces the shipped one of the same name.

        Raises ConfigInvalid with every fault of a layout, NotFound, or InvalidInput for a font that is none.
        """
        texts = [load(path) for path in layouts]
        return cls(Fonts.found(fonts), {parse(text).name: text for text in texts})

    def make(self, kept: bytes, abilities: PrinterAbilities) -> Made:
        """The label of a print job, for such a printer. Raises nothing; takes long for a carrier's: use a thread."""
        try:
            document = LabelDocument.from_bytes(kept)
        except InvalidInput as error:
            return Made(b"", (Finding(FieldFault("document", error.message), fatal=True),))
        own = "" if document.layout else self._layouts.get(document.kind, "")
        return make(replace(document, layout=own) if own else document, abilities, self._fonts)
