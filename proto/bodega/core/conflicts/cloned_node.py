"""Two agents run as one node: one of them writes its stream, the other is fenced, and a person stops one."""

from __future__ import annotations

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES

KIND = "cloned_node"


def cloned_node(*, node_id: str, nonces: tuple[str, str], evidence: str) -> Conflict:
    """Rule cloned_node@1. `nonces`: of the two agents' starts, in any order; `evidence`: a part of a sentence."""
    one, other = sorted(nonces)
    inputs = (f"{node_id}/agent/{one}", f"{node_id}/agent/{other}")
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"agents {one[:8]} and {other[:8]} both ran as {node_id}: {evidence}",
        effect="the agent whose events the hub has goes on; the other is fenced and keeps what it wrote",
        undo=f"stop one of them for good; bodegactl nodes readmit {node_id} lets the one that is left take its place",
        node_id=node_id,
        effects=(f"fenced:{node_id}",),
        needs="stop one of the two agents",
    )
