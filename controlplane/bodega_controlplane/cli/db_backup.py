"""`bodegactl db backup` and `restore-check`: a copy of the database, and what it would be worth."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import click

from bodega.errors import BodegaError, InvalidInput
from bodega.host.cli import emit_json, emit_table, json_option, progress
from bodega.limits import ARCHIVE_OLDER_THAN_S
from bodega_controlplane.cli.db import as_it_is, tell, with_config
from bodega_controlplane.cli.show import span, when
from bodega_controlplane.config import ControlPlaneConfig
from bodega_controlplane.store.care import backup as copies
from bodega_controlplane.store.care.backup import Backup, Reach

_FILE = click.Path(path_type=Path)


@click.command("backup")
@click.argument("file", type=_FILE)
@json_option
@with_config
def backup(file: Path, config: ControlPlaneConfig, *, as_json: bool) -> None:
    """Copy the database to FILE while the control plane works, and check the copy.

    One consistent snapshot, mode 0600: it holds names and addresses. On PostgreSQL it is an archive of pg_dump. The
    hub's key and tokens are not in it: keep a copy of the other files of data_dir, too, without which no node believes
    a restored hub.

    \b
    Example:
      bodegactl db backup /mnt/backup/hub-2026-11-22.db

    JSON: {file, size_bytes, newest_ms, orders, journals: {node: events}}.
    """
    with progress("copying", 100) as step:
        made = copies.backup(config.database, config.data_dir, file, step)
    if as_json:
        emit_json({"file": str(made.file), "size_bytes": made.size_bytes, **asdict(made.reach)})
        return
    checked = "checked" if config.database == "sqlite" else "check it with restore-check --into"
    events = sum(made.reach.journals.values())
    click.echo(
        f"{made.file}: {made.size_bytes} bytes, {made.reach.orders} orders, {events} events; {checked}."
    )
    click.echo(f"Keep the keys and tokens of {config.data_dir} with it.")


@click.command("restore-check")
@click.argument("file", type=_FILE)
@click.option(
    "--into", metavar="URL", help="Empty PostgreSQL database (postgresql+psycopg://...) to put it into."
)
@json_option
@with_config
def restore_check(file: Path, into: str | None, config: ControlPlaneConfig, *, as_json: bool) -> None:
    """Say whether a backup could be restored, and what would be missing then; exit code 1 if it has faults.

    Checks it as `db check` does, and compares it with the database of --config, if that answers. Nodes send again what
    the backup lacks of their journals; orders that it lacks are in no node's. A backup of SQLite is only read; one of
    PostgreSQL is put into the empty database of --into, which you may drop afterwards.

    \b
    Examples:
      bodegactl db restore-check /mnt/backup/hub-2026-11-22.db
      bodegactl db restore-check hub.dump --into postgresql+psycopg://bodega@/check

    JSON: {file, size_bytes, newest_ms, orders, journals: {node: events}, missing: {orders, journals: {node: events}} or
    null, looked_at, faults}.
    """
    kind = copies.kind_of(file)
    if kind == "postgresql" and into is None:
        raise InvalidInput(
            f"{file} is an archive of pg_dump", hint="createdb an empty database, and name it with --into URL"
        )
    with progress("checking", 0) as step:
        found = copies.look_at(file, step) if kind == "sqlite" else copies.look_into(file, str(into), step)
    missing = _missing(config, found.reach)
    if as_json:
        told = {"file": str(file), "size_bytes": found.size_bytes, **asdict(found.reach)}
        emit_json({**told, "missing": missing, **asdict(found.findings)})
        if not found.findings.faults:
            return
    elif not found.findings.faults:
        _print(found, missing)
        return
    tell(found.findings, str(file), as_json=False)


def _missing(config: ControlPlaneConfig, reach: Reach) -> dict[str, object] | None:
    """What the database has and the backup lacks; None where the database does not answer."""
    try:
        with as_it_is(config) as live:
            now = copies.reach_of(live)
    except BodegaError:
        return None
    lacks = {node: seq - reach.journals.get(node, 0) for node, seq in now.journals.items()}
    return {"orders": now.orders - reach.orders, "journals": lacks}


def _print(found: Backup, missing: dict[str, object] | None) -> None:
    age_ms = int(time.time() * 1000) - found.reach.newest_ms
    looked_at = ", ".join(f"{number} {name}" for name, number in found.findings.looked_at.items())
    click.echo(f"{found.file} could be restored: {looked_at}.")
    click.echo(f"It ends {when(found.reach.newest_ms)}, {span(age_ms)} ago.")
    if age_ms > ARCHIVE_OLDER_THAN_S * 1000:
        click.echo(
            "It is older than what every node still holds: some events may be in the nodes' archives only."
        )
    if missing is None:
        click.echo("The present database does not answer, so it is not known what would be missing.")
        return
    click.echo(f"Of the present database it lacks {missing['orders']} orders, and these events of nodes:\n")
    journals = missing["journals"]
    rows = [[node, lacks] for node, lacks in journals.items()] if isinstance(journals, dict) else []
    emit_table(["node", "events"], rows, empty="There are no nodes.")
