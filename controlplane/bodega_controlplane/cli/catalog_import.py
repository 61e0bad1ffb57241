"""A catalogue file on its way to the hub, which checks it whole and writes it in slices (`app.goods.importing`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bodega.errors import FieldFault
from bodega.limits import CATALOGUE_ROWS_MAX, REQUEST_BYTES_MAX
from bodega.limits_hub import IMPORT_LASTS_S_MAX
from bodega.v1 import catalogue_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.app.goods.catalogue_file import invalid_file
from bodega_controlplane.cli.client import HubClient


def send_file(
    hub: HubClient, skus: Sequence[catalogue_pb2.Sku], lines: Sequence[int], step: Callable[[int], None]
) -> int:
    """How many SKUs are new or changed; `step` is told twice of each row: checked, written.

    Raises InvalidInput with every fault at its line, and then nothing was written.
    """
    changed = told = 0
    for answer in hub.converse(hub.catalogue.ImportSkus, _requests(skus, lines), IMPORT_LASTS_S_MAX):
        if answer.faults:
            raise invalid_file(
                [FieldFault(one.where, one.problem, one.line or None) for one in answer.faults]
            )
        step(answer.rows_checked + answer.rows_written - told)
        told = answer.rows_checked + answer.rows_written
        changed = answer.changed
    return changed


def _requests(skus: Sequence[catalogue_pb2.Sku], lines: Sequence[int]) -> Iterator[pb.ImportSkusRequest]:
    """Rows in pieces that a server takes; a row alone is always small enough, or refused."""
    begin, size_bytes = 0, 0
    for place, sku in enumerate(skus):
        size_bytes += sku.ByteSize()
        if place > begin and (size_bytes > REQUEST_BYTES_MAX // 2 or place - begin == CATALOGUE_ROWS_MAX):
            yield pb.ImportSkusRequest(skus=skus[begin:place], lines=lines[begin:place])
            begin, size_bytes = place, sku.ByteSize()
    yield pb.ImportSkusRequest(skus=skus[begin:], lines=lines[begin:])
