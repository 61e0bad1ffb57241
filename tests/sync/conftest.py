"""Hub, node and broker, all real, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodega.core import pacing
from support.nats import NatsServer, nats_server
from support.node_and_hub import Pair, pair

__all__ = ["nats_server"]


@pytest.fixture
async def both(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pair]:
    """A hub and its node, which know OAT and TEA."""
    monkeypatch.setattr(pacing, "HEARTBEAT_S", 0.2)
    async with pair(nats_server, tmp_path, "OAT", "TEA") as made:
        yield made
