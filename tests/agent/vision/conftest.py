"""Keeps pytest-asyncio from leaving an event loop open behind the vision tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_stray_event_loop() -> Iterator[None]:
    """pytest-asyncio remembers "the loop before" and, before Python 3.14, makes one that nobody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
