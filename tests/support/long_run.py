"""How much a test does: the usual amount, or that of `make test-long`."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

IS_LONG = os.environ.get("BODEGA_TEST_LONG", "") == "1"


def by_length(usual: T, long: T) -> T:
    """The one or the other."""
    return long if IS_LONG else usual
