"""The catalogue: owned here, copied to every node, versioned by SKU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bodega.limits import CATALOGUE_ROWS_MAX, GTINS_PER_SKU_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app import outbox, wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import Caller, Page, PageRequest, SkuDraft, SkuView
from bodega_controlplane.rules.gtin import as_gtin14, fault_in
from bodega_controlplane.store import catalogue, nodes
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

_GRAMS_MAX = _MILLILITRES_MAX = 2**32 - 1


def upsert_skus(tx: Transaction, caller: Caller, drafts: Sequence[SkuDraft]) -> int:
    """Add or replace SKUs, all or nothing, and send them to every node; the number new or changed.

    Raises InvalidInput with every fault at once; `where` is "skus[3].gtins[0]".
    """
    catalogue.lock(tx)
    faults = Faults()
    faults.count("skus", drafts, 1, CATALOGUE_ROWS_MAX)
    faults.raise_if_any("the catalogue")
    for place, draft in enumerate(drafts):
        _check(faults, f"skus[{place}]", draft)
    _check_together(tx, faults, drafts)
    faults.raise_if_any("the catalogue")
    known = _views(tx, catalogue.by_ids(tx, {draft.sku_id for draft in drafts}).values())
    following = [_next(draft, known.get(draft.sku_id)) for draft in drafts]
    changed = [view for view in following if view is not None]
    if changed:
        _write(tx, caller, changed)
    return len(changed)


def _check(faults: Faults, where: str, draft: SkuDraft) -> None:
    faults.identifier(f"{where}.sku_id", draft.sku_id)
    faults.text(f"{where}.name", draft.name)
    faults.text(f"{where}.owner", draft.owner, empty=True)
    faults.count(f"{where}.gtins", draft.gtins, 0, GTINS_PER_SKU_MAX)
    faults.number(f"{where}.weight_g", draft.weight_g, 0, _GRAMS_MAX)
    faults.number(f"{where}.volume_ml", draft.volume_ml, 0, _MILLILITRES_MAX)
    for place, gtin in enumerate(draft.gtins):
        fault = fault_in(gtin)
        if fault:
            faults.add(f"{where}.gtins[{place}]", fault)


def _check_together(tx: Transaction, faults: Faults, drafts: Sequence[SkuDraft]) -> None:
    """A SKU comes once, and a GTIN means one SKU: in this call, and in the catalogue after it."""
    seen: dict[str, int] = {}
    for place, draft in enumerate(drafts):
        if draft.sku_id in seen:
            faults.add(f"skus[{place}].sku_id", f"is already in skus[{seen[draft.sku_id]}]: {draft.sku_id}")
        seen.setdefault(draft.sku_id, place)
    wanted = [
        (f"skus[{place}].gtins[{number}]", as_gtin14(gtin), draft.sku_id)
        for place, draft in enumerate(drafts)
        for number, gtin in enumerate(draft.gtins)
        if fault_in(gtin) is None
    ]
    # What another SKU holds now counts only if that SKU is not being replaced itself.
    holders = catalogue.owners_of(tx, {gtin for _, gtin, _ in wanted})
    taken = {gtin: sku_id for gtin, sku_id in holders.items() if sku_id not in seen}
    for where, gtin, sku_id in wanted:
        if taken.setdefault(gtin, sku_id) != sku_id:
            faults.add(where, f"means SKU {taken[gtin]} already: {gtin}")


def _next(draft: SkuDraft, known: SkuView | None) -> SkuView | None:
    """The SKU as it will be, one version up; None if nothing about it changes."""
    version = known.version if known else 0
    view = SkuView(
        sku_id=draft.sku_id,
        name=draft.name,
        gtins=tuple(sorted({as_gtin14(gtin) for gtin in draft.gtins})),
        owner=draft.owner,
        lot_tracked=draft.lot_tracked,
        weight_g=draft.weight_g,
        volume_ml=draft.volume_ml,
        version=version,
    )
    return None if view == known else replace(view, version=version + 1)


def _write(tx: Transaction, caller: Caller, changed: Sequence[SkuView]) -> None:
    rows = [
        {
            "sku_id": view.sku_id,
            "name": view.name,
            "owner": view.owner,
            "lot_tracked": view.lot_tracked,
            "weight_g": view.weight_g,
            "volume_ml": view.volume_ml,
            "version": view.version,
        }
        for view in changed
    ]
    gtins = [{"gtin": gtin, "sku_id": view.sku_id} for view in changed for gtin in view.gtins]
    catalogue.replace(tx, rows, gtins)
    cmd_id = new_id("C", caller.now_ms)
    node_ids = nodes.ids(tx)
    tx.lock_nodes(node_ids)
    for node_id in node_ids:
        outbox.post(tx, caller, node_id, events_of(changed), cmd_id=cmd_id)
    for view in changed:
        tx.audit(
            at_ms=caller.now_ms,
            actor=caller.actor,
            action="sku.changed",
            subject=view.sku_id,
            detail={"version": view.version, "gtins": view.gtins},
        )


def events_of(skus: Iterable[SkuView]) -> list[journal_pb2.HubEvent]:
    """One event per SKU, for a node's stream."""
    return [journal_pb2.HubEvent(sku=wire.sku_message(sku)) for sku in skus]


def list_skus(tx: Transaction, page: PageRequest) -> Page[SkuView]:
    """By SKU id. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, str)
    rows = catalogue.page(tx, key[0] if key else "", limit + 1)
    views = tuple(_views(tx, rows[:limit]).values())
    return Page(views, token_after(views[-1].sku_id) if len(rows) > limit else "")


def whole_catalogue(tx: Transaction) -> list[SkuView]:
    """Every SKU by id; what a new node is told."""
    found: list[SkuView] = []
    while rows := catalogue.page(tx, found[-1].sku_id if found else "", CATALOGUE_ROWS_MAX):
        found += _views(tx, rows).values()
    return found


def _views(tx: Transaction, rows: Iterable[Row]) -> Mapping[str, SkuView]:
    kept = list(rows)
    gtins = catalogue.gtins_of(tx, {row.sku_id for row in kept})
    return {
        row.sku_id: SkuView(
            sku_id=row.sku_id,
            name=row.name,
            gtins=tuple(gtins.get(row.sku_id, ())),
            owner=row.owner,
            lot_tracked=row.lot_tracked,
            weight_g=row.weight_g,
            volume_ml=row.volume_ml,
            version=row.version,
        )
        for row in kept
    }
