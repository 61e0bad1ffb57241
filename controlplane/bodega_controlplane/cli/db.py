"""`bodegactl db`: the control plane's database itself. These commands open it, and ask no running control plane."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bodega.errors import FieldFault, IntegrityBroken, NotFound, PermissionRefused
from bodega.host.cli import LazyGroup, emit_json, emit_table, json_option, progress
from bodega_controlplane.cli.serve import DEFAULT_CONFIG
from bodega_controlplane.config import ControlPlaneConfig, load_config
from bodega_controlplane.store import schema
from bodega_controlplane.store.care import checking, tidying
from bodega_controlplane.store.care import stats as sizes
from bodega_controlplane.store.care.findings import Findings
from bodega_controlplane.store.engine import Store, engine_of, open_store, sqlite_path
from bodega_controlplane.store.migrations import version_of


def with_config(command: Callable[..., Any], *, may_be_new: bool = False) -> Callable[..., Any]:
    """--config FILE, given as the `config` that it holds; a file of SQLite must be there, and be ours to open.

    `may_be_new`: it need not be there.
    """

    @click.option(
        "--config",
        "path",
        type=click.Path(path_type=Path),
        envvar="BODEGACTL_CONFIG",
        default=Path(DEFAULT_CONFIG),
        metavar="FILE",
        help=f"Configuration of the control plane.  [env BODEGACTL_CONFIG; default {DEFAULT_CONFIG}]",
    )
    @wraps(command)
    def run(path: Path, *args: Any, **options: Any) -> Any:
        config = load_config(path)
        path_of_sqlite = sqlite_path(config.data_dir)
        if config.database == "sqlite" and not (may_be_new and not path_of_sqlite.exists()):
            _check_may_open(path_of_sqlite)
        return command(*args, config=config, **options)

    return run


def _check_may_open(path: Path) -> None:
    """Whoever opens a file of SQLite may leave files beside it, which the control plane could not write then."""
    try:
        owner = path.stat().st_uid
    except OSError as error:
        raise NotFound(
            f"there is no database at {path}: {error.strerror}",
            hint="see data_dir in --config; bodegactl serve makes the database at its first start",
        ) from error
    if owner != os.geteuid():
        raise PermissionRefused(
            f"{path} belongs to user {owner}, and this is user {os.geteuid()}",
            hint=f"run it as the control plane's user: sudo -u '#{owner}' bodegactl db ...",
        )


@contextmanager
def as_it_is(config: ControlPlaneConfig) -> Iterator[Store]:
    """The database, not migrated."""
    with closing(Store(engine_of(config.database, config.data_dir))) as store:
        yield store


@click.group(
    cls=LazyGroup,
    lazy={
        name: f"bodega_controlplane.cli.{where}"
        for name, where in (
            ("backup", "db_backup:backup"),
            ("restore-check", "db_backup:restore_check"),
            ("restore", "db_restore:restore"),
        )
    },
)
def db() -> None:
    """The control plane's database: check, migrate, copy and tidy it.

    These commands open the database that --config names, and need no running control plane; all but `restore`, and
    `vacuum` on SQLite, may run beside one. Run them as its user.
    """


@db.command("stats")
@json_option
@with_config
def stats(config: ControlPlaneConfig, *, as_json: bool) -> None:
    """Say how large the database is, table by table.

    \b
    Examples:
      bodegactl db stats --config controlplane.toml
      bodegactl db stats --json | jq '.tables[] | select(.rows > 100000)'

    JSON: {kind, server, schema_version, size_bytes, free_bytes, tables: [{table, rows, size_bytes}]}; what the database
    does not say is null.
    """
    with as_it_is(config) as store, progress("counting", sizes.tables()) as step:
        found = sizes.stats(store, step)
    if as_json:
        emit_json(asdict(found))
        return
    free = f", {_mib(found.free_bytes)} of it free" if found.free_bytes is not None else ""
    click.echo(f"{found.kind} {found.server}, schema version {found.schema_version or 'none'}")
    click.echo(f"{_mib(found.size_bytes)}{free}\n")
    rows = [
        [one.table, one.rows, "-" if one.size_bytes is None else _mib(one.size_bytes)]
        for one in found.tables
        if one.rows
    ]
    emit_table(["table", "rows", "size"], rows, empty="Every table is empty.")


@db.command("check")
@json_option
@with_config
def check(config: ControlPlaneConfig, *, as_json: bool) -> None:
    """Check the whole database; exit code 1 if anything is wrong. Changes nothing.

    The file (SQLite), the schema with its guards, the hash chains of the audit trail, of each node's journal and of
    what each node was told, and that all balances sum to zero.

    \b
    Examples:
      bodegactl db check --config controlplane.toml
      bodegactl db check --json | jq .faults

    JSON: {"looked_at": {name: number}, "faults": [{where, problem}]}.
    """
    with as_it_is(config) as store, progress("checking", checking.steps_of(store)) as step:
        found = checking.check(store, step)
    tell(found, "the database", as_json=as_json)


@db.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only say from which version to which.")
@json_option
@with_config
def migrate(config: ControlPlaneConfig, *, dry_run: bool, as_json: bool) -> None:
    """Bring the schema up to this program's version, in one transaction.

    `bodegactl serve` does the same when it starts; this does it at a time of your choice. Take a backup first. Exit
    code 76 if the database is newer than this program.

    \b
    Example:
      bodegactl db migrate --dry-run && bodegactl db backup before.db && bodegactl db migrate

    JSON: {"from": VERSION, "to": VERSION, "done": true}.
    """
    with as_it_is(config) as store:
        before = store.read(lambda tx: version_of(tx.connection))
    if not dry_run:
        open_store(config.database, config.data_dir).close()
    if as_json:
        emit_json({"from": before, "to": schema.SCHEMA_VERSION, "done": not dry_run})
    elif before == schema.SCHEMA_VERSION:
        click.echo(f"The schema has version {before} already.")
    else:
        word = "would go" if dry_run else "went"
        click.echo(f"The schema {word} from version {before or 'none'} to {schema.SCHEMA_VERSION}.")


@db.command("vacuum")
@json_option
@with_config
def vacuum(config: ControlPlaneConfig, *, as_json: bool) -> None:
    """Give free space back to the disk, and renew what the query planner knows.

    SQLite writes the whole file anew: stop the control plane first (exit code 69 while it runs), and have room for a
    second copy. On PostgreSQL it runs beside a control plane at work.

    \b
    Example:
      bodegactl db vacuum --config controlplane.toml

    JSON: {"before_bytes", "after_bytes"}.
    """
    before, after = tidying.vacuum(config.database, config.data_dir)
    if as_json:
        emit_json({"before_bytes": before, "after_bytes": after})
        return
    click.echo(f"{_mib(before)} before, {_mib(after)} now.")


def tell(found: Findings, what: str, *, as_json: bool) -> None:
    """Print what a check found. Raises IntegrityBroken if that is anything."""
    if as_json:
        emit_json(asdict(found))
    elif not found.faults:
        looked_at = ", ".join(f"{number} {name}" for name, number in found.looked_at.items())
        click.echo(f"Nothing is wrong: {looked_at}.")
    if found.faults:
        raise IntegrityBroken(
            f"{what} has {len(found.faults)} faults",
            hint="keep a copy of it as it is; then see 'When the database is damaged' in the control plane's README",
            faults=tuple(FieldFault(one.where, one.problem) for one in found.faults),
        )


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.1f} MiB"
