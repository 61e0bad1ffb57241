"""A transfer differs: what left one node is not what reached the other, and nothing more follows.

Both nodes' scans are facts and stay. The difference leaves `in_transit:<transfer>` for `adjustment:count` in the book
of the node that received, at the hub's word, so that everything sent is received, under way or written off.
"""

from __future__ import annotations

from collections.abc import Collection

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES
from bodega.core.transfers import Amounts, Kind, Said, Side, in_transit, settling_node
from bodega.limits import CONFLICT_INPUTS_MAX

KIND = "transfer_differs"

_KINDS_TOLD_MAX = 3


def transfer_differs(transfer_id: str, said: Said, sides: Collection[Side], why: str) -> Conflict:
    """Rule transfer_differs@1: the receiving node writes the difference off; both nodes are named.

    `sides` are all nodes that take part; `why` it is over: "both final", or a person's words.
    """
    inputs = tuple(sorted(side.last_event for side in sides))[:CONFLICT_INPUTS_MAX]
    differing = sorted(in_transit(said).items())
    node_id = settling_node(said)
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"transfer {transfer_id}: "
        + "; ".join(_told(side, said) for side in sorted(sides))
        + f"; it is over: {why}",
        effect=f"{_listed(differing)} {'is' if len(differing) == 1 else 'are'} settled in the book of {node_id}"
        " against adjustment:count",
        undo=f"goods that turn up are received as transfer {transfer_id} again; the write-off is then taken back",
        node_id=node_id,
        sku_id=differing[0][0].sku_id if len({kind.sku_id for kind, _ in differing}) == 1 else "",
        effects=tuple(
            f"{'missing' if units > 0 else 'surplus'}:{kind.sku_id}/{kind.lot}/{abs(units)}"
            for kind, units in differing[:CONFLICT_INPUTS_MAX]
        ),
    )


def _told(side: Side, said: Said) -> str:
    total = Amounts()
    for (node_id, _kind), amounts in said.items():
        if node_id == side.node_id:
            total = total.plus(amounts)
    words = [
        f"{word} {units}"
        for word, units in zip(("sent", "received", "wrote off"), total, strict=True)
        if units
    ]
    return f"{side.node_id} {' and '.join(words) or 'moved nothing'}{' in all' if side.final else ' so far'}"


def _listed(differing: list[tuple[Kind, int]]) -> str:
    told = [
        f"{abs(units)} {kind.sku_id}{f' (lot {kind.lot})' if kind.lot else ''}"
        f" {'missing' if units > 0 else 'too many'}"
        for kind, units in differing[:_KINDS_TOLD_MAX]
    ]
    more = len(differing) - len(told)
    return ", ".join(told) + (f" and {more} more kinds" if more else "")
