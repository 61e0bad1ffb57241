"""What nodes tell of themselves beside their journals: the newest rows of each, for people; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bodega.errors import InvalidInput, NotFound
from bodega.limits import (
    IDENTIFIER_CHARS_MAX,
    TELEMETRY_ROWS_OF_NODE_MAX,
    TELEMETRY_ROWS_PER_REPORT_MAX,
    TEXT_CHARS_MAX,
)
from bodega.v1 import telemetry_pb2
from bodega_controlplane.store import nodes, telemetry
from bodega_controlplane.store.transaction import Transaction

_ROW_NO_MAX = 2**63 - 1


def keep(tx: Transaction, now_ms: int, node_id: str, rows: Sequence[telemetry_pb2.TelemetryRow]) -> int:
    """Keep rows, each once; how many were sent. Raises NotFound for an unknown node, InvalidInput for too many."""
    if len(rows) > TELEMETRY_ROWS_PER_REPORT_MAX:
        raise InvalidInput(f"{len(rows)} rows of telemetry are more than {TELEMETRY_ROWS_PER_REPORT_MAX}")
    if nodes.by_id(tx, node_id) is None:
        raise NotFound(f"there is no node '{node_id}'", hint="register it first: bodegactl nodes register")
    telemetry.put(
        tx,
        [
            {
                "node_id": node_id,
                "row_no": min(row.row_no, _ROW_NO_MAX),
                "at_ms": row.at_ms,
                "came_ms": now_ms,
                "kind": row.kind[:IDENTIFIER_CHARS_MAX],
                "subject": row.subject[:IDENTIFIER_CHARS_MAX],
                "detail": row.detail[:TEXT_CHARS_MAX],
            }
            for row in rows
        ],
    )
    telemetry.drop_old(tx, node_id, TELEMETRY_ROWS_OF_NODE_MAX)
    return len(rows)
