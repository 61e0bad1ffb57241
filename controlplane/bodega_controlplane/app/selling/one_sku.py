"""One SKU by itself: read, and put as a whole by somebody who may say what it must have been before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bodega.errors import InvalidInput, NotFound
from bodega_controlplane.app.goods.catalogue import upsert_skus, view_of
from bodega_controlplane.app.views import Caller, SkuDraft, SkuView
from bodega_controlplane.store import catalogue
from bodega_controlplane.store.transaction import Transaction

_PLACE = "skus[0]."


def get_sku(tx: Transaction, sku_id: str) -> SkuView:
    """Raises NotFound."""
    found = view_of(tx, sku_id)
    if found is None:
        raise NotFound(f"there is no SKU '{sku_id[:80]}'", hint="list the catalogue: GET /v1/catalogue")
    return found[0]


def put_sku(
    tx: Transaction, caller: Caller, draft: SkuDraft, expected: Callable[[SkuView | None], None]
) -> tuple[SkuView, bool]:
    """Add or replace it, and send it to every node; the SKU, and whether it is new.

    `expected` is given what is there, while nobody else can change it, and raises if that must not be replaced.
    Raises InvalidInput with every fault, by the field's own name.
    """
    catalogue.lock(tx)
    before = view_of(tx, draft.sku_id)
    expected(before[0] if before else None)
    try:
        upsert_skus(tx, caller, [draft])
    except InvalidInput as error:
        error.faults = tuple(replace(one, where=one.where.removeprefix(_PLACE)) for one in error.faults)
        raise
    return get_sku(tx, draft.sku_id), before is None
