"""What a node decides alone, one function for all of it: of the same inputs and bundle the same choice, at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Choice, Judged, Reason, Share
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.shelves import choose_shelves

CARRIER, PICKUP, WITHIN_SITE = "carrier", "pickup", "within_site"


def decide_alone(bundle: Bundle, decision: str, inputs: Inputs) -> Choice:
    """What a node, the one site of `inputs`, decides by itself; no share if it may not.

    `decision` is one of `document.EDGE_DECISIONS`. A bundle that does not allow it is the reason "not-for-nodes".
    """
    (site,) = inputs.sites
    if bundle.allows_edge(decision):
        return _DECIDES[decision](bundle, inputs)
    reason = Reason("not-for-nodes", f"the bundle {bundle.rule} leaves it to the hub")
    unserved = {line.line: line.quantity for line in inputs.lines}
    node = Judged(site.node_id, 0.0, eligible=False, reasons=(reason,))
    return Choice((), bundle.rule, (node,), unserved=unserved)


def is_forbidden(choice: Choice) -> bool:
    """Whether the bundle leaves this to the hub."""
    return any(reason.code == "not-for-nodes" for one in choice.candidates for reason in one.reasons)


def _carrier(bundle: Bundle, inputs: Inputs) -> Choice:
    return decide(bundle, inputs, edge=True)


def _pickup(bundle: Bundle, inputs: Inputs) -> Choice:
    """By the stages for nodes; without any, the rights that the hub has granted are all that it takes."""
    if bundle.document.edge.stages:
        return decide(bundle, inputs, edge=True)
    (site,) = inputs.sites
    reason = Reason("has-rights", "its own rights are enough")
    node = Judged(site.node_id, 0.0, eligible=True, reasons=(reason,))
    share = Share(site.node_id, {line.line: line.quantity for line in inputs.lines})
    return Choice((share,), bundle.rule, (node,), stage="rights")


_DECIDES: Mapping[str, Callable[[Bundle, Inputs], Choice]] = {
    CARRIER: _carrier,
    PICKUP: _pickup,
    WITHIN_SITE: choose_shelves,
}
