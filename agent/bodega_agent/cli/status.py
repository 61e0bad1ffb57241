"""`bodega status`: how the node is, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.errors import ExitCode
from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option
from bodega_agent.rules.disk import bytes_text


@click.command()
@config_option
@json_option
@click.option("--check", is_flag=True, help="Exit 1 if anything is wrong (for monitoring).")
def status(config_path: Path, *, as_json: bool, check: bool) -> None:
    """Show how the running node is: work, devices, sync, and every problem with a code.

    \b
    Examples:
      bodega status
      bodega status --json | jq .health
      bodega status --check || mail -s "node needs help" ops@example.com
    """
    with ControlClient.of(config_path) as agent:
        facts = agent.ask("status")
    if as_json:
        emit_json(facts)
    else:
        _show(facts)
    if check and facts["health"]:
        raise SystemExit(ExitCode.CHECK_FAILED)


def _show(facts: dict[str, Any]) -> None:
    tasks = ", ".join(f"{count} {state}" for state, count in sorted(facts["tasks"].items())) or "none"
    waiting = facts["head_seq"] - facts["acked_seq"]
    devices = ", ".join(f"{device['name']} {device['state']}" for device in facts["devices"]) or "none"
    rows = [
        ("node", f"{facts['node_id']}, version {facts['version']}, up {_duration(facts['uptime_s'])}"),
        ("hub", _hub(facts, waiting)),
        ("ledger", f"{facts['head_seq']} events, {_ledger(facts)}"),
        ("disk", _disk(facts["disk"])),
        ("work", tasks),
        ("devices", devices),
        ("vision", _vision(facts["vision"])),
    ]
    for name, value in rows:
        click.echo(f"{name:<8}  {value}")
    for problem in facts["health"]:
        click.echo(f"problem   {problem['code']}: {problem['text']}")
    if not facts["health"]:
        click.echo("health    all is well")


def _hub(facts: dict[str, Any], waiting: int) -> str:
    link = "connected" if facts["connected"] else "not connected"
    oldest = f", the oldest for {_duration(facts['oldest_unacked_ms'] / 1000)}" if waiting else ""
    return f"{link}, {waiting} events wait for its ack{oldest}"


def _ledger(facts: dict[str, Any]) -> str:
    ledger = facts["ledger"]
    if not facts["ledger_ok"]:
        return "BROKEN"
    words = [
        f"found right up to {ledger['sound_seq']}"
        if ledger["sound_seq"]
        else "not yet checked since the start"
    ]
    if ledger["restored"]:
        words.append("RESTORED from a backup")
    if not ledger["quick_check"].startswith("not needed"):
        words.append(f"check of the file {ledger['quick_check']}")
    return "; ".join(words)


def _disk(disk: dict[str, Any]) -> str:
    used = ", ".join(f"{name} {bytes_text(size)}" for name, size in disk["used_bytes"].items() if size)
    return f"{disk['rung'].replace('_', ' ')}, {bytes_text(disk['free_bytes'])} free; {used}"


def _vision(vision: dict[str, Any] | None) -> str:
    if vision is None:
        return "none"
    ready = f"on {vision['provider']}" if vision["ready"] else "starting"
    return f"{vision['mode']}, {ready}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
