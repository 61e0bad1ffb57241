"""`bodega devices scan` and `drivers`: what is plugged in and what can speak to it; and a scanner's next scans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_adapters.discovery import Plugged, drivers_for, plugged_in, snippet
from bodega_adapters.options import Option
from bodega_adapters.ports import Recognition, UsbId
from bodega_adapters.registry import DriverInfo, drivers
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.devices import next_told
from bodega_agent.cli.location import config_option

_WAIT_S = 60.0


@click.command()
@config_option
@json_option
@click.argument("name", required=False)
@click.option(
    "--count", default=1, show_default=True, type=click.IntRange(1, 10_000), help="Scans to wait for."
)
@click.option(
    "--seconds",
    default=_WAIT_S,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="How long to wait for each.",
)
def scan(config_path: Path, *, as_json: bool, name: str | None, count: int, seconds: float) -> None:
    """Without NAME: what is plugged in here, and ready lines for agent.toml. Works while the agent is down.

    With NAME: show the next scans of that scanner, with symbology, GS1 elements and meaning. The floor gets
    them too, so scan something that does no harm, such as the label of a bin.

    \b
    Examples:
      bodega devices scan
      bodega devices scan scanner-1 --count 5
    """
    if name is None:
        _show_plugged(plugged_in(), as_json=as_json)
        return
    with ControlClient.of(config_path, answer_s=seconds + 5) as agent:
        agent.send("device.scans", name=name, count=count, seconds=seconds)
        agent.next_result()
        click.echo(f"Scan now, with {name}.", err=True)
        for _ in range(count):
            found = next_told(agent)
            if "silent_s" in found:
                click.echo(f"Nothing was scanned within {seconds:g} s.", err=True)
                raise SystemExit(1)
            if as_json:
                click.echo(json.dumps(found, ensure_ascii=False, sort_keys=True))
            else:
                show_scan(found)


def show_scan(found: dict[str, Any]) -> None:
    """One scan in words."""
    click.echo(f"text       {found['text'].replace(chr(29), '<GS>')}")
    click.echo(f"symbology  {found['symbology'] or 'not told: set the scanner up to send AIM identifiers'}")
    for element in found["elements"]:
        rest = {key: value for key, value in element.items() if key not in ("ai", "value")}
        words = ", ".join(f"{key} {value}" for key, value in rest.items())
        click.echo(f"  ({element['ai']})  {element['value']}{f'  {words}' if words else ''}")
    meaning = dict(found["meaning"])
    kind = meaning.pop("is")
    click.echo(f"meaning    {kind}: {', '.join(f'{key} {value}' for key, value in meaning.items())}")


def _show_plugged(found: list[Plugged], *, as_json: bool) -> None:
    known = drivers()
    fits = [(device, drivers_for(device, known)) for device in found]
    if as_json:
        emit_json([_as_json(device, those) for device, those in fits])
        return
    emit_table(
        ("device", "is", "usb", "drivers"),
        [
            (device.best_path, device.name or device.subsystem, _usb(device.usb), _named(those))
            for device, those in fits
        ],
        empty="Nothing is plugged in that a driver could speak to. What is on the network is not seen here.",
    )
    for number, (device, those) in enumerate(fits, start=1):
        if those:
            click.echo(f"\n# {device.name or device.path}")
            click.echo(snippet(device, those[0], f"{those[0].kind}-{number}"), nl=False)


def _as_json(device: Plugged, those: list[DriverInfo]) -> dict[str, Any]:
    return {
        "path": device.path,
        "stable": device.stable,
        "subsystem": device.subsystem,
        "name": device.name,
        "usb": _usb(device.usb),
        "drivers": [
            {
                "kind": one.kind,
                "driver": one.driver,
                "toml": snippet(device, one, f"{one.kind}-1"),
            }
            for one in those
        ],
    }


@click.command("drivers")
@json_option
def drivers_command(*, as_json: bool) -> None:
    """List every driver, its options with types and defaults, and what it recognises. Needs no agent.

    \b
    Example:
      bodega devices drivers
    """
    found = drivers()
    if as_json:
        emit_json([_driver_json(one) for one in found])
        return
    for one in found:
        click.echo(f"{one.kind} {one.driver}" + ("" if one.package == "bodega" else f"  (of {one.package})"))
        if one.problem:
            click.echo(f"    can not be used: {one.problem}")
            continue
        click.echo(f"    recognises  {_recognised(one.recognises)}")
        for option in one.options:
            click.echo(f"    {option.name:<12}{_option(option)}")


def _driver_json(one: DriverInfo) -> dict[str, Any]:
    seen = one.recognises
    return {
        "kind": one.kind,
        "driver": one.driver,
        "package": one.package,
        "problem": one.problem,
        "records": one.records,
        "options": [
            {
                "name": option.name,
                "type": option.type.__name__,
                "default": option.default,
                "needed": option.needed,
            }
            for option in one.options
        ],
        "recognises": None
        if seen is None
        else {
            "subsystem": seen.subsystem,
            "usb": [_usb(each) for each in seen.usb],
            "name": seen.name,
            "address": seen.address,
        },
    }


def _recognised(seen: Recognition | None) -> str:
    if seen is None:
        return "-"
    words = [
        seen.subsystem,
        *(f"usb {_usb(each)}" for each in seen.usb),
        f"named {seen.name}" if seen.name not in ("", "*") else "",
        seen.address,
    ]
    return ", ".join(word for word in words if word) or "what the configuration says"


def _option(option: Option) -> str:
    return f"{option.type.__name__}, {'needed' if option.needed else f'default {json.dumps(option.default)}'}"


def _usb(usb: UsbId | None) -> str:
    if usb is None:
        return ""
    return f"{usb.vendor:04x}:{'*' if usb.product is None else f'{usb.product:04x}'}"


def _named(those: list[DriverInfo]) -> str:
    return ", ".join(f"{one.kind} {one.driver}" for one in those) or "none"
