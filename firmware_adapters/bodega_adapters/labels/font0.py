"""The scalable font that every ZPL printer has in it, "font 0" (CG Triumvirate Bold Condensed): its widths.

We trust it with the printable characters of Windows-1252, sent as UTF-8 (`^CI28`); everything else is drawn by us, and
so is the backslash, which begins commands inside of texts. Widths are hundredths of the letter's height. They are a
little generous, as firmwares differ in them by a few percent.
"""

from __future__ import annotations

from bodega_adapters.labels.fonts import Fonts

_GENEROUS = 1.04
_USUAL_WIDTH = 50
_WIDTHS = {
    25: " '\\|¦",
    28: "/:;Ifijlt{}‚‹‘’›ÌÍÎÏìíîï",  # noqa: RUF001  # each is meant, and none is mistaken for another
    33: '!"(),.[]`rˆ˜¡¨¯´·¸ª²³¹º',  # noqa: RUF001  # each is meant, and none is mistaken for another
    40: "zž°",
    44: "Jcksvxyšçýÿ•",
    56: "ABCKPSVXYŠŸÀÁÂÃÄÅÇÝÞ¶",
    61: "DGHNOQRUÐÑÒÓÔÕÖØÙÚÛÜ",
    67: "&w",
    75: "¼½¾œæ",
    80: "MmÆ-",
    86: "%@WŒ©®™",
    100: "…—",
    111: "‰",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
NATIVE = frozenset(
    character
    for byte in range(32, 256)
    if (character := bytes([byte]).decode("cp1252", errors="ignore")) and character.isprintable()
) - {"\\"}


class Font0:
    """A `Typeface`: the printer's font where it can, our own letters for a line where it can not."""

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts

    def is_native(self, text: str) -> bool:
        """Whether the printer's font has all of it."""
        return NATIVE.issuperset(text)

    def width(self, text: str, letter: int) -> int:
        """Dots that one line takes."""
        if not self.is_native(text):
            return self._fonts.width(text, letter)
        hundredths = sum(_WIDTH_OF.get(character, _USUAL_WIDTH) for character in text)
        return round(hundredths * letter * _GENEROUS / 100 + 0.5)

    def missing(self, text: str) -> list[str]:
        """Characters that would not be printed: of a line that the printer's font has not all of, what ours lack."""
        return [] if self.is_native(text) else self._fonts.missing(text)
