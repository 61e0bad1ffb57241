"""Routing bundles of tests."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from bodega.core.routing.bundle import Bundle, parse


def document(name: str, version: int, **more: Any) -> bytes:
    """A bundle of one stage, which takes whoever can promise all of it; `more` as in the document."""
    return json.dumps({"name": name, "version": version, "stages": [{"name": "whole"}], **more}).encode()


def nearest(version: int) -> Bundle:
    """ "nearest" of some version: no filters, nothing but the distance."""
    return parse(document("nearest", version))


def steps(step_s: float = 0.0) -> Callable[[], float]:
    """A clock that is so much later each time."""
    ticks = itertools.count()
    return lambda: next(ticks) * step_s
