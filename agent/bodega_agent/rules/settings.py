"""Which settings the control plane may push to a running node, and which values each may have."""

from __future__ import annotations

from collections.abc import Mapping

# Setting: its legal values. Whatever is not here is decided by the node's own file.
KNOWN: Mapping[str, frozenset[str]] = {
    "vision.mode": frozenset({"off", "advisory", "blocking"}),
    # Whether the contents of a parcel must be seen before it is closed; unset: where the node has a list of cartons.
    "pack.verify": frozenset({"always", "never"}),
}


def faults_in(settings: Mapping[str, str]) -> list[str]:
    """Every fault as a sentence; an empty list means that the settings may be put in force."""
    faults = []
    for name, value in sorted(settings.items()):
        legal = KNOWN.get(name)
        if legal is None:
            faults.append(f"'{name}' is not a setting; known are {', '.join(sorted(KNOWN))}")
        elif value not in legal:
            faults.append(f"'{name}' must be one of {', '.join(sorted(legal))}, is '{value}'")
    return faults
