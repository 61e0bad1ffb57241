"""The next SSCC of a node's own range, so that parcels get their number without asking anybody.

An SSCC is never given twice: the store keeps the last serial in the transaction that closes the parcel.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import Refused
from bodega_adapters.framing.check_digit import make_sscc


@dataclass(frozen=True, slots=True)
class SsccRange:
    """As NodeProfile.sscc_range; both serials inclusive."""

    extension: int
    company_prefix: str
    first_serial: int
    last_serial: int


def next_sscc(numbers: SsccRange, last_serial: int | None) -> tuple[str, int]:
    """(SSCC, its serial) after `last_serial`, None before the first; Refused when the range is used up."""
    serial = numbers.first_serial if last_serial is None else max(last_serial + 1, numbers.first_serial)
    if serial > numbers.last_serial:
        raise Refused(
            f"the node has used all its SSCCs up to serial {numbers.last_serial}",
            hint="give the node another range with its profile: bodegactl nodes register FILE",
            code="sscc-range-used-up",
        )
    return make_sscc(numbers.extension, numbers.company_prefix, serial), serial
