"""A whole catalogue file, of whatever face: checked as one, written in small transactions, so that no order waits long.

Everything is checked before anything is written. What is written then can still meet another writer; it is a replacing,
so sending the same file again finishes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import TypeVar

from bodega.core.gtin import as_gtin14, fault_in
from bodega.errors import BodegaError, FieldFault, InvalidInput, Refused
from bodega.limits import CATALOGUE_ROWS_MAX
from bodega.limits_hub import IMPORT_ROWS_FIRST, IMPORT_ROWS_MIN, IMPORT_SLICE_S
from bodega.v1 import catalogue_pb2
from bodega_controlplane.app.goods.catalogue import check_skus, upsert_skus
from bodega_controlplane.app.goods.catalogue_file import at_lines, invalid_file
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller, SkuDraft
from bodega_controlplane.app.wire import sku_draft
from bodega_controlplane.store import catalogue
from bodega_controlplane.store.transaction import Transaction

T = TypeVar("T")
R = TypeVar("R")

_NAMED_OF_A_CYCLE_MAX = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows checked, rows written, and how many of these are new or changed."""

    checked: int = 0
    written: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    """What a file says, in its order, and at which line; `parts_first`: places in the order of being written."""

    drafts: Sequence[SkuDraft]
    lines: Sequence[int]
    parts_first: Sequence[int]


async def import_whole(
    hub: Hub, caller: Caller, skus: Sequence[catalogue_pb2.Sku], lines: Sequence[int]
) -> int:
    """`import_skus` for whoever only wants to know how many SKUs are new or changed."""
    changed = 0
    async for progress in import_skus(hub, caller, skus, lines):
        changed = progress.changed
    return changed


async def import_skus(
    hub: Hub, caller: Caller, skus: Sequence[catalogue_pb2.Sku], lines: Sequence[int]
) -> AsyncIterator[Progress]:
    """Add or replace any number of SKUs, and send them to every node; says after each slice how far it is.

    `lines`: of each row in its file. Raises InvalidInput with every fault at its line, and then nothing was written. An
    error between two slices says how far it came.
    """
    file = await asyncio.to_thread(_checked_as_one, skus, lines)
    coming = frozenset(draft.sku_id for draft in file.drafts)
    faults: list[FieldFault] = []
    moving: set[str] = set()
    pace = _Pace()
    for begin, slice_ in pace.slices(file.drafts):
        check = pace.timed(partial(_checked, drafts=slice_, coming=coming), len(slice_))
        try:
            moving |= await hub.read(check)
        except InvalidInput as error:
            faults += [at_lines(fault, file.lines[begin:]) for fault in error.faults]
        yield Progress(checked=begin + len(slice_))
    together = _with_parts(file.drafts, moving)
    if len(together) > CATALOGUE_ROWS_MAX:
        problem = (
            f"moves GTINs between {len(together)} SKUs; at most {CATALOGUE_ROWS_MAX} can be written at once"
        )
        faults.append(FieldFault("file", problem))
    if faults:
        raise invalid_file(faults)
    async for progress in _write(hub, caller, file, together):
        yield progress


def _checked_as_one(skus: Sequence[catalogue_pb2.Sku], lines: Sequence[int]) -> _File:
    """A SKU comes once, a GTIN means one SKU, and no kit is a part of itself: over all slices."""
    drafts = [sku_draft(one) for one in skus]
    faults: list[FieldFault] = []
    seen: dict[str, int] = {}
    meaning: dict[str, str] = {}
    for place, (draft, line) in enumerate(zip(drafts, lines, strict=True)):
        first = seen.setdefault(draft.sku_id, place)
        if first != place:
            faults.append(FieldFault("sku_id", f"is already at line {lines[first]}: {draft.sku_id}", line))
        twice = [gtin for gtin in _gtins(draft) if meaning.setdefault(gtin, draft.sku_id) != draft.sku_id]
        faults += [FieldFault("gtins", f"means SKU {meaning[gtin]} already: {gtin}", line) for gtin in twice]
    parts_first: list[int] = []
    try:
        parts_first = _parts_first(drafts)
    except CycleError as error:
        circle = error.args[1]
        chain = " in ".join(circle[:_NAMED_OF_A_CYCLE_MAX])
        faults.append(
            FieldFault("components", f"make the kit a part of itself: {chain}", lines[seen[circle[0]]])
        )
    if faults:
        raise invalid_file(faults)
    return _File(drafts, lines, parts_first)


