"""`bodega labels preview`: a label looked at before it meets paper, with every fault that a printer has with it."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.errors import ExitCode, InvalidInput
from bodega.host.cli import emit_json, json_option
from bodega_adapters.labels import layout as layouts
from bodega_adapters.labels import making
from bodega_adapters.labels.document import IMAGE, LabelDocument, image, of_layout
from bodega_adapters.labels.fonts import usual_fonts
from bodega_adapters.labels.raster import draw
from bodega_adapters.ports import Language, PrinterAbilities

_LANGUAGE: dict[str, Language] = {".zpl": "zpl", ".pdf": "pdf", ".png": "zpl", ".bin": "escpos"}
_DOTS = {"203": 8, "300": 12, "600": 24}
_CARRIER = (".pdf", ".png")


@click.command()
@json_option
@click.argument("label")
@click.option(
    "--set", "values", multiple=True, metavar="FIELD=LINE", help="A field's line; again for one more line."
)
@click.option("--dpi", type=click.Choice(list(_DOTS)), default="203", show_default=True)
@click.option(
    "--width-mm", type=click.IntRange(20, 216), default=104, show_default=True, help="What is printable."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to: .png, .pdf, .zpl, or .bin (ESC/POS).",
)
def preview(
    *, as_json: bool, label: str, values: tuple[str, ...], dpi: str, width_mm: int, out: Path | None
) -> None:
    """Check LABEL, and draw it: a shipped layout, a layout's file (.toml), or a carrier's label (.png, .pdf).

    Fields that are not set are the layout's sample. Exit code 1 if a printer of that resolution would refuse it.

    \b
    Examples:
      bodega labels preview parcel --out parcel.png
      bodega labels preview shelf.toml --set bin_id=A-01-03 --dpi 300 --out shelf.pdf
      bodega labels preview from-carrier.pdf
    """
    suffix = out.suffix if out else ".zpl"
    if suffix not in _LANGUAGE:
        raise InvalidInput(
            f"no label is written as {suffix or 'a file without a suffix'}",
            hint="use .png, .pdf, .zpl or .bin",
        )
    document = _document(label, values)
    abilities = PrinterAbilities(_LANGUAGE[suffix], _DOTS[dpi], width_mm, says_status=False, confirms=False)
    made = making.make(document, abilities)
    if out and made.data and suffix == ".png":
        _picture(document, abilities, out)
    elif out and made.data:
        out.write_bytes(made.data)
    if as_json:
        emit_json(
            {
                "bytes": len(made.data),
                "faults": list(map(str, made.faults)),
                "losses": list(map(str, made.losses)),
            }
        )
    else:
        for kind, found in (("refused", made.faults), ("loss", made.losses)):
            for fault in found:
                click.echo(f"{kind}: {fault}")
        click.echo(f"{len(made.data)} bytes" + (f" in {out}" if out else ""))
    if made.faults:
        raise SystemExit(ExitCode.CHECK_FAILED)


def _document(label: str, given: tuple[str, ...]) -> LabelDocument:
    path = Path(label)
    if path.suffix in _CARRIER:
        return image(path.read_bytes())
    text = layouts.load(path) if path.suffix == ".toml" else label
    layout = layouts.parse(text) if path.suffix == ".toml" else layouts.shipped(label)
    values = {name: tuple(lines) for name, lines in layout.sample.items()}
    chosen: dict[str, tuple[str, ...]] = {}
    for one in given:
        name, equals, line = one.partition("=")
        if not equals or name not in values:
            raise InvalidInput(
                f"--set {one}: {layout.name} has no such field",
                hint=f"its fields are {', '.join(sorted(values))}",
            )
        chosen[name] = (*chosen.get(name, ()), line)
    return of_layout(text, values | chosen)


def _picture(document: LabelDocument, abilities: PrinterAbilities, out: Path) -> None:
    """Drawn by ourselves; a printer's own letters differ a little."""
    sheet = (making.carrier_sheet if document.kind == IMAGE else making.sheet_of)(document, abilities)
    draw(sheet, usual_fonts()).point(lambda value: 255 - value).save(out, "PNG")
