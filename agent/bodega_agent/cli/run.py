"""`bodega run`: the agent itself, with its own devices or with simulated ones."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from bodega.errors import NotFound
from bodega_agent.cli.location import config_option
from bodega_agent.config import AgentConfig, load_config

_NO_SCRIPT = "-"


@click.command()
@config_option
@click.option(
    "--simulate",
    "script",
    is_flag=False,
    flag_value=_NO_SCRIPT,
    metavar="[SCRIPT.toml]",
    help="Simulated devices in place of the configured ones; SCRIPT says what they do by themselves.",
)
def run(config_path: Path, *, script: str | None) -> None:
    """Run the agent until SIGTERM or Ctrl-C.

    It opens the ledger, the scanners, the printers and the camera, and is ready before the network is;
    without a [hub] in the file it works alone. Logs go to standard error: readable on a terminal, JSON
    in a service.

    With --simulate it has a scanner, a label printer, a scale and a tray under a camera of its own; without
    a configuration file a new folder is made for it. firmware_adapters/README.md shows a script.

    \b
    Examples:
      bodega run --config agent.toml
      systemctl start bodega-agent
      bodega run --simulate
    """
    configuration = load_config(config_path) if script is None else _config_to_simulate(config_path)
    # Imported late: a file with faults is answered before the daemon's libraries are loaded.
    from bodega_agent import daemon  # noqa: PLC0415  # see the sentence above

    if script is None:
        daemon.run(configuration)
        return
    from bodega_agent.simulation import Simulation  # noqa: PLC0415  # an agent with real devices never pays for it

    path = None if script == _NO_SCRIPT else Path(script)
    daemon.run(configuration, Simulation(configuration.state_dir / "simulated", path))


def _config_to_simulate(config_path: Path) -> AgentConfig:
    """The file, or a new one in a new folder; and what to do now."""
    try:
        configuration = load_config(config_path)
    except NotFound:
        folder = Path(tempfile.mkdtemp(prefix="bodega-simulated-"))
        config_path = folder / "agent.toml"
        config_path.write_text(
            f'node_id = "simulated-01"\nstate_dir = "{folder}"\n[disk]\nballast = "1 MiB"\n', encoding="utf-8"
        )
        configuration = load_config(config_path)
    click.echo(
        "Simulated: scanner, printer, scale, camera. In another terminal:\n"
        f"  export BODEGA_CONFIG={config_path}\n"
        "  bodega devices ls\n"
        "  bodega devices simulate scanner scan text=CMD-RECEIVE symbology=]C0\n"
        "  bodega devices simulate scale load grams=1250; bodega devices test scale\n"
        "  bodega devices simulate printer set paper_out=true; bodega devices print-test printer\n"
        "  bodega floor --device scanner",
        err=True,
    )
    return configuration
