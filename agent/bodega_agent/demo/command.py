"""`bodega demo`."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import click

from bodega.errors import ExitCode, Unavailable
from bodega_agent.demo.folder import run_folder
from bodega_agent.demo.plan import (
    ASSOCIATES_DEFAULT,
    ASSOCIATES_MAX,
    ASSOCIATES_MIN,
    NODES_DEFAULT,
    NODES_MAX,
    NODES_MIN,
    ORDERS_DEFAULT,
    ORDERS_MAX,
    ORDERS_MIN,
    SEED_DEFAULT,
    SEED_MAX,
)

_NEEDED = (
    "apsw",
    "cv2",
    "fastapi",
    "grpc",
    "httpx",
    "numpy",
    "onnxruntime",
    "rich",
    "serial",
    "sqlalchemy",
    "zxingcpp",
)


EXIT_INTERRUPTED = 130


@click.command()
@click.option(
    "--orders",
    type=click.IntRange(ORDERS_MIN, ORDERS_MAX),
    default=ORDERS_DEFAULT,
    show_default=True,
    help="Orders that can be served; a few more are refused.",
)
@click.option(
    "--nodes",
    type=click.IntRange(NODES_MIN, NODES_MAX),
    default=NODES_DEFAULT,
    show_default=True,
    help="Nodes.",
)
@click.option(
    "--associates",
    type=click.IntRange(ASSOCIATES_MIN, ASSOCIATES_MAX),
    default=ASSOCIATES_DEFAULT,
    show_default=True,
    help="People with a scanner at each node; several work without a camera.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEED_MAX),
    default=SEED_DEFAULT,
    show_default=True,
    help="The same seed gives the same customers, goods and slips of the hand.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures to this file, as JSON.",
)
@click.option(
    "--keep", is_flag=True, help="Leave everything running until Ctrl-C, in ./.demo, and say what to try."
)
def demo(*, orders: int, nodes: int, associates: int, seed: int, json_file: Path | None, keep: bool) -> None:
    """Run a whole day in a minute: a broker, a control plane, nodes, faults, and an audit.

    Starts a real nats-server, one control plane and some agents as processes of this machine, with devices
    simulated at the operating system's edge. Goods are received, customers order, associates pick; one node's
    network is cut, another agent is killed in mid-pick. At the end devices, broker, databases and API are held
    against each other, and a broken rule is named.

    \b
    Exit codes: 0 all rules hold, 1 one is broken, 69 something that the demo needs is missing.

    \b
    Examples:
      bodega demo
      bodega demo --orders 100 --nodes 3 --seed 7 --json demo.json
      bodega demo --orders 500 --nodes 1 --associates 8
      bodega demo --keep
    """
    _check_installed()
    if json_file is not None:
        _check_writable(json_file)
    # Imported after the check, so that what is missing is named in one line.
    from bodega_agent.demo.report import print_report, write_json  # noqa: PLC0415 (see above)
    from bodega_agent.demo.run import run  # noqa: PLC0415 (see above)
    from bodega_agent.demo.scenario import make_plan  # noqa: PLC0415 (see above)

    plan = make_plan(orders=orders, nodes=nodes, seed=seed, associates=associates)
    with run_folder(keep=keep) as folder:
        try:
            result = asyncio.run(run(plan, folder, stay=keep))
        except (asyncio.CancelledError, KeyboardInterrupt):
            click.echo("stopped; every process of the demo has ended", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except Exception:
            folder.keep = True
            click.echo(f"the logs are kept in {folder.root}", err=True)
            raise
        ok = result.report["ok"]
        folder.keep = folder.keep or not ok
    if json_file is not None:
        write_json(json_file, result.report)
    if not keep:
        print_report(result.report, result.findings)
    if not ok:
        click.echo(
            f"BROKEN: {', '.join(result.report['broken'])}; the evidence is kept in {folder.root}", err=True
        )
        sys.exit(ExitCode.CHECK_FAILED)
    click.echo("All rules hold.")


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"the demo needs more than this environment has: {', '.join(missing)} can not be imported",
            hint="install the demo's extra: pip install 'bodega[demo]'",
        )


def _check_writable(path: Path) -> None:
    folder = path.resolve().parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise click.BadParameter(f"there is no folder {folder} that can be written", param_hint="--json")
