"""What of the node's condition is worth telling, as a difference between two looks at it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Condition:
    """How the node is at one moment."""

    devices_lost: frozenset[str]
    disk_rung: str
    vision_provider: str
    connected: bool
    head_seq: int
    acked_seq: int
    disk_free_bytes: int


class Finding(NamedTuple):
    """One row: a stable word, the device or part concerned (or empty), and words or numbers."""

    kind: str
    subject: str = ""
    detail: str = ""


def findings(before: Condition | None, now: Condition) -> list[Finding]:
    """What has changed since the last look; at the first one, only what is not well."""
    known_lost = before.devices_lost if before else frozenset()
    found = [Finding("device_lost", name) for name in sorted(now.devices_lost - known_lost)]
    found += [Finding("device_back", name) for name in sorted(known_lost - now.devices_lost)]
    if before is None:
        return found
    for kind, was, is_now in (
        ("disk_rung", before.disk_rung, now.disk_rung),
        ("vision_provider", before.vision_provider, now.vision_provider),
        ("link", _link(before), _link(now)),
    ):
        if was != is_now:
            found.append(Finding(kind, "", is_now))
    return found


def sample(now: Condition) -> Finding:
    """The figures, told now and then."""
    return Finding(
        "sample",
        "",
        f"head {now.head_seq}, acknowledged {now.acked_seq}, disk free {now.disk_free_bytes} bytes",
    )


def _link(condition: Condition) -> str:
    return "connected" if condition.connected else "cut"
