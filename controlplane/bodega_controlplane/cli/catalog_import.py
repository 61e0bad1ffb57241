"""A catalogue file of any length into the hub: checked whole first, then written in slices.

Each slice is a transaction of its own and takes about IMPORT_CALL_S, however many nodes must be told, so orders go on
meanwhile. What a slice of many needs from the others is said to the check (`coming_sku_ids`), and parts of kits are
written before the kits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from bodega.core.gtin import as_gtin14
from bodega.errors import BodegaError, FieldFault, InvalidInput
from bodega.limits import CATALOGUE_ROWS_MAX, REQUEST_BYTES_MAX
from bodega.limits_hub import IMPORT_CALL_S, IMPORT_ROWS_FIRST, IMPORT_ROWS_MIN
from bodega.v1 import catalogue_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.app.goods.catalogue_file import at_lines, invalid_file

Skus = Sequence[catalogue_pb2.Sku]
Upsert = Callable[[pb.UpsertSkusRequest], int]
Step = Callable[[int], None]


def import_skus(skus: Skus, lines: Sequence[int], upsert: Upsert, step: Step) -> int:
    """How many SKUs are new or changed; `upsert` calls the hub, `step` is told twice of each row: checked, written.

    Raises InvalidInput with every fault at its line, and then nothing was written; another error between two slices
    says how far it came: the file may be imported again, what is in force already does not change.
    """
    faults = _twice(skus, lines)
    if faults:
        raise invalid_file(faults)
    places = sorted(range(len(skus)), key=_depths(skus).__getitem__)
    ordered, at = [skus[place] for place in places], [lines[place] for place in places]
    if len(ordered) > IMPORT_ROWS_FIRST:
        _check(ordered, at, upsert, step)
    return _write(ordered, at, upsert, step)


def _check(skus: Skus, lines: Sequence[int], upsert: Upsert, step: Step) -> None:
    known = {sku.sku_id for sku in skus}
    faults: list[FieldFault] = []
    for begin, rows in _slices(skus):
        named = {part.sku_id for sku in rows for part in sku.components}
        request = pb.UpsertSkusRequest(skus=rows, check_only=True, coming_sku_ids=sorted(named & known))
        faults += _faults_of(request, lines[begin:], upsert)
        step(len(rows))
    if faults:
        raise invalid_file(sorted(faults, key=lambda fault: fault.line or 0))


def _faults_of(request: pb.UpsertSkusRequest, lines: Sequence[int], upsert: Upsert) -> list[FieldFault]:
    try:
        upsert(request)
    except InvalidInput as error:
        if not error.faults:
            raise
        return [at_lines(fault, list(lines)) for fault in error.faults]
    return []


def _write(skus: Skus, lines: Sequence[int], upsert: Upsert, step: Step) -> int:
    changed = 0
    for begin, rows in _slices(skus):
        try:
            changed += upsert(pb.UpsertSkusRequest(skus=rows))
        except InvalidInput as error:
            if not begin and error.faults:
                raise invalid_file([at_lines(fault, list(lines)) for fault in error.faults]) from error
            raise _stopped(error, begin, len(skus)) from error
        except BodegaError as error:
            if not begin:
                raise
            raise _stopped(error, begin, len(skus)) from error
        step(len(rows))
    return changed


def _stopped(error: BodegaError, written: int, total: int) -> BodegaError:
    error.message = f"{written} of {total} rows are imported, then: {error.message}"
    error.hint = "import the whole file again: what is in force already does not change"
    return error


def _slices(skus: Skus) -> Iterator[tuple[int, Skus]]:
    """(place of the first, rows) of slices that take about IMPORT_CALL_S each, as the last one shows."""
    begin, size = 0, IMPORT_ROWS_FIRST
    while begin < len(skus):
        started = time.monotonic()
        rows = _within_bytes(skus[begin : begin + size])
        yield begin, rows
        took_s = max(time.monotonic() - started, 0.001)
        begin += len(rows)
        size = max(IMPORT_ROWS_MIN, min(int(len(rows) * IMPORT_CALL_S / took_s), CATALOGUE_ROWS_MAX))


def _within_bytes(rows: Skus) -> Skus:
    """As many of the first rows as fit into a request, and at least one; parts of kits are named twice in it."""
    room = REQUEST_BYTES_MAX // 3
    for number, sku in enumerate(rows):
        room -= sku.ByteSize()
        if room < 0:
            return rows[: max(1, number)]
    return rows


def _twice(skus: Skus, lines: Sequence[int]) -> list[FieldFault]:
    """What the hub would only find within one slice: SKUs that come twice, GTINs that mean two of them."""
    faults: list[FieldFault] = []
    at: dict[str, int] = {}
    meant: dict[str, str] = {}
    for sku, line in zip(skus, lines, strict=True):
        if at.setdefault(sku.sku_id, line) != line:
            faults.append(FieldFault("sku_id", f"is already at line {at[sku.sku_id]}: {sku.sku_id}", line))
        for gtin in (*sku.gtins, *(gtin for unit in sku.units for gtin in unit.gtins)):
            other = meant.setdefault(as_gtin14(gtin), sku.sku_id)
            if other != sku.sku_id:
                faults.append(FieldFault("gtins", f"means SKU {other} already: {gtin}", line))
    return faults


def _depths(skus: Skus) -> list[int]:
    """Per SKU: how many kits deep its parts of the same file lie; 0 for what is no kit."""
    parts = {sku.sku_id: [part.sku_id for part in sku.components] for sku in skus}
    depths: dict[str, int] = {}

    def depth(sku_id: str) -> int:
        if sku_id not in depths:
            depths[sku_id] = 0  # a kit that is in itself ends here; the hub refuses it
            depths[sku_id] = 1 + max(map(depth, parts[sku_id])) if parts.get(sku_id) else 0
        return depths[sku_id]

    return [depth(sku.sku_id) for sku in skus]
