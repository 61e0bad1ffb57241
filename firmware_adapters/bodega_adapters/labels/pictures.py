"""Labels of carriers: a PNG or a PDF becomes the dots of our printer, and its barcodes stay readable.

- The white margin is cut off, and the picture is turned by 90 degrees if it fits the paper better so: a carrier's
  layout turns one day.
- A picture that fits as it is keeps its own dots, or each becomes a whole number of ours. Only what is too large, or
  far too small, is scaled by a fraction; bars are then averaged before they become black or white.
- A PDF is drawn by PDFium in a process of its own, with bounded time and memory: what crashes there, crashes there.
- A file is refused, with the reason, if it is no PNG or PDF, broken, encrypted, of several pages, or too large.
"""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import CARRIER_LABEL_PIXELS_MAX, PDF_DRAWN_S
from bodega_adapters.labels.fonts import bitmap_of
from bodega_adapters.labels.sheet import Drawing, Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

_PNG, _PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-"
# A PDF may have a few bytes before its header.
_PDF_HEAD_BYTES = 1024
# PDF pages are drawn with that many dots for each of the printer's, and averaged.
PDF_OVERSAMPLING = 3
_WHITE_FROM = 250
# A picture that fills at least this much of the paper with whole dots is not scaled by a fraction.
_FILLS = 0.75
_QUIET_DOTS = 16
_READ_SIDE_PIXELS_MAX = 4_000


def check_kind(content: bytes) -> None:
    """Raises `InvalidInput` unless it begins as a PNG or a PDF does."""
    if not content.startswith(_PNG) and _PDF not in content[:_PDF_HEAD_BYTES]:
        raise InvalidInput(
            "the carrier's label is neither a PNG nor a PDF", hint="ask the carrier for one of these formats"
        )


def convert(
    content: bytes, room: tuple[int, int], dots_per_mm: int, *, look: bool
) -> tuple[Drawing, list[Finding]]:
    """The picture in the printer's dots, inside `room` (dots), and what was lost on the way.

    `look`: read the barcodes of the picture and of the result, and say which one got lost (if there is a reader here).
    Raises `InvalidInput` for a file that can not be drawn.
    """
    check_kind(content)
    if content.startswith(_PNG):
        source, oversampling = from_png(content), 0
    else:
        source, oversampling = _from_pdf(content, dots_per_mm)
    drawn = _fitted(_turned(_trimmed(source), room), room, oversampling)
    bitmap = bitmap_of(drawn)
    place = Place((room[0] - bitmap.width) // 2, (room[1] - bitmap.height) // 2, bitmap.width, bitmap.height)
    findings = _lost(source, drawn) if look else []
    return Drawing(place, bitmap), findings


def from_png(content: bytes, pixels_max: int = CARRIER_LABEL_PIXELS_MAX) -> Image.Image:
    """In greys, on white. Raises `InvalidInput` for what is broken or has more pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            size = picture.size
            if size[0] * size[1] <= pixels_max:
                return _on_white(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput(
            f"the PNG is broken: {error}", hint="make it again, or ask the carrier for it"
        ) from error
    raise InvalidInput(
        f"the PNG has {size[0]} x {size[1]} pixels, too many to be a label", hint="a label has 203 or 300 dpi"
    )


def _on_white(picture: Image.Image) -> Image.Image:
    """In greys; what is transparent is white."""
    greys = Image.new("L", picture.size, 255)
    coloured = picture.convert("RGBA")
    greys.paste(coloured.convert("L"), mask=coloured.getchannel("A"))
    return greys


def _from_pdf(content: bytes, dots_per_mm: int) -> tuple[Image.Image, int]:
    """The page, and how many of its dots are one of the printer's at the size that it has on paper."""
    program = "bodega_adapters.labels.pdf_page"
    command = [sys.executable, "-m", program, str(dots_per_mm), str(PDF_OVERSAMPLING)]
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter, a module of ours, and a number
            command, input=content, capture_output=True, timeout=PDF_DRAWN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(
            f"the carrier's PDF could not be drawn within {PDF_DRAWN_S:g} s", hint="ask the carrier for a PNG"
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said and done.returncode > 0 else "the program that draws it broke down"
        raise InvalidInput(f"the carrier's PDF can not be drawn: {reason}", hint="ask the carrier for a PNG")
    return from_png(done.stdout[1:]), done.stdout[0]


def _trimmed(picture: Image.Image) -> Image.Image:
    """Without its white margin; an empty picture is refused."""
    ink = ImageChops.invert(picture).point(lambda value: 255 if value > 255 - _WHITE_FROM else 0).getbbox()
    if ink is None:
        raise InvalidInput("the carrier's label is empty", hint="ask the carrier for it again")
    return picture.crop(ink)


def _turned(picture: Image.Image, room: tuple[int, int]) -> Image.Image:
    def scale(width: int, height: int) -> float:
        return min(room[0] / width, room[1] / height)

    # A hair better is not better: a square stays as it is.
    if scale(picture.height, picture.width) > scale(picture.width, picture.height) * 1.02:
        return picture.transpose(Image.Transpose.ROTATE_90)
    return picture


def _fitted(picture: Image.Image, room: tuple[int, int], oversampling: int) -> Image.Image:
    """In dots of the printer. `oversampling` 0: a picture that has no size on paper of its own."""
    scale = min(room[0] / picture.width, room[1] / picture.height)
    if not oversampling and scale >= 1 and int(scale) >= scale * _FILLS:
        scale = int(scale)
    elif oversampling and scale >= 1 / oversampling >= scale * _FILLS:
        scale = 1 / oversampling
    kind = Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST
    return picture.resize(
        (_scaled(picture.width, scale, room[0]), _scaled(picture.height, scale, room[1])), kind
    )


def _scaled(size: int, scale: float, room: int) -> int:
    return max(1, min(room, round(size * scale)))


def _lost(source: Image.Image, drawn: Image.Image) -> list[Finding]:
    before = codes_in(source)
    after = codes_in(drawn.point(lambda value: 255 if value >= 128 else 0))
    return [
        Finding(
            FieldFault("image", f"its barcode {text!r} can not be read any more at this resolution"),
            fatal=True,
        )
        for text in sorted(before - after)
    ]


def codes_in(picture: Image.Image) -> set[str]:
    """Contents of the barcodes that a reader finds; empty where none is installed (zxing-cpp, with vision)."""
    try:
        import zxingcpp  # noqa: PLC0415  # nodes without vision do not have it
    except ImportError:
        return set()
    times = -(-max(picture.size) // _READ_SIDE_PIXELS_MAX)
    picture = picture.reduce(times) if times > 1 else picture
    framed = Image.new("L", (picture.width + 2 * _QUIET_DOTS, picture.height + 2 * _QUIET_DOTS), 255)
    framed.paste(picture, (_QUIET_DOTS, _QUIET_DOTS))
    found: Iterable[zxingcpp.Barcode] = zxingcpp.read_barcodes(framed)
    return {one.text for one in found}
