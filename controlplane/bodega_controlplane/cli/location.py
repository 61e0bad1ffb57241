"""The options that say which control plane to ask, and who asks. Kept apart from grpc, so help is quick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT_HUB = "127.0.0.1:7443"
DEFAULT_TOKEN_FILE = "/var/lib/bodega-controlplane/operator.token"  # noqa: S105 - where it lies, not what it is


def from_environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """The three options for the whole program: from its environment unless given."""
    return _options(command, prefix="BODEGACTL")


def from_command_line(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same after a command's name; without the environment, which would win over the program's options."""
    return _options(command, prefix=None)


def _options(command: Callable[..., Any], *, prefix: str | None) -> Callable[..., Any]:
    file = click.Path(path_type=Path, dir_okay=False)
    for decorate in (
        click.option(
            "--ca-file",
            type=file,
            envvar=prefix and f"{prefix}_CA_FILE",
            help="PEM roots to trust, else the system's; loopback needs none.  [env BODEGACTL_CA_FILE]",
        ),
        click.option(
            "--token-file",
            type=file,
            envvar=prefix and f"{prefix}_TOKEN_FILE",
            help=f"File with the operator's token.  [env BODEGACTL_TOKEN_FILE; default {DEFAULT_TOKEN_FILE}]",
        ),
        click.option(
            "--hub",
            "address",
            metavar="HOST:PORT",
            envvar=prefix and f"{prefix}_HUB",
            help=f"Control plane to ask.  [env BODEGACTL_HUB; default {DEFAULT_HUB}]",
        ),
    ):
        command = decorate(command)
    return command
