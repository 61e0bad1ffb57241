"""What a routing decision says: who serves which units, what stays without a node, and every candidate's reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable word for programs and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with its judgement; an eligible one says so in a reason too. `scores` by name, lower is better."""

    node_id: str
    distance_km: float
    eligible: bool
    reasons: tuple[Reason, ...]
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """What one node is asked for: base units by line number, and the carrier service ("" if none was chosen)."""

    node_id: str
    quantities: Mapping[int, int]
    service: str = ""
    price_minor: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """`shares` serve all of the order, or are empty; `candidates` best first, as the last stage tried judged them.

    `rule` names what was in force (bundle name@version), `stage` which of its stages chose, "" if none did. `unserved`:
    units by line number that nobody can promise now. `notes` say of every stage tried before why it did not choose.
    """

    shares: tuple[Share, ...]
    rule: str
    candidates: tuple[Judged, ...]
    unserved: Mapping[int, int] = field(default_factory=dict)
    stage: str = ""
    notes: tuple[Reason, ...] = ()
