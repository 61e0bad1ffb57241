"""Letters that we draw ourselves: text beyond the printer's own font, and every label that becomes a picture.

Fonts are looked for where Debian puts them, best first, and a node may name its own before those. A line is drawn in
the first font that has all of its characters; otherwise each stretch in the first that has it. Shaping and the order of
right-to-left text are raqm's (HarfBuzz, FriBidi), which comes with Pillow. With no font at all Pillow's own is left,
which has ASCII only.

Supported so: Latin, Greek, Cyrillic, Hebrew and Arabic (fonts-dejavu-core), Chinese and Japanese
(fonts-droid-fallback), symbols and some emoji (fonts-dejavu-core, in black). Korean, Thai, Indic scripts need
fonts-noto-cjk, fonts-noto-core or a font of the node's own. What no font has is drawn as an empty box and reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

from bodega.errors import InvalidInput
from bodega_adapters.labels.sheet import Bitmap

_DEBIAN = Path("/usr/share/fonts")
# Narrow and bold first: that is how labels look, and what stays legible in heat. Then what has most scripts.
_PLACES = (
    "opentype/urw-base35/NimbusSansNarrow-Bold.otf",
    "truetype/liberation/LiberationSansNarrow-Bold.ttf",
    "truetype/dejavu/DejaVuSansCondensed-Bold.ttf",
    "truetype/dejavu/DejaVuSans-Bold.ttf",
    "truetype/dejavu/DejaVuSans.ttf",
    "truetype/droid/DroidSansFallbackFull.ttf",
    "opentype/noto/NotoSansCJK-Bold.ttc",
    "opentype/noto/NotoSansCJK-Regular.ttc",
)
# Which Debian package brings letters of a script, by the first word of a character's name.
_PACKAGES = {
    "CJK": "fonts-droid-fallback",
    "HIRAGANA": "fonts-droid-fallback",
    "KATAKANA": "fonts-droid-fallback",
    "HANGUL": "fonts-noto-cjk",
}
_USUAL_PACKAGE = "fonts-dejavu-core"
_RARE_PACKAGE = "fonts-noto-core"
_USUAL = frozenset({"LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC"})
_BASELINE = 0.75
_RISE = 0.25
_BOX = "□"
_BLACK_FROM = 112
_PROBE_SIZE = 48
# Letters of Hebrew, Arabic, Syriac and Thaana, with the spaces, digits and marks between them.
_LETTER = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]"
_RIGHT_TO_LEFT = re.compile(rf"({_LETTER}(?:[\s\d!-/:-@]*{_LETTER})*)")


class Fonts:
    """A chain of fonts, as a `Typeface` and a pen. The last is Pillow's own."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._chain: tuple[Path | None, ...] = (*files, None)

    @classmethod
    def found(cls, own: Sequence[Path] = ()) -> Fonts:
        """A node's own font files, then those that this machine has.

        Raises `InvalidInput` for a file that is no font.
        """
        for path in own:
            try:
                ImageFont.truetype(str(path), _PROBE_SIZE)
            except OSError as error:
                raise InvalidInput(
                    f"the font {path} can not be used: {error}", hint="give a TrueType or OpenType file"
                ) from error
        return cls([*own, *(_DEBIAN / place for place in _PLACES if (_DEBIAN / place).is_file())])

    def width(self, text: str, letter: int) -> int:
        """Dots that one line takes."""
        return round(sum(_font(path, letter).getlength(piece) for path, piece in self._pieces(text)) + 0.5)

    def missing(self, text: str) -> list[str]:
        """Characters that no font here has."""
        return sorted(
            {one for one in text if not one.isspace() and not any(_has(path, one) for path in self._chain)}
        )

    def line(self, text: str, letter: int) -> tuple[Bitmap, int]:
        """One line drawn in black, and how many dots above the top of its capitals it begins."""
        pieces = self._pieces(text)
        rise = round(letter * _RISE)
        width = max(1, self.width(text, letter))
        image = Image.new("L", (width + letter // 8, round(letter * 1.3) + rise), 255)
        pen = ImageDraw.Draw(image)
        across = 0.0
        for path, piece in pieces:
            font = _font(path, letter)
            pen.text((across, rise + round(letter * _BASELINE)), piece, fill=0, font=font, anchor="ls")
            across += font.getlength(piece)
        ink = image.point(lambda value: 255 if value < _BLACK_FROM else 0).getbbox()
        if ink is None:
            return Bitmap(1, 1, b"\0"), 0
        return bitmap_of(image.crop((0, ink[1], max(ink[2], 1), ink[3])), _BLACK_FROM), rise - ink[1]

    def _pieces(self, text: str) -> list[tuple[Path | None, str]]:
        return _pieces(self._chain, text)


@lru_cache(maxsize=4096)
def _pieces(chain: tuple[Path | None, ...], text: str) -> list[tuple[Path | None, str]]:
    """Stretches of one font each, as they stand from left to right."""
    for path in chain:
        if all(one.isspace() or _has(path, one) for one in text):
            return [(path, text)]
    boxes = next((path for path in chain if _has(path, _BOX)), None)
    pieces: list[tuple[Path | None, str]] = []
    for stretch in _stretches(text):
        if is_right_to_left(stretch):
            # Never broken, because its order needs it whole.
            best = max(chain, key=lambda path: sum(_has(path, one) for one in stretch))
            pieces.append((best, "".join(_or_box(best, one) for one in stretch)))
            continue
        for one in stretch:
            path = next((path for path in chain if _has(path, one)), boxes)
            if pieces and (one.isspace() or pieces[-1][0] == path) and not is_right_to_left(pieces[-1][1]):
                pieces[-1] = (pieces[-1][0], pieces[-1][1] + _or_box(path, one))
            else:
                pieces.append((path, _or_box(path, one)))
    return pieces


def _stretches(text: str) -> list[str]:
    """`text` in stretches of one direction; if it begins with right-to-left letters, the first is the rightmost."""
    stretches = [found for found in _RIGHT_TO_LEFT.split(text) if found]
    first = next((one for one in text if unicodedata.bidirectional(one) in ("L", "R", "AL")), "")
    return stretches[::-1] if first and is_right_to_left(first) else stretches


def _or_box(path: Path | None, one: str) -> str:
    return one if one.isspace() or _has(path, one) else _box(path)


def _box(path: Path | None) -> str:
    return _BOX if _has(path, _BOX) else "?"


def is_right_to_left(text: str) -> bool:
    """Whether there is a letter of Hebrew, Arabic or another such script in it."""
    return any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)


def keeps_order() -> bool:
    """Whether right-to-left text comes out in its order here."""
    return bool(features.check("raqm"))


def package_for(character: str) -> str:
    """The Debian package that most likely has this character."""
    script = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return _PACKAGES.get(script, _USUAL_PACKAGE if script in _USUAL else _RARE_PACKAGE)


@lru_cache(maxsize=256)
def _font(path: Path | None, letter: int) -> ImageFont.FreeTypeFont:
    """The font at the size at which its capitals are three quarters of `letter` high."""
    size = letter * _BASELINE * _PROBE_SIZE / _capital_height(path)
    return _open(path, max(4.0, size))


@lru_cache(maxsize=64)
def _capital_height(path: Path | None) -> float:
    probe = _open(path, _PROBE_SIZE)
    capital = "H" if _has(path, "H") else "中"
    _, top, _, bottom = probe.getbbox(capital, anchor="ls")
    # A font without Latin letters is one of ideographs, which fill their square: a little larger than capitals.
    return (bottom - top) * (1.0 if capital == "H" else 0.85) or _PROBE_SIZE * 0.7


def _open(path: Path | None, size: float) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(str(path), size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built with FreeType, as its wheels are"
    return font


@lru_cache(maxsize=16384)
def _has(path: Path | None, character: str) -> bool:
    """Whether the font draws this character as anything but its sign for a missing one."""
    probe = _open_probe(path)
    drawn = probe.getmask(character)
    absent = probe.getmask("\U0010fffe")
    return (drawn.size, bytes(drawn)) != (absent.size, bytes(absent)) and unicodedata.category(
        character
    ) != "Cn"


@lru_cache(maxsize=64)
def _open_probe(path: Path | None) -> ImageFont.FreeTypeFont:
    return _open(path, _PROBE_SIZE)


def bitmap_of(image: Image.Image, black_from: int = 128) -> Bitmap:
    """Dots of a picture in greys: black where it is darker than `black_from`."""
    dark = (
        image.convert("L")
        .point(lambda value: 255 if value < black_from else 0)
        .convert("1", dither=Image.Dither.NONE)
    )
    return Bitmap(dark.width, dark.height, dark.tobytes())


@lru_cache(maxsize=1)
def usual_fonts() -> Fonts:
    """What this machine has."""
    return Fonts.found()
