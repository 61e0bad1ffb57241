"""Nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bodega_controlplane.app.views import Caller, NodeDraft, NodeView
from bodega_controlplane.store.transaction import Transaction


def register_node(tx: Transaction, caller: Caller, draft: NodeDraft) -> NodeView:
    """Make a node known or replace its profile. Raises InvalidInput with every fault."""
    raise NotImplementedError


def list_nodes(tx: Transaction) -> tuple[NodeView, ...]:
    """All nodes by id."""
    raise NotImplementedError


def set_desired_state(
    tx: Transaction,
    caller: Caller,
    node_id: str,
    settings: Mapping[str, str],
    sign: Callable[[bytes], bytes],
) -> int:
    """Set the configuration a node should run, signed (`hub.key.sign`); returns the generation.

    Raises NotFound, InvalidInput.
    """
    raise NotImplementedError
