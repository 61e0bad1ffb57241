"""Stock and availability, from the replica of the nodes' ledgers."""

from __future__ import annotations

from collections.abc import Sequence

from bodega.core.ledger import Account
from bodega.core.promise import Standing
from bodega.limits import AVAILABILITY_SKUS_MAX
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import AvailabilityView, Page, PageRequest, SerialView, StockLevelView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import nodes, stock
from bodega_controlplane.store.transaction import Transaction


def list_stock(
    tx: Transaction, page: PageRequest, *, node_id: str = "", sku_id: str = ""
) -> Page[StockLevelView]:
    """Physical stock by node, bin and SKU; empty filters mean all."""
    limit = limit_of(page.size)
    after = key_of(page.token, *[str] * len(stock.LISTING))
    rows = stock.page(tx, after, limit + 1, node_id=node_id, sku_id=sku_id)
    levels = tuple(
        StockLevelView(
            node_id=row.node_id,
            bin=row.bin,
            owner=row.owner,
            sku_id=row.sku_id,
            lot=row.lot,
            disposition=row.disposition,
            on_hand=row.quantity,
        )
        for row in rows[:limit]
    )
    more = len(rows) > limit
    return Page(levels, token_after(*(getattr(levels[-1], c.name) for c in stock.LISTING)) if more else "")


def list_serials(
    tx: Transaction, page: PageRequest, *, sku_id: str = "", serial: str = "", in_two_nodes: bool = False
) -> Page[SerialView]:
    """Where serial numbers are, by SKU, serial number and node; empty filters mean all."""
    limit = limit_of(page.size)
    after = key_of(page.token, *[str] * len(stock.SERIALS_LISTING))
    rows = stock.serials(tx, after, limit + 1, sku_id=sku_id, number=serial, in_two_nodes=in_two_nodes)
    views = tuple(
        SerialView(
            row.serial,
            row.node_id,
            Account(row.sku_id, row.bin, row.disposition, row.lot, row.owner, row.external),
        )
        for row in rows[:limit]
    )
    last = views[-1] if len(rows) > limit else None
    return Page(views, token_after(last.account.sku_id, last.serial, last.node_id) if last else "")


def standing_of(held: stock.Held, policy: Policy) -> Standing:
    """What the hub may promise of what is held: not what the node may, nor what is on its way to it."""
    return Standing(held.sellable, held.node_rights, held.reserved, policy.safety_stock, held.held_back)


def list_availability(
    tx: Transaction, sku_ids: Sequence[str], policy: Policy
) -> tuple[AvailabilityView, ...]:
    """One row per SKU asked for and node, by SKU and node; unknown SKUs have rows of zeros.

    Raises InvalidInput for none or more than AVAILABILITY_SKUS_MAX SKUs.
    """
    faults = Faults()
    faults.count("sku_id", sku_ids, 1, AVAILABILITY_SKUS_MAX)
    faults.raise_if_any("the question")
    held = stock.held(tx, set(sku_ids))
    node_ids = nodes.ids(tx)
    return tuple(
        _availability(sku_id, node_id, standing_of(held.get((node_id, sku_id), stock.Held()), policy))
        for sku_id in sorted(set(sku_ids))
        for node_id in node_ids
    )


def _availability(sku_id: str, node_id: str, standing: Standing) -> AvailabilityView:
    return AvailabilityView(
        sku_id=sku_id,
        node_id=node_id,
        sellable=standing.sellable,
        node_rights=standing.node_rights,
        reserved=standing.reserved,
        safety_stock=standing.safety_stock,
        available=standing.available,
        held_back=standing.held_back,
    )
