"""What a node makes its labels with: its fonts, and the layouts that it prefers to the shipped ones.

Fonts and pictures are loaded with the first label, so that a node which prints none never holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bodega.errors import InvalidInput
from bodega_adapters.labels.document import LabelDocument
from bodega_adapters.labels.layout import load, parse
from bodega_adapters.ports import PrinterAbilities

if TYPE_CHECKING:
    from bodega_adapters.labels.fonts import Fonts
    from bodega_adapters.labels.making import Made


class Press:
    """Documents in, printers' bytes out.

    `fonts` are files that are tried before the machine's; `layouts` the text of a layout for each kind of label that it
    replaces.
    """

    def __init__(self, fonts: Sequence[Path] = (), layouts: Mapping[str, str] | None = None) -> None:
        self._files = tuple(fonts)
        self._layouts = dict(layouts or {})
        self._fonts: Fonts | None = None

    @classmethod
    def of(cls, fonts: Sequence[Path], layouts: Sequence[Path]) -> Press:
        """With files of the node; a layout replaces the shipped one of the same name.

        Raises ConfigInvalid with every fault of a layout, or NotFound.
        """
        texts = [load(path) for path in layouts]
        return cls(fonts, {parse(text).name: text for text in texts})

    def make(self, kept: bytes, abilities: PrinterAbilities) -> Made:
        """The label of a print job, for such a printer. Raises nothing; takes long for a carrier's: use a thread."""
        from bodega_adapters.labels import fonts, making  # noqa: PLC0415  # see the module: loaded with the first label

        try:
            document = LabelDocument.from_bytes(kept)
            self._fonts = self._fonts or fonts.Fonts.found(self._files)
        except InvalidInput as error:
            return making.refused("document", error)
        own = "" if document.layout else self._layouts.get(document.kind, "")
        return making.make(replace(document, layout=own) if own else document, abilities, self._fonts)
