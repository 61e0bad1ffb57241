"""Where chance comes from: a seed and a word. Nothing in a world may draw from anywhere else."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

from bodega_controlplane.app import ids


def seeded(seed: int, word: str) -> Random:
    """A source of chance of its own for each word, so that what one draws changes nothing for the others."""
    return Random(f"{seed} {word}")


def seed_identifiers(seed: int) -> None:
    """Identifiers that the hub gives are drawn from the seed from now on."""
    ids.secrets = SimpleNamespace(randbits=seeded(seed, "identifiers").getrandbits)  # type: ignore[assignment]  # has what is used
