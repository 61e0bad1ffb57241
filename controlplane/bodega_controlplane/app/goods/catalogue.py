"""The catalogue: owned here, copied to every node, versioned by SKU."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, fields, replace
from typing import TypeAlias

from bodega.core.conflicts.fields import FIELDS, SKU, Owner
from bodega.core.floor_words import TemperatureClass, VelocityClass
from bodega.core.gtin import as_gtin14, fault_in
from bodega.limits import (
    CATALOGUE_ROWS_MAX,
    COMPONENTS_PER_SKU_MAX,
    GTINS_PER_SKU_MAX,
    QUANTITY_MAX,
    UNITS_PER_SKU_MAX,
)
from bodega.v1 import journal_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import (
    Caller,
    Page,
    PageRequest,
    SkuComponent,
    SkuDraft,
    SkuUnit,
    SkuView,
)
from bodega_controlplane.store import catalogue, nodes
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

# Fields that nodes may propose to change.
_EDITABLE = tuple(
    name
    for (kind, name), rule in FIELDS.items()
    if kind == SKU and rule.owner in {Owner.SHARED, Owner.PERSON}
)
_UINT32_MAX = 2**32 - 1
# Columns of a SKU that say how large a base unit is.
_MEASURES = ("weight_g", "volume_ml", "length_mm", "width_mm", "height_mm")
# Columns that hold what the draft says, as it is.
_PLAIN = (
    "sku_id",
    "name",
    "owner",
    "lot_tracked",
    "serial_tracked",
    "expiry_tracked",
    "base_unit",
    "temperature_class",
    "velocity_class",
    "fragile",
    *_MEASURES,
)
# What a base unit without a name is called.
BASE_UNIT = "each"


def upsert_skus(tx: Transaction, caller: Caller, drafts: Sequence[SkuDraft], *, by: str = "") -> int:
    """Add or replace SKUs, all or nothing, and send them to every node; the number new or changed.

    `by` is the node's event that asked for the change; empty for the hub's own.
    Raises InvalidInput with every fault at once; `where` is "skus[3].gtins[0]".
    """
    catalogue.lock(tx)
    rows, known, changed = _compared(tx, drafts, frozenset())
    if changed:
        changes = {
            view.sku_id: _changes(known[view.sku_id], view, json.loads(rows[view.sku_id].field_changes), by)
            for view in changed
            if view.sku_id in known
        }
        _write(tx, caller, changed, changes)
    return len(changed)


def check_skus(tx: Transaction, drafts: Sequence[SkuDraft], coming: Set[str] = frozenset()) -> None:
    """What `upsert_skus` would refuse, where the SKUs that are `coming` are replaced by the same file.

    Raises InvalidInput with every fault at once.
    """
    _compared(tx, drafts, coming)


def _compared(
    tx: Transaction, drafts: Sequence[SkuDraft], coming: Set[str]
) -> tuple[Mapping[str, Row], Mapping[str, SkuView], list[SkuView]]:
    """(rows, SKUs) that are there by id, and the SKUs that would be new or changed."""
    faults = Faults()
    faults.count("skus", drafts, 1, CATALOGUE_ROWS_MAX)
    faults.raise_if_any("the catalogue")
    for place, draft in enumerate(drafts):
        _check(faults, f"skus[{place}]", draft)
    _check_together(tx, faults, drafts, coming)
    faults.raise_if_any("the catalogue")
    rows = catalogue.by_ids(tx, {draft.sku_id for draft in drafts})
    known = _views(tx, rows.values())
    _check_owners(faults, drafts, known)
    faults.raise_if_any("the catalogue")
    following = [_next(draft, known.get(draft.sku_id)) for draft in drafts]
    return rows, known, [view for view in following if view is not None]


Changes: TypeAlias = dict[str, tuple[int, str]]
"""Field of a SKU -> the version in which it last changed, and what changed it (`core.conflicts.fields.Standing`)."""


def _changes(before: SkuView, after: SkuView, so_far: Changes, by: str) -> Changes:
    changed = [name for name in _EDITABLE if getattr(before, name) != getattr(after, name)]
    stamp = (after.version, by or f"hub/{SKU}:{after.sku_id}/{after.version}")
    return {**so_far, **dict.fromkeys(changed, stamp)}


def view_of(tx: Transaction, sku_id: str) -> tuple[SkuView, Changes] | None:
    """A SKU and when its fields last changed; None if there is none of this id."""
    rows = catalogue.by_ids(tx, {sku_id})
    if sku_id not in rows:
        return None
    changes = json.loads(rows[sku_id].field_changes)
    return _views(tx, rows.values())[sku_id], {name: (int(at), by) for name, (at, by) in changes.items()}


def _check(faults: Faults, where: str, draft: SkuDraft) -> None:
    faults.identifier(f"{where}.sku_id", draft.sku_id)
    faults.text(f"{where}.name", draft.name)
    faults.text(f"{where}.owner", draft.owner, empty=True)
    faults.count(f"{where}.gtins", draft.gtins, 0, GTINS_PER_SKU_MAX)
    for name in _MEASURES:
        faults.number(f"{where}.{name}", getattr(draft, name), 0, _UINT32_MAX)
    faults.one_of(f"{where}.temperature_class", draft.temperature_class, ("", *TemperatureClass))
    faults.one_of(f"{where}.velocity_class", draft.velocity_class, ("", *VelocityClass))
    for at, gtin in _gtins_of(where, draft):
        fault = fault_in(gtin)
        if fault:
            faults.add(at, fault)
    _check_units(faults, where, draft)
    _check_components(faults, where, draft)
    if draft.expiry_tracked and not draft.lot_tracked:
        faults.add(f"{where}.expiry_tracked", "needs lot_tracked: an expiry belongs to a lot")


def _check_units(faults: Faults, where: str, draft: SkuDraft) -> None:
    if draft.base_unit:
        faults.identifier(f"{where}.base_unit", draft.base_unit)
    faults.count(f"{where}.units", draft.units, 0, UNITS_PER_SKU_MAX)
    names = {draft.base_unit or BASE_UNIT}
    for place, one in enumerate(draft.units):
        at = f"{where}.units[{place}]"
        faults.identifier(f"{at}.unit", one.unit)
        faults.number(f"{at}.base_units", one.base_units, 1, QUANTITY_MAX)
        faults.count(f"{at}.gtins", one.gtins, 0, GTINS_PER_SKU_MAX)
        if one.unit in names:
            faults.add(f"{at}.unit", f"is there twice: {one.unit}")
        names.add(one.unit)


def _check_components(faults: Faults, where: str, draft: SkuDraft) -> None:
    faults.count(f"{where}.components", draft.components, 0, COMPONENTS_PER_SKU_MAX)
    names = {draft.sku_id}
    for place, one in enumerate(draft.components):
        at = f"{where}.components[{place}]"
        faults.identifier(f"{at}.sku_id", one.sku_id)
        faults.number(f"{at}.quantity", one.quantity, 1, QUANTITY_MAX)
        if one.sku_id in names:
            faults.add(f"{at}.sku_id", f"is the kit itself or there twice: {one.sku_id}")
        names.add(one.sku_id)


def _gtins_of(where: str, draft: SkuDraft) -> Iterator[tuple[str, str]]:
    """(where, GTIN) of the base unit and of every other unit."""
    for place, gtin in enumerate(draft.gtins):
        yield f"{where}.gtins[{place}]", gtin
    for number, one in enumerate(draft.units):
        for place, gtin in enumerate(one.gtins):
            yield f"{where}.units[{number}].gtins[{place}]", gtin


def _check_together(tx: Transaction, faults: Faults, drafts: Sequence[SkuDraft], coming: Set[str]) -> None:
    """A SKU comes once, a GTIN means one unit of one SKU, and parts of kits exist: after this call."""
    seen: dict[str, int] = {}
    for place, draft in enumerate(drafts):
        if draft.sku_id in seen:
            faults.add(f"skus[{place}].sku_id", f"is already in skus[{seen[draft.sku_id]}]: {draft.sku_id}")
        seen.setdefault(draft.sku_id, place)
    wanted = [
        (where, as_gtin14(gtin), draft.sku_id)
        for place, draft in enumerate(drafts)
        for where, gtin in _gtins_of(f"skus[{place}]", draft)
        if fault_in(gtin) is None
    ]
    # What another SKU holds now counts only if that SKU is not being replaced itself.
    holders = catalogue.owners_of(tx, {gtin for _, gtin, _ in wanted})
    taken = {gtin: sku_id for gtin, sku_id in holders.items() if sku_id not in seen and sku_id not in coming}
    for where, gtin, sku_id in wanted:
        if taken.setdefault(gtin, sku_id) != sku_id:
            faults.add(where, f"means SKU {taken[gtin]} already: {gtin}")
    for place, draft in enumerate(drafts):
        once: set[str] = set()
        for where, gtin in _gtins_of(f"skus[{place}]", draft):
            # The base unit may name a GTIN twice (it is a set there), two units may not share one.
            if as_gtin14(gtin) in once and ".units[" in where:
                faults.add(where, f"means another unit of the SKU already: {gtin}")
            once.add(as_gtin14(gtin))
    parts = {one.sku_id for draft in drafts for one in draft.components}
    _check_parts(tx, faults, drafts, {one for one in parts if one not in seen and one not in coming})


def _check_parts(tx: Transaction, faults: Faults, drafts: Sequence[SkuDraft], outside: set[str]) -> None:
    """`outside`: parts of kits that are not in the same import."""
    unknown = outside - catalogue.by_ids(tx, outside).keys()
    for place, draft in enumerate(drafts):
        for number, one in enumerate(draft.components):
            if one.sku_id in unknown:
                faults.add(f"skus[{place}].components[{number}].sku_id", f"is no SKU: {one.sku_id}")


def _check_owners(faults: Faults, drafts: Sequence[SkuDraft], known: Mapping[str, SkuView]) -> None:
    """Stock is kept by owner, so a SKU stays with the one that it began with."""
    for place, draft in enumerate(drafts):
        owner = known[draft.sku_id].owner if draft.sku_id in known else draft.owner
        if draft.owner != owner:
            faults.add(
                f"skus[{place}].owner", f"can not change, is '{owner}': make a new SKU for '{draft.owner}'"
            )


def _next(draft: SkuDraft, known: SkuView | None) -> SkuView | None:
    """The SKU as it will be, one version up; None if nothing about it changes."""
    view = SkuView(
        **{
            **{field.name: getattr(draft, field.name) for field in fields(SkuDraft)},
            "gtins": _sorted14(draft.gtins),
            "units": tuple(replace(one, gtins=_sorted14(one.gtins)) for one in draft.units),
        },
        units_version=known.units_version if known else 1,
        version=known.version if known else 0,
    )
    if view == known:
        return None
    if known and (known.units, known.base_unit) != (view.units, view.base_unit):
        view = replace(view, units_version=view.units_version + 1)
    return replace(view, version=view.version + 1)


def _sorted14(gtins: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({as_gtin14(gtin) for gtin in gtins}))


def _write(
    tx: Transaction, caller: Caller, changed: Sequence[SkuView], changes: Mapping[str, Changes]
) -> None:
    rows = [
        {
            **{name: getattr(view, name) for name in _PLAIN},
            "units": json.dumps([asdict(one) for one in view.units]),
            "units_version": view.units_version,
            "components": json.dumps([asdict(one) for one in view.components]),
            "version": view.version,
            "field_changes": json.dumps(changes.get(view.sku_id, {})),
        }
        for view in changed
    ]
    gtins = [
        {"gtin": gtin, "sku_id": view.sku_id, "unit": unit}
        for view in changed
        for unit, meaning in (("", view.gtins), *((one.unit, one.gtins) for one in view.units))
        for gtin in meaning
    ]
    catalogue.replace(tx, rows, gtins)
    cmd_id = new_id("C", caller.now_ms)
    node_ids = nodes.ids(tx)
    if node_ids:
        outbox.post_bulk(tx, caller, node_ids, events_of(changed), cmd_id=cmd_id)
    for view in changed:
        tx.audit(
            at_ms=caller.now_ms,
            actor=caller.actor,
            action="sku.changed",
            subject=view.sku_id,
            detail={"version": view.version, "gtins": view.gtins},
        )


def events_of(skus: Iterable[SkuView]) -> dict[str, journal_pb2.HubEvent]:
    """One event per SKU, by its id, for a node's stream."""
    return {sku.sku_id: journal_pb2.HubEvent(sku=wire.sku_message(sku)) for sku in skus}


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
            **{name: getattr(row, name) for name in _PLAIN},
            gtins=tuple(gtins.get(row.sku_id, ())),
            units=tuple(
                SkuUnit(one["unit"], one["base_units"], tuple(one["gtins"])) for one in json.loads(row.units)
            ),
            components=tuple(SkuComponent(**one) for one in json.loads(row.components)),
            units_version=row.units_version,
            version=row.version,
        )
        for row in kept
    }
