"""A whole catalogue file: checked as one, written in small transactions, so that no order waits for long.

Everything is checked before anything is written. What is written then can still meet another writer; it is a replacing,
so sending the same file again finishes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from graphlib import CycleError, TopologicalSorter

from bodega.core.gtin import as_gtin14, fault_in
from bodega.errors import InvalidInput
from bodega.limits import CATALOGUE_ROWS_MAX
from bodega.limits_hub import CATALOGUE_ROWS_PER_COMMIT_MAX
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.goods.catalogue import check_skus, upsert_skus
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller, SkuDraft
from bodega_controlplane.store import catalogue
from bodega_controlplane.store.transaction import Transaction

_NAMED_OF_A_CYCLE_MAX = 5


async def import_skus(hub: Hub, caller: Caller, drafts: Sequence[SkuDraft]) -> int:
    """Add or replace any number of SKUs, and send them to every node; the number new or changed.

    Raises InvalidInput with every fault that the file itself has, "skus[3].gtins[0]", before anything is written.
    """
    _check_as_one(drafts)
    together = await hub.read(lambda tx: _check_against_catalogue(tx, drafts))
    changed = 0
    for slice_ in _slices(drafts, together):
        changed += await hub.run(partial(upsert_skus, caller=caller, drafts=slice_))
    return changed


def _check_as_one(drafts: Sequence[SkuDraft]) -> None:
    """A SKU comes once, a GTIN means one SKU, and no kit is a part of itself: over all slices."""
    faults = Faults()
    seen: dict[str, int] = {}
    meaning: dict[str, str] = {}
    for place, draft in enumerate(drafts):
        if draft.sku_id in seen:
            faults.add(f"skus[{place}].sku_id", f"is already in skus[{seen[draft.sku_id]}]: {draft.sku_id}")
        seen.setdefault(draft.sku_id, place)
        for gtin in _gtins(draft):
            if meaning.setdefault(gtin, draft.sku_id) != draft.sku_id:
                faults.add(f"skus[{place}].gtins", f"means SKU {meaning[gtin]} already: {gtin}")
    try:
        _parts_first(drafts)
    except CycleError as error:
        circle = error.args[1]
        chain = " in ".join(circle[:_NAMED_OF_A_CYCLE_MAX])
        faults.add(f"skus[{seen[circle[0]]}].components", f"make the kit a part of itself: {chain}")
    faults.raise_if_any("the catalogue")


def _check_against_catalogue(tx: Transaction, drafts: Sequence[SkuDraft]) -> frozenset[str]:
    """Every fault against what is there; the SKUs between which GTINs move, which must be written together."""
    ids = {draft.sku_id for draft in drafts}
    wanted = {gtin: draft.sku_id for draft in drafts for gtin in _gtins(draft)}
    holders = catalogue.owners_of(tx, wanted.keys())
    moving = {gtin for gtin, holder in holders.items() if holder in ids and holder != wanted[gtin]}
    together = _with_parts(drafts, {holders[gtin] for gtin in moving} | {wanted[gtin] for gtin in moving})
    faults = Faults()
    faults.count("skus", together, 0, CATALOGUE_ROWS_MAX)
    place_of = {draft.sku_id: place for place, draft in enumerate(drafts)}
    for slice_ in _slices(drafts, together):
        try:
            check_skus(tx, slice_, ids)
        except InvalidInput as error:
            for fault in error.faults:
                # "skus[3].name": the third of this slice.
                place, _, rest = fault.where.removeprefix("skus[").partition("]")
                faults.add(f"skus[{place_of[slice_[int(place)].sku_id]}]{rest}", fault.problem)
    faults.raise_if_any("the catalogue")
    return together


def _with_parts(drafts: Sequence[SkuDraft], sku_ids: set[str]) -> frozenset[str]:
    """These SKUs and, of kits among them, all parts that the file has."""
    by_id = {draft.sku_id: draft for draft in drafts}
    found: set[str] = set()
    while sku_ids:
        found |= sku_ids
        parts = {one.sku_id for sku_id in sku_ids for one in by_id[sku_id].components}
        sku_ids = (parts & by_id.keys()) - found
    return frozenset(found)


def _slices(drafts: Sequence[SkuDraft], together: frozenset[str]) -> Iterator[list[SkuDraft]]:
    """SKUs that must be written together first, then all others, the parts of kits before them."""
    first = [draft for draft in drafts if draft.sku_id in together]
    if first:
        yield first
    rest = [draft for draft in _parts_first(drafts) if draft.sku_id not in together]
    for start in range(0, len(rest), CATALOGUE_ROWS_PER_COMMIT_MAX):
        yield rest[start : start + CATALOGUE_ROWS_PER_COMMIT_MAX]


def _parts_first(drafts: Sequence[SkuDraft]) -> list[SkuDraft]:
    """Raises CycleError."""
    by_id = {draft.sku_id: draft for draft in drafts}
    parts = {draft.sku_id: [one.sku_id for one in draft.components] for draft in by_id.values()}
    return [by_id[sku_id] for sku_id in TopologicalSorter(parts).static_order() if sku_id in by_id]


def _gtins(draft: SkuDraft) -> set[str]:
    """The right ones among its GTINs, as they are kept."""
    named = (*draft.gtins, *(gtin for unit in draft.units for gtin in unit.gtins))
    return {as_gtin14(gtin) for gtin in named if fault_in(gtin) is None}
