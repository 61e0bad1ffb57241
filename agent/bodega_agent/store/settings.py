"""The settings in force that the hub has pushed."""

from __future__ import annotations

from bodega.v1 import fleet_pb2
from bodega_agent.store.transaction import Transaction


def settings_of(tx: Transaction) -> dict[str, str]:
    """The settings in force that the hub has pushed; empty before it has."""
    return settings_in(tx.get("settings"))


def settings_in(body: bytes | None) -> dict[str, str]:
    """The settings in the value of meta `settings`."""
    return dict(fleet_pb2.DesiredState.FromString(body).settings) if body is not None else {}
