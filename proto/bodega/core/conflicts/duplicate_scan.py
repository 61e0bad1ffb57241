"""A scan comes twice: the device's own counter decides, and nothing else (not the barcode, not a clock).

Two boxes of one product have one barcode, so equal text is no duplicate; and a scan that a device sends again,
because its answer was lost, is no second box. Rule duplicate_scan@1: the number of the last scan taken is kept with
what that scan did, in one commit; the same or an older number of the same counter does nothing and gets the answer
again. No row is left: nothing met in the ledger and nobody has anything to decide. It is logged and counted by device.
"""

from __future__ import annotations

from typing import NamedTuple


class ScanNumber(NamedTuple):
    """The `number` of a scan by the `counter` of that name; a counter that begins anew has another name."""

    counter: str
    number: int


def is_repeat(scan: ScanNumber, last: ScanNumber) -> bool:
    """Whether a device's scan was taken already; `last` is the last one taken. Its scans come in its own order."""
    return scan.counter == last.counter and scan.number <= last.number
