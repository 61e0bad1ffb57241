"""What both command lines share: lazy commands, one way to print, one way to fail.

Commands are imported only when called, so the daemon never pays for tables and importers. Every
failure ends as one or two lines on standard error (what, then what to do next) and the exit code of
its family; a traceback is shown only with BODEGA_DEBUG=1.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from bodega.errors import BodegaError, ExitCode, outcome_of
from bodega.host.table import table_lines
from bodega.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX

EXIT_CODES_HELP = """\b
Exit codes:
  0 done                     1 a check failed, or the state forbids it
  2 wrong usage             65 bad input data
 66 not found               69 a daemon, broker or device is not there
 70 a bug in Bodega         71 the port or socket is in use
 75 busy, try again         76 database of a newer version
 77 not allowed             78 faults in the configuration"""


class LazyGroup(click.Group):
    """A group whose commands live one per file: name -> "module:attribute", imported when used."""

    def __init__(self, *args: Any, lazy: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), f"{self._lazy[cmd_name]} is not a command"
        return command


def run_main(group: click.Group, prog_name: str, arguments: Sequence[str] | None = None) -> None:
    """Run a command line (None: the process's own) and leave the process with its documented exit code."""
    try:
        group.main(arguments, prog_name=prog_name, standalone_mode=True)
    except BodegaError as error:
        if os.environ.get("BODEGA_DEBUG"):
            raise
        sys.exit(report(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:  # the last line of defence: one line and exit 70, not a traceback
        if os.environ.get("BODEGA_DEBUG"):
            raise
        click.echo(f"error: a bug in Bodega: {type(error).__name__}: {error}", err=True)
        click.echo("  next: run again with BODEGA_DEBUG=1 and send us the traceback", err=True)
        sys.exit(ExitCode.INTERNAL)


def report(error: BodegaError) -> int:
    """Print an error as what, where, what next; returns its exit code."""
    click.echo(f"error: {error.message}", err=True)
    for fault in error.faults:
        click.echo(f"  - {fault}", err=True)
    if error.hint:
        click.echo(f"  next: {error.hint}", err=True)
    return int(outcome_of(error).exit)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json` for a read: one JSON document on standard output, keys stable."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document instead of a table."
    )(command)


def one_page_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--limit` for a read that is answered with one page only."""
    return click.option(
        "--limit",
        type=click.IntRange(1, PAGE_ROWS_MAX),
        default=PAGE_ROWS_DEFAULT,
        show_default=True,
        help="Show at most so many rows.",
    )(command)


def emit_json(value: Any) -> None:
    """One JSON document, readable and stable."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def emit_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """A plain table that fits the terminal, and is as wide as it needs in a pipe; `empty`: the sentence for no rows."""
    if not rows:
        click.echo(empty)
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(headers, rows, columns):
        click.echo(line)


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while something long goes on: call what it yields with each number of steps done.

    Only a person at a terminal sees it; what a command prints on standard output stays clean.
    """
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=total, label=label, file=sys.stderr, hidden=hidden, show_eta=True, width=24
    ) as bar:
        yield bar.update
