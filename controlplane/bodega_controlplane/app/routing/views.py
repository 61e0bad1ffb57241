"""What is told of bundles and decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from bodega.core.routing.choice import Choice, Share
from bodega_controlplane.rules.routing_tally import Tally


@dataclass(frozen=True, slots=True)
class BundleView:
    """A bundle without its document; `digest` is hexadecimal, `added_at_ms` 0 for one that is not kept."""

    rule: str
    digest: str
    size_bytes: int
    added_at_ms: int = 0
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class ActivationView:
    """A bundle was put in force; `rollback`: by taking another one back."""

    activation: int
    rule: str
    digest: str
    rollback: bool
    actor: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AtNodeView:
    """What a node decides by, as it has said; an empty digest: by nothing yet."""

    node_id: str
    activation: int = 0
    digest: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision as it was recorded; `inputs_sha256` is empty once where it went to has been erased."""

    decision_id: str
    order_id: str
    decided_at_ms: int
    decided_by: str
    reason: str
    digest: str
    choice: Choice
    inputs_sha256: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A decision that a candidate would make otherwise."""

    decision_id: str
    order_id: str
    before: tuple[Share, ...]
    after: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a page of past decisions comes to; `total`: decisions in all pages, told on the first one."""

    bundle: BundleView
    before: Tally
    after: Tally
    changes: tuple[ChangeView, ...]
    left_out: int
    total: int
    next_token: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """One decision made again: "same", "differs", "erased" or "not_recorded", and what there is to say of it."""

    decision_id: str
    order_id: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Replays:
    """A page of them, the newest first; `total` as in Simulation."""

    replays: tuple[ReplayView, ...]
    total: int = 0
    next_token: str = field(default="")
