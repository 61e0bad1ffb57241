"""What a person reads of a node's sync: lag, pause, and what is done about books that differ."""

from __future__ import annotations

from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.show import span, when

_SKUS_SHOWN_MAX = 5

_STATES = {
    "found": "the node is asked which SKUs as soon as it is in touch",
    "counting": "the node counts",
    "counted": "all is counted, its next checkpoint shows whether they agree",
}


def lag_text(node: pb.NodeStatus) -> str:
    """Such as "0 s", "12 s", "up to 3 h"; "unknown" for a node that was never heard of."""
    if not node.last_contact_ms:
        return "unknown"
    return f"up to {span(node.lag_ms)}" if node.silent else span(node.lag_ms)


def paused_text(node: pb.NodeStatus) -> str:
    """Whether people at the node have paused it, and since when."""
    return f"paused at the node since {when(node.paused_at_ms)}" if node.paused_at_ms else "runs"


def stock_text(node: pb.NodeStatus) -> str:
    """Whether the hub's copy of the stock agrees with the node's book, and what is done if not."""
    if not node.diverged_seq:
        return "agrees"
    words = [f"differs from the node's at event {node.diverged_seq}"]
    if node.HasField("divergence"):
        one = node.divergence
        words.append(f"{one.divergence_id}: {_STATES.get(one.state, one.state)}")
        if one.sku_ids:
            more = len(one.sku_ids) - _SKUS_SHOWN_MAX
            shown = ", ".join(one.sku_ids[:_SKUS_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
            words.append(f"{shown} ({one.counts_open} counts open)")
        if one.problem:
            words.append(f"waits: {one.problem}")
    return "; ".join(words)
