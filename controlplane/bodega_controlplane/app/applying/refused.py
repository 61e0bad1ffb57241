"""What a node sent and the hub could not take: counted, kept for people within bounds, told once.

A node that speaks for another one, in an envelope or in a heartbeat, is fenced for a while: either its box is set up
wrong, or somebody else has its credentials.
"""

from __future__ import annotations

from bodega.host.log import get_logger
from bodega.limits import (
    ENVELOPE_BYTES_MAX,
    FOREIGN_FENCE_MS,
    REFUSED_ENVELOPES_KEPT_MAX,
    REFUSED_ENVELOPES_OF_NODE_KEPT_MAX,
    TEXT_CHARS_MAX,
)
from bodega_controlplane.store import nodes, refused
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

_NAME_CHARS_SHOWN_MAX = 80


def foreign_reason(node_id: str, named: str) -> str:
    """What is said of a node that names another one as itself."""
    return f"it speaks for '{_printable(named)[:_NAME_CHARS_SHOWN_MAX]}' with the credentials of {node_id}"


def keep(
    tx: Transaction,
    now_ms: int,
    *,
    node_id: str,
    subject: str,
    reason: str,
    body: bytes,
    foreign: bool = False,
) -> None:
    """Count it and keep it; the audit trail gets a line for each reason, not for each time.

    `foreign`: the node has spoken for another one. The caller holds the node's row.
    """
    about = {
        "node_id": _printable(node_id),
        "subject": _printable(subject),
        "reason": _printable(reason)[:TEXT_CHARS_MAX],
    }
    nodes.count_refused(tx, node_id, foreign_ms=now_ms if foreign else None)
    if refused.count_again(tx, **about, at_ms=now_ms):
        log.debug("refused_again", **about)
        return
    log.warning("refused", **about)
    refused.keep(
        tx,
        **about,
        body=body[: 2 * ENVELOPE_BYTES_MAX],
        at_ms=now_ms,
        of_node_max=REFUSED_ENVELOPES_OF_NODE_KEPT_MAX,
        of_all_max=REFUSED_ENVELOPES_KEPT_MAX,
    )
    tx.audit(
        at_ms=now_ms,
        actor="hub",
        action="node.spoke_for_another" if foreign else "node.refused",
        subject=about["node_id"],
        detail={"subject": about["subject"], "reason": about["reason"]},
    )


def foreign_fault(node: Row, now_ms: int) -> str:
    """Why a node is fenced for what came with its credentials, or empty."""
    age_ms = now_ms - int(node.foreign_ms)
    if not (node.foreign_ms and 0 <= age_ms < FOREIGN_FENCE_MS):
        return ""
    return (
        f"something with the credentials of {node.node_id} has spoken for another node: see bodegactl nodes refused"
        f" {node.node_id}; it may go on {FOREIGN_FENCE_MS // 1000} s after the last time"
    )


def _printable(text: str) -> str:
    """Without the one character that not every database takes."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
