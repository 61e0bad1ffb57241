"""`bodega devices`: what is plugged in, what is not there any more, and every device tried by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.host.cli import LazyGroup, emit_json, emit_table, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc

_HERE = "bodega_agent.cli"
_DETAIL_CHARS = 60


@click.group(
    cls=LazyGroup,
    lazy={
        "test": f"{_HERE}.devices_try:test",
        "print-test": f"{_HERE}.devices_try:print_test",
        "snapshot": f"{_HERE}.devices_try:snapshot",
        "scan": f"{_HERE}.devices_find:scan",
        "drivers": f"{_HERE}.devices_find:drivers_command",
        "record": f"{_HERE}.devices_tape:record",
        "replay": f"{_HERE}.devices_tape:replay_command",
        "simulate": f"{_HERE}.devices_try:simulate",
    },
)
def devices() -> None:
    """Scanners, printers, scales and cameras of this node.

    All but `scan`, `drivers` and `replay` ask the running agent, which goes on working with the device meanwhile.
    """


@devices.command("ls")
@config_option
@json_option
def list_devices(config_path: Path, *, as_json: bool) -> None:
    """List the configured devices and whether each is there.

    \b
    States: ok, starting, lost (three misses, or it hung up), faulty (its driver has a fault), off.

    \b
    Example:
      bodega devices ls
    """
    with ControlClient.of(config_path) as agent:
        found = agent.ask("devices")
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("name", "kind", "driver", "state", "since", "detail"),
        [
            (
                each["name"],
                each["kind"],
                each["driver"],
                each["state"],
                utc(each["since_ms"]) if each["since_ms"] else "",
                _shortened(each["detail"]),
            )
            for each in found["devices"]
        ],
        empty="No devices are configured. Add [[scanners]], [[printers]], [[scales]] or [[cameras]] to the file.",
    )


@devices.command()
@config_option
@json_option
@click.argument("name")
def show(config_path: Path, *, as_json: bool, name: str) -> None:
    """Show all that is known of one device: its state and since when, address, abilities, problem, what to do.

    \b
    Example:
      bodega devices show scanner-1
    """
    with ControlClient.of(config_path) as agent:
        found = agent.ask("device.show", name=name)
    if as_json:
        emit_json(found)
        return
    rows = {
        "name": found["name"],
        "kind": f"{found['kind']}, driver {found['driver']}",
        "state": found["state"] + (f" since {utc(found['since_ms'])}" if found["since_ms"] else ""),
        "address": found["address"],
        "abilities": _in_words(found["abilities"]),
        "last": last_words(found["kind"], found["last"]),
        "misses": found["misses"] or "",
        "faults": found["faults"] or "",
        "problem": found["detail"],
        "next": found["hint"],
    }
    for title, value in rows.items():
        if value:
            click.echo(f"{title:<10}  {value}")


def next_told(agent: ControlClient) -> Any:
    """The next line of a stream that is more than a sign of life."""
    while "quiet" in (line := agent.next_result()):
        pass
    return line


def last_words(kind: str, last: dict[str, Any] | None) -> str:
    """The last scan, label or weight of a device as a sentence; empty if there was none."""
    if not last:
        return ""
    when = f" at {utc(last['at_ms'])}" if "at_ms" in last else ""
    if kind == "scale":
        return f"{grams(last['milligrams'])}{'' if last['stable'] else ', moving'}{when}"
    return f"{last.get('symbology') or ''}{last['text']}".replace("\x1d", "<GS>") + when


def grams(milligrams: int) -> str:
    """A weight for people: exact, in grams."""
    sign, (whole, rest) = "-" if milligrams < 0 else "", divmod(abs(milligrams), 1000)
    return f"{sign}{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''} g"


def _in_words(abilities: dict[str, Any]) -> str:
    words = [
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
        for name, value in abilities.items()
        if value not in (False, None, [], ())
    ]
    return ", ".join(words)


def _shortened(text: str) -> str:
    return text if len(text) <= _DETAIL_CHARS else text[: _DETAIL_CHARS - 3] + "..."
