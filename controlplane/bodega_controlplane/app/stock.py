"""Stock and availability."""

from __future__ import annotations

from collections.abc import Sequence

from bodega_controlplane.app.views import AvailabilityView, Page, PageRequest, StockLevelView
from bodega_controlplane.rules.routing import RoutingPolicy
from bodega_controlplane.store.transaction import Transaction


def list_stock(
    tx: Transaction, page: PageRequest, *, node_id: str = "", sku_id: str = ""
) -> Page[StockLevelView]:
    """Physical stock by node, bin and SKU; empty filters mean all."""
    raise NotImplementedError


def list_availability(
    tx: Transaction, sku_ids: Sequence[str], policy: RoutingPolicy
) -> tuple[AvailabilityView, ...]:
    """One row per SKU asked for and node, by SKU and node; unknown SKUs have rows of zeros.

    Raises InvalidInput for none or more than AVAILABILITY_SKUS_MAX SKUs.
    """
    raise NotImplementedError
