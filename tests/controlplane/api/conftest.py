"""What most tests of the two faces ask: a hub with tea on its shelf, and a storefront's client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bodega_controlplane.app.hub import Hub
from support.faces import http_client, stocked_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """12 TEA in Lisbon."""
    with stocked_hub(tmp_path, TEA=12) as hub:
        yield hub


@pytest.fixture
async def shop(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    """The storefront."""
    async with http_client(hub) as client:
        yield client
