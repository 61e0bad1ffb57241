"""`bodegactl db restore`: a backup takes the place of the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from bodega.host.cli import emit_json, json_option, progress
from bodega_controlplane.cli.db import with_config
from bodega_controlplane.cli.show import when
from bodega_controlplane.config import ControlPlaneConfig
from bodega_controlplane.store.care import restoring


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--over-newer", is_flag=True, help="Also where the present database has what the backup lacks.")
@json_option
@partial(with_config, may_be_new=True)
def restore(file: Path, config: ControlPlaneConfig, *, over_newer: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the database. Stop the control plane first.

    FILE is brought up to this program's schema and checked beside the database before it takes its place; if anything
    is wrong with it, everything stays as it is. The database that was there is kept: on SQLite as a file beside the new
    one, on PostgreSQL as a schema of the same database (its user must own it). Exit code 69 while a control plane has
    the database open, 1 where it is newer than the backup and --over-newer is not given.

    The hub's keys and tokens are not in a backup: data_dir must have those of the hub that wrote it. After the start,
    let every node be heard before orders are taken: nodes send again what the backup lacks of their journals.

    \b
    Examples:
      bodegactl db restore-check /mnt/backup/hub-2026-11-22.db
      bodegactl db restore /mnt/backup/hub-2026-11-22.db --over-newer

    JSON: {file, kept_as, reach: {newest_ms, orders, journals: {node: events}}, before: the same or null}.
    """
    suffix = f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with progress("checking", 0) as step:
        done = restoring.restore(config.database, config.data_dir, file, suffix, step, over_newer=over_newer)
    if as_json:
        emit_json({"file": str(file), **asdict(done)})
        return
    events, ends = sum(done.reach.journals.values()), when(done.reach.newest_ms)
    click.echo(f"{file} is in force: {done.reach.orders} orders, {events} events of nodes; it ends {ends}.")
    if done.kept_as:
        click.echo(f"What was there is kept as {done.kept_as}.")
    if not (config.data_dir / "hub.key").exists():
        click.echo(
            f"There is no hub.key in {config.data_dir}: put that of the backup's hub there before you start it."
        )
