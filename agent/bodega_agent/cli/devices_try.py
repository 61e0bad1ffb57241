"""`bodega devices test`, `print-test`, `snapshot` and `simulate`: one device tried by hand, while the agent has it."""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Any

import click

from bodega.errors import ExitCode, InvalidInput, PeerFault, PermissionRefused
from bodega.host.cli import emit_json, json_option
from bodega.limits import DEVICE_CALL_S
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.devices import grams, next_told
from bodega_agent.cli.devices_find import show_scan
from bodega_agent.cli.location import config_option

_ANSWER_S = 2 * DEVICE_CALL_S + 5


@click.command()
@config_option
@json_option
@click.argument("name")
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="Wait for a scan so long.",
)
def test(config_path: Path, *, as_json: bool, name: str, seconds: float) -> None:
    """Test device NAME as its kind is tested; exit code 1 if it is not well.

    A scanner: scan something (the floor hears it too, so scan the label of a bin), and it is explained.
    A printer: its status. A scale: a weight. A camera: a picture, and whether it is sharp and lit.

    \b
    Example:
      bodega devices test scanner-1
    """
    with ControlClient.of(config_path, answer_s=max(seconds + 5, _ANSWER_S)) as agent:
        kind = agent.ask("device.show", name=name)["kind"]
        found, well = _tested(agent, kind, name, seconds)
    if as_json:
        emit_json({"kind": kind, "ok": well, "result": found})
    else:
        _show(kind, found)
        click.echo(f"{name} is well." if well else f"{name} is not well.")
    if not well:
        raise SystemExit(ExitCode.CHECK_FAILED)


def _tested(agent: ControlClient, kind: str, name: str, seconds: float) -> tuple[dict[str, Any], bool]:
    if kind == "scanner":
        agent.send("device.scans", name=name, count=1, seconds=seconds)
        agent.next_result()
        click.echo(f"Scan now, with {name}.", err=True)
        found = next_told(agent)
        return found, "text" in found and found["meaning"]["is"] != "BadCode"
    if kind == "camera":
        found = agent.ask("camera.snapshot", camera=name)
        return {key: value for key, value in found.items() if key != "jpeg"}, True
    found = agent.ask("device.test", name=name)
    return found, bool(found.get("ready", True))


def _show(kind: str, found: dict[str, Any]) -> None:
    if "silent_s" in found:
        click.echo(f"Nothing was scanned within {found['silent_s']:g} s.")
    elif kind == "scanner":
        show_scan(found)
    elif kind == "scale":
        click.echo(f"weight  {grams(found['milligrams'])}, {'stable' if found['stable'] else 'moving'}")
    else:
        for key, value in found.items():
            if value not in ("", None, [], {}) and key != "kind":
                click.echo(f"{key.replace('_', ' '):<16}{value}")


@click.command("print-test")
@config_option
@json_option
@click.argument("name")
def print_test(config_path: Path, *, as_json: bool, name: str) -> None:
    """Print one test label on printer NAME, and say what became of it; exit code 1 unless it is confirmed.

    It is no parcel's label: nothing is recorded, and nothing is tried again.

    \b
    Example:
      bodega devices print-test label-printer
    """
    with ControlClient.of(config_path, answer_s=_ANSWER_S) as agent:
        receipt = agent.ask("device.print", name=name)
    if as_json:
        emit_json(receipt)
    else:
        click.echo(f"{receipt['outcome']}: {receipt['detail']}")
    if receipt["outcome"] != "confirmed":
        raise SystemExit(ExitCode.CHECK_FAILED)


@click.command()
@config_option
@json_option
@click.argument("name")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The picture's file."
)
def snapshot(config_path: Path, *, as_json: bool, name: str, out: Path) -> None:
    """Take one picture with camera NAME and write it to a file.

    \b
    Example:
      bodega devices snapshot bench --out bench.jpg
    """
    with ControlClient.of(config_path, answer_s=_ANSWER_S) as agent:
        found = agent.ask("camera.snapshot", camera=name)
    try:
        picture = base64.b64decode(found.pop("jpeg"), validate=True)
    except (KeyError, binascii.Error, TypeError) as error:
        raise PeerFault(f"the agent sent no picture of {name}", hint="is it of another version?") from error
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(picture)
    except OSError as error:
        raise PermissionRefused(
            f"{out} can not be written: {error.strerror}", hint="give another file"
        ) from error
    if as_json:
        emit_json({"file": str(out), "bytes": len(picture), **found})
    else:
        click.echo(f"{out}: {len(picture)} bytes")
        _show("camera", found)


@click.command()
@config_option
@click.argument("name")
@click.argument("action")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
def simulate(config_path: Path, *, name: str, action: str, arguments: tuple[str, ...]) -> None:
    """Make simulated device NAME do something; only for an agent that was started with `bodega run --simulate`.

    ACTION is a method of the simulated device, or `set`. A wrong one is answered with those there are.

    \b
    Examples:
      bodega devices simulate scanner scan text=9506000134352 symbology=]E0
      bodega devices simulate scanner unplug
      bodega devices simulate printer set paper_out=true
      bodega devices simulate scale load grams=1250
    """
    values = dict(map(_value, arguments))
    with ControlClient.of(config_path) as agent:
        click.echo(agent.ask("device.simulate", name=name, action=action, values=values)["done"])


def _value(argument: str) -> tuple[str, Any]:
    name, equals, value = argument.partition("=")
    if not equals:
        raise InvalidInput(f"'{argument}' is not NAME=VALUE", hint="such as grams=1250")
    if name in _TEXTS:
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


# Digits in these stay text: a code is no number.
_TEXTS = frozenset({"text", "symbology", "terminator"})
