"""For every test: no event loop left lying about, and tests with real processes one after the other."""

from __future__ import annotations

import asyncio

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Looptime asks for a current loop even in sync tests; without one there is none to leak."""
    asyncio.set_event_loop(None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real daemons take turns: two systems at once on two cores would time each other out."""
    for item in items:
        if item.get_closest_marker("system") or item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.xdist_group("real-processes"))
