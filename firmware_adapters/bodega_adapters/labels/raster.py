"""A sheet as dots, for everything that does not speak ZPL: PDF pages, pictures, receipts of printers without fonts."""

from __future__ import annotations

from PIL import Image

from bodega_adapters.labels.fonts import Fonts
from bodega_adapters.labels.sheet import Bitmap, Frame, Place, Sheet, Symbol, Words

_BLACK, _WHITE = 255, 0


def draw(sheet: Sheet, fonts: Fonts, scale: int = 1) -> Image.Image:
    """The sheet as an image of mode "L" with black dots as 255; `scale` makes each dot that many, letters sharper."""
    page = Image.new("L", (sheet.width * scale, sheet.height * scale), _WHITE)
    for mark in sheet.marks:
        if isinstance(mark, Words):
            _words(page, mark, fonts, scale)
        elif isinstance(mark, Symbol):
            stamp(page, mark.bitmap(scale), mark.place.x * scale, mark.place.y * scale)
        elif isinstance(mark, Frame):
            _frame(page, _scaled(mark.place, scale), mark.thick * scale)
        else:
            ready = image_of(mark.bitmap).resize((mark.bitmap.width * scale, mark.bitmap.height * scale), 0)
            page.paste(_BLACK, (mark.place.x * scale, mark.place.y * scale), ready)
    return page


def image_of(bitmap: Bitmap) -> Image.Image:
    """Dots as an image of mode "1", white where the dots are black: as Pillow keeps a mask."""
    return Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.rows)


def bitmap(page: Image.Image) -> Bitmap:
    """What `draw` made, as dots."""
    ink = page.point(lambda value: 255 if value >= 128 else 0).convert("1", dither=Image.Dither.NONE)
    return Bitmap(ink.width, ink.height, ink.tobytes())


def stamp(page: Image.Image, bitmap: Bitmap, x: int, y: int, ink: int = _BLACK) -> None:
    """Put black dots onto a page of `draw`."""
    page.paste(ink, (x, y), image_of(bitmap))


def _words(page: Image.Image, words: Words, fonts: Fonts, scale: int) -> None:
    line, above = fonts.line(words.text, words.letter * scale)
    place = _scaled(words.place, scale)
    free = place.width - line.width
    x = place.x + {"left": 0, "center": free // 2, "right": free}[words.align]
    stamp(page, line, max(0, x), place.y - above, _WHITE if words.inverse else _BLACK)


def _frame(page: Image.Image, place: Place, thick: int) -> None:
    across, down = min(thick, place.width), min(thick, place.height)
    for x, y, width, height in (
        (place.x, place.y, place.width, down),
        (place.x, place.bottom - down, place.width, down),
        (place.x, place.y, across, place.height),
        (place.right - across, place.y, across, place.height),
    ):
        page.paste(_BLACK, (x, y, x + width, y + height))


def _scaled(place: Place, scale: int) -> Place:
    return Place(place.x * scale, place.y * scale, place.width * scale, place.height * scale)
