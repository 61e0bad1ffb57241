"""`bodega ledger backup` and `restore`: a verified copy of the ledger, and the way back."""

from __future__ import annotations

import asyncio
import getpass
import sys
import time
from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option
from bodega.limits import TEXT_CHARS_MAX
from bodega_agent.cli.location import config_option
from bodega_agent.config import load_config
from bodega_agent.services.control import ensure_free
from bodega_agent.store import backup as copies
from bodega_agent.store.lock import held

_FILE = click.Path(path_type=Path)


@click.command()
@config_option
@json_option
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def backup(config_path: Path, *, as_json: bool, file: Path, force: bool) -> None:
    """Copy the ledger to FILE while the agent works, and verify the copy.

    One consistent snapshot, mode 0600: it holds names and addresses of open orders, so keep it as safe as the
    node. Archives (events that have left the journal) are files of their own: copy their folder too.

    \b
    Examples:
      bodega ledger backup /mnt/usb/lisbon-01.db
      bodega ledger backup --force /mnt/usb/lisbon-01.db
    """
    ledger = load_config(config_path).ledger_path
    made = copies.backup(ledger, file, force=force, progress=_show_progress)
    if as_json:
        emit_json(made)
        return
    click.echo(f"{made['file']}: {made['size_bytes']} bytes, up to event {made['head_seq']}, verified.")
    if made["archives"]:
        click.echo(f"{made['archives']} archives are not in it: copy {ledger.parent / 'archives'} too.")


def _show_progress(done: int, total: int) -> None:
    """For a person who waits; a script's log stays clean."""
    if sys.stderr.isatty():
        click.echo(f"\rcopying {done * 100 // max(1, total):3} %", nl=done >= total, err=True)


@click.command()
@config_option
@json_option
@click.argument("file", type=_FILE)
@click.option("--reason", required=True, help="Why; it is recorded.", metavar="TEXT")
def restore(config_path: Path, *, as_json: bool, file: Path, reason: str) -> None:
    """Put the backup FILE in the ledger's place. The agent must be stopped.

    The backup is verified first, and must be this node's own. The replaced ledger stays beside the new one under
    a name with the time. What the node did since the backup is not in it: so nothing is sent to the hub in the
    old epoch and nothing new is promised, until the hub has opened a new one; scans are recorded. The node asks
    for it by itself, and starts once on the new one.

    \b
    Example:
      bodega ledger restore /mnt/usb/lisbon-01.db --reason "the disk was replaced"
    """
    if not reason.strip() or len(reason) > TEXT_CHARS_MAX:
        raise click.BadParameter(f"say why, in 1 to {TEXT_CHARS_MAX} characters", param_hint="--reason")
    config = load_config(config_path)
    asyncio.run(ensure_free(config.socket_path))
    with held(config.ledger_path):
        done = copies.restore(
            config.ledger_path,
            file,
            node_id=config.node_id,
            actor=getpass.getuser(),
            reason=reason.strip(),
            now_ms=time.time_ns() // 1_000_000,
        )
    if as_json:
        emit_json(done)
        return
    click.echo(
        f"restored up to event {done['head_seq']}; the ledger before it ended at {done['replaced_seq']}."
    )
    if done["replaced"]:
        click.echo(f"the replaced ledger: {done['replaced']}")
    click.echo(
        "next: start the agent; it asks the hub for a new epoch, and bodega sync status says how far that is"
    )
