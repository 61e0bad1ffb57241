"""The catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from bodega_controlplane.app.views import Caller, Page, PageRequest, SkuDraft, SkuView
from bodega_controlplane.store.transaction import Transaction


def upsert_skus(tx: Transaction, caller: Caller, drafts: Sequence[SkuDraft]) -> int:
    """Add or replace SKUs, all or nothing, and send them to every node; the number new or changed.

    Raises InvalidInput with every fault at once; `where` is "skus[3].gtins[0]".
    """
    raise NotImplementedError


def list_skus(tx: Transaction, page: PageRequest) -> Page[SkuView]:
    """By SKU id."""
    raise NotImplementedError
