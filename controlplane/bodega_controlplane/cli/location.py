"""The options that say which control plane to ask, and who asks. Kept apart from grpc, so help is quick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT_HUB = "127.0.0.1:7443"
DEFAULT_TOKEN_FILE = "/var/lib/bodega-controlplane/operator.token"  # noqa: S105 - where it lies, not what it is


def location_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--hub, --token-file and --ca-file: usable before the command's name and after it; after wins."""
    file = click.Path(path_type=Path, dir_okay=False)
    for decorate in (
        click.option(
            "--ca-file",
            type=file,
            envvar="BODEGACTL_CA_FILE",
            help="PEM roots to trust; the system's if left out. TLS is off on loopback without it.",
        ),
        click.option(
            "--token-file",
            type=file,
            envvar="BODEGACTL_TOKEN_FILE",
            help=f"File with the operator's token.  [env BODEGACTL_TOKEN_FILE; default {DEFAULT_TOKEN_FILE}]",
        ),
        click.option(
            "--hub",
            "address",
            metavar="HOST:PORT",
            envvar="BODEGACTL_HUB",
            help=f"Control plane to ask.  [env BODEGACTL_HUB; default {DEFAULT_HUB}]",
        ),
    ):
        command = decorate(command)
    return command
