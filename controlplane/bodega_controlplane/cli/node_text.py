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


def spread_text(come_back_after_ms: int) -> str:
    """What the hub asks of its nodes while more comes than it can take."""
    return f"The hub has much to do: its nodes are asked to spread over {span(come_back_after_ms)}."


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


def health_text(node: pb.NodeStatus) -> str:
    """What the node says of itself, worst first; "ok" when there is nothing to say."""
    if node.fenced:
        return f"fenced: {node.fenced}"
    words = [f"{node.parked} parked"] if node.parked else []
    words += [f"{node.refused} refused"] if node.refused else []
    if not node.HasField("health"):
        return ", ".join(["unknown", *words])
    health = node.health
    words += [] if health.ledger_ok else ["ledger does not verify"]
    words += ["ledger restored from a backup"] if health.ledger_ok and health.ledger_problem else []
    words += [f"{name} lost" for name in health.devices_lost]
    words += [f"{health.labels_unknown} labels in doubt"] if health.labels_unknown else []
    words += ["sync paused"] if node.paused_at_ms else []
    words += ["stock differs"] if node.diverged_seq else []
    words += [f"disk: {disk_text(node)}"] if disk_text(node) not in ("", "roomy") else []
    return ", ".join(words) or "ok"


def disk_text(node: pb.NodeStatus) -> str:
    """The rung of the node's disk in words; empty when it does not say."""
    return node.health.disk_rung.replace("_", " ")
