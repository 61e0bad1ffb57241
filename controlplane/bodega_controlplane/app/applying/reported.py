"""Facts of a node -> the rows that people read. Pure: a message in, a row out."""

from __future__ import annotations

import json
from typing import Any

from bodega.core.conflicts.human_override import human_override
from bodega.core.conflicts.row import Conflict
from bodega.v1 import journal_pb2, routing_pb2

Values = dict[str, Any]


def closed_by(event: journal_pb2.NodeEvent, seq: int) -> dict[tuple[int, int], int]:
    """(epoch, seq) of each discrepancy that the event closes -> its own sequence."""
    opened = (name.partition("/") for name in event.discrepancy_closed.opened)
    return {(int(epoch), int(number)): seq for epoch, _, number in opened if (epoch + number).isdecimal()}


def override_row(node_id: str, event: journal_pb2.NodeEvent) -> Values:
    """A row of `rule_override`."""
    changed = event.override_changed
    return {
        "node_id": node_id,
        "override_id": changed.override_id,
        "rule": changed.rule,
        "sku_id": changed.sku_id,
        "lot": changed.lot,
        "quantity": changed.quantity,
        "reason": changed.reason,
        "actor": event.actor,
        "state": changed.state,
        "changed_at_ms": event.at_ms,
        "expires_after_ms": changed.expires_after_ms,
    }


def override_conflict(row: Values) -> Conflict:
    """The row among the conflicts for a rule that was set aside at a node; `row`: see `override_row`."""
    lot = f" (lot {row['lot']})" if row["lot"] else ""
    units = f", {row['quantity']} units" if row["quantity"] else ""
    return human_override(
        override_id=row["override_id"],
        effect=f"the rule '{row['rule']}' is set aside at {row['node_id']} for {row['sku_id']}{lot}{units}",
        actor=row["actor"],
        reason=row["reason"],
        close=f"at the node: bodega ledger do override override_id={row['override_id']} close=yes",
        node_id=row["node_id"],
        sku_id=row["sku_id"],
    )


def verdict_row(at: Values, event: journal_pb2.NodeEvent, order_id: str, now_ms: int) -> Values:
    """A row of `vision_decision`."""
    verdict = event.vision_decision
    return {
        **at,
        "order_id": order_id,
        "fulfillment_order_id": verdict.fulfillment_order_id,
        "sku_id": verdict.sku_id,
        "outcome": verdict.outcome,
        "model": verdict.model,
        "provider": verdict.provider,
        "committed_ms": now_ms,
        "body": verdict.SerializeToString(),
    }


def task_row(node_id: str, event: journal_pb2.NodeEvent) -> Values:
    """A row of `task`."""
    opened = event.task_opened
    return {
        "node_id": node_id,
        "task_id": opened.task_id,
        "kind": opened.kind,
        "bin_id": opened.bin_id,
        "fulfillment_order_id": opened.fulfillment_order_id,
        "opened_at_ms": event.at_ms,
    }


def columns_of(event: journal_pb2.NodeEvent) -> Values:
    """Columns of `node`: the configuration that it runs, or the routing bundle that it decides by."""
    if event.WhichOneof("fact") == "routing_reported":
        return _reported_routing(event.routing_reported)
    reported = event.state_reported
    values = {"settings": dict(reported.settings), "faults": list(reported.faults)}
    return {"reported_generation": reported.generation, "reported": json.dumps(values, sort_keys=True)}


def _reported_routing(reported: routing_pb2.RoutingReported) -> Values:
    """The digest, then a line for each fault of a bundle that it has refused."""
    told = "\n".join([reported.digest.hex(), *(" ".join(fault.split()) for fault in reported.faults)])
    return {"routing_activation": reported.activation, "routing_reported": told}


def conflict_row(conflict: Conflict, now_ms: int) -> Values:
    """A row of `conflict`."""
    row = {name: getattr(conflict, name) for name in Conflict.__slots__}
    return row | {
        "inputs": json.dumps(conflict.inputs),
        "effects": json.dumps(conflict.effects),
        "state": "open" if conflict.needs else "settled",
        "opened_at_ms": now_ms,
    }
