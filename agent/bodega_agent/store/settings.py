"""The settings that the hub has pushed to this node, as they are in force."""

from __future__ import annotations

from bodega.v1 import fleet_pb2
from bodega_agent.store.transaction import Transaction


def settings_of(tx: Transaction) -> dict[str, str]:
    """The settings in force that the hub has pushed."""
    body = tx.get("settings")
    return dict(fleet_pb2.DesiredState.FromString(body).settings) if body is not None else {}
