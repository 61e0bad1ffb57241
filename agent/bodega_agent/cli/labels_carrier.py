"""`bodega labels carrier`: print the label that a carrier has made for a parcel."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from bodega.errors import InvalidInput
from bodega.host.cli import json_option
from bodega.limits import CONTROL_REQUEST_BYTES_MAX
from bodega_agent.cli.labels import ask
from bodega_agent.cli.location import config_option

# Of a request; base64 takes four characters for three bytes, and the rest of it is small.
_FILE_BYTES_MAX = CONTROL_REQUEST_BYTES_MAX // 4 * 3 - 4096


@click.command()
@click.argument("sscc")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--cmd-id", default="", help="Repeat a command that got no answer: the same id does it once.")
@config_option
@json_option
def carrier(config_path: Path, *, as_json: bool, sscc: str, file: Path, cmd_id: str) -> None:
    """Queue a carrier's own label (PNG or PDF) for a parcel, beside the node's label with its SSCC.

    \b
    Example:
      bodega labels carrier 395260640000000019 label.pdf
    """
    size = file.stat().st_size
    if size > _FILE_BYTES_MAX:
        raise InvalidInput(
            f"{file} has {size} bytes, at most {_FILE_BYTES_MAX} are taken",
            hint="ask the carrier for a smaller one: 203 dpi, black and white",
        )
    content = base64.b64encode(file.read_bytes()).decode("ascii")
    again = f"bodega labels carrier {sscc} {file}"
    ask(config_path, "labels.carrier", cmd_id, as_json, again, sscc=sscc, content=content)