def _checked(tx: Transaction, drafts: Sequence[SkuDraft], coming: frozenset[str]) -> set[str]:
    """SKUs that give GTINs to one another. Raises InvalidInput."""
    check_skus(tx, drafts, coming)
    wanted = {gtin: draft.sku_id for draft in drafts for gtin in _gtins(draft)}
    holders = catalogue.owners_of(tx, wanted.keys())
    moving = [gtin for gtin, holder in holders.items() if holder in coming and holder != wanted[gtin]]
    return {holders[gtin] for gtin in moving} | {wanted[gtin] for gtin in moving}


async def _write(hub: Hub, caller: Caller, file: _File, together: frozenset[str]) -> AsyncIterator[Progress]:
    """What must be written together first, then the rest in slices."""
    first = [place for place in file.parts_first if file.drafts[place].sku_id in together]
    rest = [place for place in file.parts_first if file.drafts[place].sku_id not in together]
    written = changed = 0
    pace = _Pace()
    for places in chain(filter(None, [first]), (slice_ for _, slice_ in pace.slices(rest))):
        drafts = [file.drafts[place] for place in places]
        try:
            upsert = partial(upsert_skus, caller=caller, drafts=drafts)
            changed += await hub.run(pace.timed(upsert, len(drafts)))
        except BodegaError as error:
            lines = [file.lines[place] for place in places]
            raise _stopped(error, lines, written, len(file.drafts)) from error
        written += len(places)
        yield Progress(len(file.drafts), written, changed)


def _stopped(error: BodegaError, lines: Sequence[int], written: int, total: int) -> BodegaError:
    """What kept a slice from being written, as it is told: with lines, and with how far the file came."""
    faults = [at_lines(fault, lines) for fault in error.faults]
    if isinstance(error, InvalidInput):
        # It was right when it was checked: somebody else has written since.
        if not written:
            return invalid_file(faults)
        error = Refused(error.message, code="catalogue-changed", faults=tuple(faults))
    if written:
        error.message = f"{written} of {total} rows are imported, then: {error.message}"
        error.hint = "import the whole file again: what is in force already does not change"
    return error


class _Pace:
    """How many rows make a slice that holds the writer for about IMPORT_SLICE_S, as the last one shows."""

    def __init__(self) -> None:
        self._rows = IMPORT_ROWS_FIRST

    def slices(self, rows: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
        """(place of the first, rows), each as long as is right by then."""
        begin = 0
        while begin < len(rows):
            slice_ = rows[begin : begin + self._rows]
            yield begin, slice_
            begin += len(slice_)

    def timed(self, work: Callable[[Transaction], R], rows: int) -> Callable[[Transaction], R]:
        """Work on so many rows, by which the next slices are measured: not by how long it had to wait for its turn."""

        def run(tx: Transaction) -> R:
            began_s = time.monotonic()
            result = work(tx)
            fit = IMPORT_SLICE_S * rows / max(time.monotonic() - began_s, 0.001)
            self._rows = max(IMPORT_ROWS_MIN, min(int(fit), CATALOGUE_ROWS_MAX))
            return result

        return run


def _with_parts(drafts: Sequence[SkuDraft], sku_ids: set[str]) -> frozenset[str]:
    """These SKUs and, of kits among them, all parts that the file has."""
    by_id = {draft.sku_id: draft for draft in drafts}
    found: set[str] = set()
    while sku_ids:
        found |= sku_ids
        parts = {one.sku_id for sku_id in sku_ids for one in by_id[sku_id].components}
        sku_ids = (parts & by_id.keys()) - found
    return frozenset(found)


def _parts_first(drafts: Sequence[SkuDraft]) -> list[int]:
    """Places in an order in which the parts of a kit come before it. Raises CycleError."""
    places = {draft.sku_id: place for place, draft in enumerate(drafts)}
    parts = {draft.sku_id: [one.sku_id for one in draft.components] for draft in drafts}
    return [places[sku_id] for sku_id in TopologicalSorter(parts).static_order() if sku_id in places]


def _gtins(draft: SkuDraft) -> set[str]:
    """The right ones among its GTINs, as they are kept."""
    named = (*draft.gtins, *(gtin for unit in draft.units for gtin in unit.gtins))
    return {as_gtin14(gtin) for gtin in named if fault_in(gtin) is None}
