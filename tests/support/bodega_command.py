"""The real `bodega` command in a process of its own, and a real agent to talk to.

The agent of a test has no hub and no printer: its catalogue, bins and orders are written into the ledger as the
hub's events before it starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.node_under_test import HubPen, opened_store

COMMAND = (sys.executable, "-m", "bodega_agent.cli")
START_S = 60.0
# The folders of many tests are kept for a while.
_SMALL_DISK = '[disk]\nballast = "1 MiB"\n'


def bodega(
    config: Path, *args: str, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `bodega ARGS` with this configuration to its end."""
    return subprocess.run(
        [*COMMAND, *args],
        input=stdin,
        env={**os.environ, "BODEGA_CONFIG": str(config), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(config: Path, *args: str) -> Any:
    """The JSON document of a read."""
    done = bodega(config, *args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write_config(
    folder: Path, *, node_id: str = "lisbon-01", extra: str = "", disk: str = _SMALL_DISK
) -> Path:
    """An agent.toml whose state lies in `folder`."""
    config = folder / "agent.toml"
    config.write_text(f'node_id = "{node_id}"\nstate_dir = "{folder}"\n{extra}{disk}')
    return config


def fill_ledger(folder: Path) -> None:
    """Bins, two products and two orders, as the hub would send them."""

    async def fill() -> None:
        with opened_store(folder) as store:
            pen = HubPen(store)
            await pen.profile()
            milk, bread = await pen.sku(1), await pen.sku(2)
            await pen.fulfillment_order(1, (milk, 2))
            await pen.fulfillment_order(2, (bread, 1))

    asyncio.run(fill())


@contextmanager
def running_agent(config: Path) -> Iterator[subprocess.Popen[str]]:
    """`bodega run`, ready; ended by SIGTERM, which must work."""
    agent = subprocess.Popen([*COMMAND, "run", "--config", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        assert agent.stderr is not None
        for line in agent.stderr:
            if json.loads(line)["event"] == "ready":
                break
        yield agent
    finally:
        agent.terminate()
        assert agent.wait(timeout=START_S) == 0
        if agent.stderr is not None:
            agent.stderr.close()
