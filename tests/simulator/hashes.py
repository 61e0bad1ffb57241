"""Hashes that are the same in every run, so that a seed gives the same world in every process."""

from __future__ import annotations

import os
import sys

FIXED = {"PYTHONHASHSEED": "0"}


def fix_hashes() -> None:
    """Start this program again with fixed hashes, unless it was started so."""
    if os.environ.get("PYTHONHASHSEED") != FIXED["PYTHONHASHSEED"]:
        os.execve(sys.executable, [sys.executable, "-m", "simulator", *sys.argv[1:]], {**os.environ, **FIXED})
