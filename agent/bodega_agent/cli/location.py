"""How a command finds its node: one configuration file, which names the socket and the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bodega_agent.config import DEFAULT_PATH


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--config FILE`, passed on as `config_path`."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="BODEGA_CONFIG",
        default=DEFAULT_PATH,
        show_default=True,
        show_envvar=True,
        metavar="FILE",
        help="The node's configuration.",
    )(command)
