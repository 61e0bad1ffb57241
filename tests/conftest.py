"""For every test: no event loop left lying about."""

from __future__ import annotations

import asyncio

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Looptime asks for a current loop even in sync tests; without one there is none to leak."""
    asyncio.set_event_loop(None)
