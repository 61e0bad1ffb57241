"""The node's ledger file, for commands that read it beside the agent or without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodega_agent.config import load_config
from bodega_agent.store.reader import Reader


@contextmanager
def ledger_of(config_path: Path) -> Iterator[Reader]:
    """The ledger of the node with this file, read-only; NotFound if the agent was never started."""
    reader = Reader(load_config(config_path).ledger_path)
    try:
        yield reader
    finally:
        reader.close()
