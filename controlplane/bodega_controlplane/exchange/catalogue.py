"""A catalogue file: rows that are right are taken, rows that are wrong are told."""

from __future__ import annotations

import asyncio
import csv
import io

from bodega.errors import FieldFault, InvalidInput
from bodega.host.spreadsheet import delimiter_of
from bodega.limits_hub import EXCHANGE_CATALOGUE_TRIES_MAX
from bodega_controlplane.app.goods.catalogue_file import read_skus
from bodega_controlplane.app.goods.importing import import_whole
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller
from bodega_controlplane.exchange.answers import Answer, Outcome


async def take_catalogue(hub: Hub, caller: Caller, text: str, answer: Answer, *, is_csv: bool) -> None:
    """Take what is right of a file; a JSON file is taken whole or not at all.

    Rows that are wrong are left out and the rest is tried again, since a row may be wrong only because of another one.
    """
    wrong: set[int] = set()
    for _ in range(EXCHANGE_CATALOGUE_TRIES_MAX):
        try:
            taken = await _take(hub, caller, _without(text, wrong), is_csv=is_csv)
        except InvalidInput as error:
            answer.faults += [("", fault) for fault in error.faults]
            more = {fault.line for fault in error.faults if fault.line and fault.line > 1}
            if not is_csv or not more or any(fault.line in {None, 1} for fault in error.faults):
                return
            wrong |= more
        else:
            answer.outcomes += [Outcome(sku_id, "accepted") for sku_id in taken]
            return
    answer.faults.append(("", FieldFault("file", "has faults in every part: nothing was taken")))


async def _take(hub: Hub, caller: Caller, text: str, *, is_csv: bool) -> list[str]:
    skus, lines = await asyncio.to_thread(read_skus, text, is_csv=is_csv)
    await import_whole(hub, caller, skus, lines)
    return [one.sku_id for one in skus]


def _without(text: str, lines: set[int]) -> str:
    """The same file with the rows that begin on these lines empty, so that the others keep their numbers."""
    if not lines:
        return text
    kept = list(io.StringIO(text, newline=""))
    rows = csv.reader(tuple(kept), delimiter=delimiter_of(text), strict=True)
    first = 1
    for _row in rows:
        if first in lines:
            kept[first - 1 : rows.line_num] = ["\n"] * (rows.line_num - first + 1)
        first = rows.line_num + 1
    return "".join(kept)
