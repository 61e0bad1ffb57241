"""Where chance comes from: a seed and a word. Nothing in a world may draw from anywhere else."""

from __future__ import annotations

import os
import sys
from random import Random
from types import SimpleNamespace

from bodega_controlplane.app import ids


def seeded(seed: int, word: str) -> Random:
    """A source of chance of its own for each word, so that what one draws changes nothing for the others."""
    return Random(f"{seed} {word}")


def seed_identifiers(seed: int) -> None:
    """Identifiers that the hub gives are drawn from the seed from now on."""
    ids.secrets = SimpleNamespace(randbits=seeded(seed, "identifiers").getrandbits)  # type: ignore[assignment]  # has what is used


def fix_hashes() -> None:
    """Start this program again with hashes that are the same in every run, or sets would differ in their order."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "simulator", *sys.argv[1:]])
