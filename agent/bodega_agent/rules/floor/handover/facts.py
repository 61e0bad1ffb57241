"""What handing over must know.

- handover: `parcel` that was scanned, what is `waiting` for its carrier, `manifests`.
- manifest, manifest_close, and CMD-MANIFEST at idle: `manifests`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the node knows of an SSCC. `carrier`: empty where none was chosen; `fetched`: a customer comes."""

    sscc: str
    fulfillment_order_id: str
    state: FulfillmentState
    carrier: str = ""
    fetched: bool = False


@dataclass(frozen=True, slots=True)
class OpenManifest:
    """`parcels`: how many are on it; `left`: labelled ones of its carrier still here, `first_left` of them."""

    manifest_id: str
    carrier: str
    ship_date: str
    parcels: int
    left: int = 0
    first_left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverFacts(Facts):
    """See the module's text. `is_void`: the scanned label is of a parcel that was opened again.

    `waiting`: how many labelled parcels of the carrier are here; `first_waiting` of them, the oldest first.
    """

    parcel: Parcel | None = None
    is_void: bool = False
    waiting: int = 0
    first_waiting: tuple[str, ...] = ()
    manifests: tuple[OpenManifest, ...] = ()
