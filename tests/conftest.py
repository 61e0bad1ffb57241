"""For every test: no event loop left lying about, and no bar on its time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: how fast is for the benchmarks.
settings.register_profile("no-time-bar", deadline=None)
settings.load_profile("no-time-bar")


def pytest_configure(config: pytest.Config) -> None:
    """Looptime asks for a current loop even in sync tests; without one there is none to leak."""
    asyncio.set_event_loop(None)
