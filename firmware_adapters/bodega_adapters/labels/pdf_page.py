"""A program: draws the one page of the PDF on its standard input; arguments DOTS_PER_MM OVERSAMPLING.

It writes one byte, how many dots it has drawn for each of the printer's (as many as asked for, fewer on a large page),
and then a PNG. It runs apart from the agent, with bounded memory and processor time, because a PDF comes from a
stranger. On a fault it writes one sentence and ends with 65 (bad data).
"""

from __future__ import annotations

import io
import resource
import sys

from bodega.errors import ExitCode
from bodega.limits import CARRIER_LABEL_PIXELS_MAX, PDF_DRAWN_BYTES_MAX, PDF_DRAWN_S

_POINTS_PER_MM = 72 / 25.4


def main(dots_per_mm: int, oversampling: int) -> int:
    """Draw; the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (PDF_DRAWN_BYTES_MAX, PDF_DRAWN_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (int(PDF_DRAWN_S), int(PDF_DRAWN_S)))
    import pypdfium2  # noqa: PLC0415  # behind the limits: loading it is part of what is bounded

    try:
        with pypdfium2.PdfDocument(sys.stdin.buffer.read()) as document:  # type: ignore[no-untyped-call]  # it has no types
            if len(document) != 1:
                return _refuse(f"it has {len(document)} pages, a label has one")
            page = document[0]
            width, height = page.get_size()
            scale = dots_per_mm / _POINTS_PER_MM
            times = next(
                (
                    n
                    for n in range(oversampling, 0, -1)
                    if _is_drawable(width * scale * n, height * scale * n)
                ),
                0,
            )
            if not times:
                return _refuse(f"its page of {width:.0f} x {height:.0f} points is not of a label's size")
            drawn = page.render(scale=scale * times, grayscale=True).to_pil().convert("L")
    except pypdfium2.PdfiumError as error:
        is_locked = "password" in str(error).lower()
        return _refuse("it is encrypted" if is_locked else f"it is broken ({error})")
    except MemoryError:
        return _refuse("it needs too much memory")
    png = io.BytesIO()
    drawn.save(png, "PNG", compress_level=1)
    sys.stdout.buffer.write(bytes([times]) + png.getvalue())
    return ExitCode.OK


def _is_drawable(width: float, height: float) -> bool:
    return width >= 1 and height >= 1 and width * height <= CARRIER_LABEL_PIXELS_MAX


def _refuse(reason: str) -> int:
    sys.stderr.write(reason + "\n")
    return ExitCode.DATA


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
