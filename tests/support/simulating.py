"""The simulator as a program of its own: its hashes are fixed, so what a test sees is what a replay shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from simulator.hashes import FIXED


@dataclass(frozen=True)
class Simulated:
    """What it said: `broke` is empty, or which seed broke how and how to replay it."""

    broke: str
    told: str

    @property
    def level_after_s(self) -> list[float]:
        """For each node of each world, how long after the faults it was current."""
        levels: list[float] = self._summary["level_after_s"]
        return levels

    @property
    def happened(self) -> Counter[str]:
        """What happened in all worlds together, and how often."""
        return Counter(self._summary["happened"])

    @property
    def _summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self.told.splitlines()[-1])
        return summary


def simulate(*arguments: str) -> Simulated:
    """Run `python -m simulator ...` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        env={**os.environ, **FIXED, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr or done.stdout
    assert not done.stderr, done.stderr
    return Simulated(done.stdout if done.returncode else "", done.stdout)
