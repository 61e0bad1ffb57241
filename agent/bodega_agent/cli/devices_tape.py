"""`bodega devices record` and `replay`: what crosses a wire, on a tape, and what a driver makes of a tape."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import click

from bodega.errors import InvalidInput, NotFound, PermissionRefused
from bodega.host import log
from bodega.host.cli import emit_json, json_option
from bodega.limits import TAPE_BYTES_MAX, TAPE_LASTS_S_MAX
from bodega_adapters.options import options_of
from bodega_adapters.registry import factory_of, kind_of
from bodega_adapters.replay import replay
from bodega_adapters.wires.tape import Note, from_text, to_text
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.devices import next_told
from bodega_agent.cli.location import config_option

# A byte is two letters on a tape, and every note has words of its own.
_TEXT_BYTES_MAX = 16 * TAPE_BYTES_MAX


@click.command()
@config_option
@json_option
@click.argument("name")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The tape's file."
)
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0.1, TAPE_LASTS_S_MAX),
    help="How long to record.",
)
def record(config_path: Path, *, as_json: bool, name: str, out: Path, seconds: float) -> None:
    """Record what crosses the wire of device NAME while the agent uses it.

    A tape holds what was scanned and printed: names and addresses of customers may be on it.

    \b
    Example:
      bodega devices record label-printer --out printer.tape --seconds 60
    """
    notes: list[Note] = []
    with ControlClient.of(config_path, answer_s=seconds + 5) as agent:
        agent.send("device.record", name=name, seconds=seconds)
        agent.next_result()
        click.echo(f"Recording {name} for {seconds:g} s; use it now.", err=True)
        while "ended" not in (line := next_told(agent)):
            notes.append(Note(line["after_ms"], line["way"], bytes.fromhex(line["hex"])))
    _write(out, to_text(notes))
    size = sum(len(note.data) for note in notes)
    if as_json:
        emit_json({"file": str(out), "notes": len(notes), "bytes": size, "ended": line["ended"]})
    else:
        click.echo(f"{out}: {len(notes)} notes, {size} bytes; ended {line['ended']}.")


@click.command("replay")
@json_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--driver", required=True, help="Whose tape it is, such as serial, zpl-tcp or mt-sics.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option as the device had it; repeat."
)
def replay_command(*, as_json: bool, file: Path, driver: str, options: tuple[str, ...]) -> None:
    """Play the tape FILE through a driver, without a device or an agent, and print what the driver made of it.

    \b
    Examples:
      bodega devices replay scanner.tape --driver serial
      bodega devices replay scanner.tape --driver serial --option terminators= --option gap_ms=20
    """
    log.configure(level="error")  # what the driver says goes to the table, and not between its lines
    kind = kind_of(driver)
    notes = from_text(_read(file))
    found = asyncio.run(replay(kind, driver, _parsed(kind, driver, options), notes))
    if as_json:
        emit_json(found)
        return
    for row in found:
        click.echo("  ".join(f"{name} {_said(value)}" for name, value in row.items() if value is not None))
    if not found:
        click.echo("The driver made nothing of it: is the tape of another driver?")


def _parsed(kind: str, driver: str, options: tuple[str, ...]) -> dict[str, object]:
    known = options_of(factory_of(kind, driver))
    found: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise InvalidInput(f"'{option}' is not NAME=VALUE", hint=f"options: {', '.join(known)}")
        kind_of_value = known[name].type if name in known else str
        try:
            found[name] = value == "true" if kind_of_value is bool else kind_of_value(value)
        except ValueError as error:
            raise InvalidInput(f"option {name} is no {kind_of_value.__name__}: '{value}'") from error
    return found


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {json.dumps(one, ensure_ascii=False)}" for name, one in value.items())
    return json.dumps(value, ensure_ascii=False)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _TEXT_BYTES_MAX:
            raise InvalidInput(f"{file} has more than {_TEXT_BYTES_MAX} bytes", hint="is it a tape?")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"there is no tape {file}", hint="bodega devices record makes one") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{file} is no tape: it is no text", hint="bodega devices record makes one"
        ) from error
    except OSError as error:
        raise PermissionRefused(f"{file} can not be read: {error.strerror}", hint="check its mode") from error


def _write(out: Path, text: str) -> None:
    try:
        # What customers ordered may be on it: for its owner alone.
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise PermissionRefused(
            f"{out} can not be written: {error.strerror}", hint="give another file"
        ) from error
