"""Why things are as they are."""

from __future__ import annotations

from bodega_controlplane.app.views import ConflictView, RouteDecisionView, VisionDecisionView
from bodega_controlplane.store.transaction import Transaction


def explain_route(tx: Transaction, order_id: str) -> RouteDecisionView:
    """The recorded decision. Raises NotFound."""
    raise NotImplementedError


def list_vision_decisions(
    tx: Transaction, *, order_id: str = "", size: int = 0
) -> tuple[VisionDecisionView, ...]:
    """Newest first."""
    raise NotImplementedError


def list_conflicts(tx: Transaction, *, size: int = 0) -> tuple[ConflictView, ...]:
    """Newest first."""
    raise NotImplementedError
