"""What receiving remembers between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.ledger import Entered
from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class Fresh:
    """What was scanned last: `quantity` base units a scan, of which `counted` are in the book by now.

    `counted` is 0 while lot or expiry have still to be said: `lot_tracked` and `expiry_tracked` say what is asked for.
    """

    sku_id: str
    name: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()
    entered: Entered | None = None
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Receiving(Doing):
    """`receipt_id` is empty until the first thing has come in; `unit`: the SSCC of the pallet that goods go onto.

    `apart`: why some of what was scanned last are to be set apart, while the number of them is asked for.
    """

    receipt_id: str = ""
    unit: str = ""
    fresh: Fresh | None = None
    apart: str = ""
